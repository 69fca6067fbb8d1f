"""Dataflow of a graph's channels: which go together, which are constant, which are needed.

Every channel has an atom, a number. Atoms that are tied stay or go together, over all values and parameters that
carry them; an atom goes when nobody needs it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

Atoms = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Alive = npt.NDArray[np.bool_]
Edit = Callable[[Alive], None]


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of one value, along one axis."""

    axis: int
    atoms: Atoms  # (C,)
    constants: Numbers  # (C,): the number that stands everywhere in the channel, or NaN


class Flow:
    """The channels of one graph, filled node by node by the rules."""

    def __init__(self) -> None:
        self.channels: dict[ir.Value, Channels] = {}
        self.bound: dict[ir.Value, dict[int, Atoms]] = {}  # axes of parameters
        self.edits: list[Edit] = []  # what must change besides the parameters' sizes when atoms go
        self.writers: list[tuple[ir.Node, Channels]] = []  # layers, whose output channels are units or filters
        self._count = 0
        self._ties: list[tuple[Atoms, Atoms]] = []
        self._needed: list[Atoms] = []

    def fresh(self, count: int) -> Atoms:
        """New atoms, tied to nothing."""
        self._count += count
        return np.arange(self._count - count, self._count)

    def tie(self, first: Atoms, second: Atoms) -> None:
        """These stay or go together, pair by pair (or all with one)."""
        self._ties.append((np.broadcast_to(first, second.shape).ravel(), second.ravel()))

    def need(self, atoms: Atoms) -> None:
        """Mark atoms that stay, as they are read."""
        self._needed.append(atoms.ravel())

    def write(self, value: ir.Value, axis: int, atoms: Atoms, constants: Numbers) -> None:
        """What a node writes; a number that is not finite is no constant that could be folded."""
        self.channels[value] = Channels(axis, atoms, np.where(np.isfinite(constants), constants, np.nan))

    def read(self, value: ir.Value, axis: int, size: int) -> Channels:
        """What a node reads along an axis; where that is not known, channels that stay."""
        known = self.channels.get(value)
        if known is not None and known.axis == axis and len(known.atoms) == size:
            return known
        self.need_all(value)
        return Channels(axis, self._fixed(size), np.full(size, np.nan))

    def need_all(self, value: ir.Value) -> None:
        """Whatever this value or parameter carries stays."""
        if value in self.channels:
            self.need(self.channels[value].atoms)
        elif is_parameter(value):
            self.bind(value, {})

    def bind(self, parameter: ir.Value, axes: dict[int, Atoms]) -> None:
        """The parameter's axes carry these atoms; its other axes keep their size."""
        known = self.bound.setdefault(parameter, {})
        for axis, size in enumerate(shape_of(parameter)):
            atoms = axes[axis] if axis in axes else self._fixed(size)
            if axis in known:
                self.tie(known[axis], atoms)
            known[axis] = atoms

    def _fixed(self, size: int) -> Atoms:
        atoms = self.fresh(size)
        self.need(atoms)
        return atoms

    def settle(self) -> Alive:
        """Which atoms stay: the needed, what is tied to them, and at least one in every value and parameter."""
        alive = np.zeros(self._count, bool)
        for atoms in self._needed:
            alive[atoms] = True
        places = [known.atoms for known in self.channels.values()]
        places += [atoms for axes in self.bound.values() for atoms in axes.values()]
        while True:
            self._spread(alive)
            empty = [atoms[0] for atoms in places if len(atoms) and not alive[atoms].any()]
            if not empty:
                return alive
            alive[empty] = True

    def _spread(self, alive: Alive) -> None:
        if not self._ties:
            return
        first, second = (np.concatenate(side) for side in zip(*self._ties, strict=True))
        while (one_sided := alive[first] != alive[second]).any():
            alive[first[one_sided]] = alive[second[one_sided]] = True


def is_parameter(value: ir.Value | None) -> bool:
    """Whether it is a stored number or array that is known here."""
    return value is not None and value.is_initializer() and value.const_value is not None and not value.is_graph_input()


def stored(value: ir.Value) -> npt.NDArray[np.generic]:
    """The array of a parameter."""
    assert value.const_value is not None  # noqa: S101  # of a parameter
    array: npt.NDArray[np.generic] = value.const_value.numpy()
    return array


def numbers(value: ir.Value) -> Numbers:
    """The array of a parameter, in double precision."""
    return stored(value).astype(np.float64)


def integers(value: ir.Value | None) -> list[int] | None:
    """The values of a stored list, such as axes; None where they are computed."""
    return [int(entry) for entry in stored(value).ravel()] if value is not None and is_parameter(value) else None


def shape_of(value: ir.Value) -> tuple[int, ...]:
    """The dimensions, -1 where they are not fixed; empty where nothing is known."""
    return tuple(size if isinstance(size, int) else -1 for size in value.shape or ())


def put(value: ir.Value, array: npt.NDArray[np.generic]) -> None:
    """Give a parameter another array."""
    value.const_value = ir.tensor(array, name=value.name)
    value.shape = ir.Shape(array.shape)


def new_parameter(graph: ir.Graph, name: str, array: npt.NDArray[np.generic]) -> ir.Value:
    """A parameter of this name, or of the name with a number where it is taken."""
    taken = {value.name for node in graph for value in node.outputs} | set(graph.initializers)
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    value = ir.Value(name=free, const_value=ir.tensor(array, name=free))
    value.shape, value.dtype = ir.Shape(array.shape), ir.DataType.from_numpy(array.dtype)
    graph.register_initializer(value)
    return value


def others(axes: Iterable[int], rank: int) -> set[int]:
    """Axes counted from the front."""
    return {axis % rank for axis in axes}
