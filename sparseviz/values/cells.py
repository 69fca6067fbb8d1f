"""True weights of a part of a layer's matrix: cell by cell, or in blocks of which none that keeps a weight vanishes.

Plain numpy. Whoever has the weights (a trainer, a checkpoint, a run file) gives them as a `Source`; a `Part` says
which are asked for, `Cells` is the answer. A layer too large to be read for every picture gets a `Pyramid`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NEVER = -1  # instead of a snapshot's number: the weight was never cut
FINEST = 4  # block of a pyramid's finest level; smaller blocks are read from the source
_BAND = 64  # rows read at once; also those of a chunk of a large layer in a run file

FloatPlane = npt.NDArray[np.float32]
IntPlane = npt.NDArray[np.int32]
Order = npt.NDArray[np.int64]


class Planes(NamedTuple):
    """A matrix, or a part of one, as arrays of one shape (rows, columns); of blocks where they were shrunk."""

    weight: FloatPlane  # as it is, cut or kept; of a block the kept one of the largest magnitude, 0 where none is
    kept: FloatPlane  # 0 or 1; of a block their number
    quantity: FloatPlane  # the decisive one; of a block the largest
    cut_at: IntPlane  # number of the snapshot at which it was last cut, or NEVER; of a block the newest

    def at(self, *place: Any) -> "Planes":
        """The same part of all."""
        return Planes(*(plane[place] for plane in self))


Source = Callable[[Any, Any], Planes]  # rows and columns, each a slice or an array of numbers, to their cells


@dataclass(frozen=True)
class Part:
    """Which cells of a layer's matrix are asked for, in an order of one's own."""

    layer: str
    rows: slice  # places in the order, from 0; multiples of the block
    columns: slice
    block: int = 1  # rows and columns that become one cell; a power of two
    row_order: Order | None = None  # the matrix's row at every place; None: as it is
    column_order: Order | None = None

    def true_rows(self) -> "slice | Order":
        """The matrix's rows that are asked for."""
        return self.rows if self.row_order is None else self.row_order[self.rows]

    def true_columns(self) -> "slice | Order":
        """The matrix's columns that are asked for."""
        return self.columns if self.column_order is None else self.column_order[self.columns]


@dataclass(frozen=True, slots=True)
class Cells:
    """The answer: true cells at one step, (rows, columns) of the part; read-only."""

    part: Part
    step: int
    source: str  # "live", "checkpoint", or "file" of a model
    weight: FloatPlane  # see Planes
    density: FloatPlane  # share kept: 0 or 1 of a cell, in between of a block
    quantity: FloatPlane
    cut_at: IntPlane | None  # None: the run file does not say (format 1)
    mask_step: int  # of density and cut_at: a snapshot's, not before `step`, where the run file has its masks

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Whether the weight, or any of the block, is kept."""
        return self.density > 0

    def count(self) -> tuple[int, int]:
        """How many weights are kept, and of how many."""
        filled = _filled(self.part, self.density.shape)
        return round(float((self.density * filled).sum())), int(filled.sum())


def answer(part: Part, step: int, source: str, planes: Planes, *, ages: bool = True) -> Cells:
    """What `planes`, which are the part's, tell; copied, so that nothing seen can change later."""
    weight, kept, quantity, cut_at = (_frozen(plane) for plane in planes)
    density = _frozen(kept / _filled(part, kept.shape))
    return Cells(part, step, source, weight, density, quantity, cut_at if ages else None, mask_step=step)


def _frozen(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    copy = np.array(plane)
    copy.flags.writeable = False
    return copy


def _filled(part: Part, shape: tuple[int, ...]) -> FloatPlane:
    """Weights in every block: fewer at the far edges."""
    sides = (
        np.minimum(part.block, asked.stop - asked.start - part.block * np.arange(count, dtype=np.float32))
        for asked, count in zip((part.rows, part.columns), shape, strict=True)
    )
    return np.outer(*sides)


def read_planes(source: Source, part: Part, shape: tuple[int, int]) -> Planes:
    """The part's cells from the source, which has a matrix of this shape; without a second copy of all of it."""
    return Pyramids().planes(source, part, shape, part.layer)


def _read_part(source: Source, part: Part) -> Planes:
    planes = source(part.true_rows(), part.true_columns())
    return planes if part.block == 1 else shrink(shrink(_masked(planes), part.block, 1), part.block, 0)


def _masked(planes: Planes) -> Planes:
    return planes._replace(weight=np.where(planes.kept > 0, planes.weight, np.float32(0)))


def shrink(planes: Planes, block: int, axis: int) -> Planes:
    """So many neighbours along an axis become one; weights are masked already."""
    rest = -planes.weight.shape[axis] % block
    if rest:
        widths = [(0, rest if at == axis else 0) for at in range(2)]
        nothing = (0, 0, -math.inf, NEVER)
        pairs = zip(planes, nothing, strict=True)
        planes = Planes(*(np.pad(plane, widths, constant_values=value) for plane, value in pairs))
    strided = ((slice(None), slice(first, None, block)) for first in range(block))
    return reduce(_merge, (planes.at(*(place if axis else place[::-1])) for place in strided))


def _merge(one: Planes, other: Planes) -> Planes:
    larger = np.abs(one.weight) >= np.abs(other.weight)
    return Planes(
        np.where(larger, one.weight, other.weight),
        one.kept + other.kept,
        np.maximum(one.quantity, other.quantity),
        np.maximum(one.cut_at, other.cut_at),
    )


class Pyramid:
    """An image pyramid: a matrix in blocks of 4 x 4, 8 x 8, ... cells, about a tenth of its size; built in bands."""

    def __init__(self, source: Source, shape: tuple[int, int], like: Part) -> None:
        self.orders = like.row_order, like.column_order
        self._levels = [self._finest(source, shape)]  # coarser ones are made when they are asked for

    def serves(self, part: Part) -> bool:
        """Whether it has the order that the part asks for."""
        orders = zip(self.orders, (part.row_order, part.column_order), strict=True)
        return all(ours is theirs or _same(ours, theirs) for ours, theirs in orders)

    def planes(self, part: Part) -> Planes:
        """The part's cells, in blocks of at least FINEST."""
        level = int(math.log2(part.block // FINEST))
        while len(self._levels) <= level:
            self._levels.append(shrink(shrink(self._levels[-1], 2, 1), 2, 0))
        place = (slice(asked.start // part.block, -(-asked.stop // part.block)) for asked in (part.rows, part.columns))
        return self._levels[level].at(*place)

    def _finest(self, source: Source, shape: tuple[int, int]) -> Planes:
        """Each row goes to its block when its band is read: the source is read once, in its own order."""
        rows, columns = (-(-cells // FINEST) for cells in shape)
        types = (np.float32, np.float32, np.float32, np.int32)
        empty = zip(types, (0, 0, -math.inf, NEVER), strict=True)
        built = Planes(*(np.full((rows, columns), value, kind) for kind, value in empty))
        row_order, column_order = self.orders
        places = np.arange(shape[0]) if row_order is None else np.argsort(row_order)
        for first in range(0, shape[0], _BAND):
            band = source(slice(first, min(first + _BAND, shape[0])), slice(0, shape[1]))
            band = band if column_order is None else band.at(slice(None), column_order)
            narrow = shrink(_masked(band), FINEST, 1)
            for number, place in enumerate(places[first : first + _BAND] // FINEST):
                for plane, merged in zip(built, _merge(built.at(place), narrow.at(number)), strict=True):
                    plane[place] = merged
        return built


class Pyramids:
    """A cache of the pyramid made last: pictures of a large layer mostly follow one another."""

    def __init__(self) -> None:
        self._made: tuple[object, Pyramid] | None = None

    def planes(self, source: Source, part: Part, shape: tuple[int, int], key: object) -> Planes:
        """The part's cells; `key` says which matrix the source has, at which step."""
        if part.block < FINEST:
            return _read_part(source, part)
        if self._made is None or self._made[0] != key or not self._made[1].serves(part):
            self._made = None  # the old one goes before the new one comes
            self._made = key, Pyramid(source, shape, part)
        return self._made[1].planes(part)


def _same(one: Order | None, other: Order | None) -> bool:
    return one is not None and other is not None and np.array_equal(one, other)
