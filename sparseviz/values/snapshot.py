"""One moment of training as frozen numpy.

This is all that a view knows: it cannot tell whether a run is live, stored, or written by another process.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from sparseviz.values.states import Phase

HISTOGRAM_BINS = 64  # a power of two: the bin edges are exact, and no gate at the threshold changes sides
PREVIEW_SIDE = 128  # the longest side of a preview, in pixels
UNDECIDED = (0.05, 0.95)  # a gate between these is undecided

SCALARS = (
    "loss",  # cross-entropy, mean over the batches since the last snapshot
    "train_error",  # percent, over the same batches, weights as they were
    "validation_loss",  # on the validation split; NaN where it was not read
    "validation_error",  # percent
    "penalty_bimodal",  # lambda1 * scale * sum g (1 - g)
    "penalty_count",  # lambda2 * scale * sum g
    "lambda1",  # in force at this step, schedule included
    "lambda2",
    "rate",
    "gate_rate",
    "weights_kept",  # mask entries that are 1
    "parameters_kept",  # weights kept + biases, less those of dead units
)

IntArray = npt.NDArray[np.int64]
CountArray = npt.NDArray[np.int32]  # a history of a large network holds many
ByteArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Quantity:
    """The number by which a method decides on a weight."""

    name: str  # "gate" for gated training, "|w| / std" for magnitude pruning
    low: float  # the histogram's range; what lies outside falls into its first or last bin
    high: float
    is_gate: bool  # whether it ends at 0 or 1, so that "undecided" has a meaning

    @property
    def bin_edges(self) -> FloatArray:
        """The edges of its histogram's bins, (HISTOGRAM_BINS + 1,)."""
        return np.linspace(self.low, self.high, HISTOGRAM_BINS + 1)


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What of a layer never changes during a run."""

    name: str
    shape: tuple[int, ...]  # (out, in, *kernel) of a convolution, (out, in) of a linear layer
    biases: int
    multiply_adds: int  # for one input, all weights kept; 0 where that is not known
    quantity: Quantity
    preview_shape: tuple[int, int]  # pixels, at most PREVIEW_SIDE each

    @property
    def weights(self) -> int:
        """Weights of the layer, cut ones included."""
        return math.prod(self.shape)

    @property
    def rows(self) -> int:
        """Rows of the weight matrix: output units or filters."""
        return self.shape[0]

    @property
    def columns(self) -> int:
        """Columns of the weight matrix: inputs, times the kernel's places."""
        return math.prod(self.shape[1:])


@dataclass(frozen=True, slots=True)
class LayerSnapshot:
    """One layer at one step. Arrays are read-only copies."""

    info: LayerInfo
    kept: int  # mask entries that are 1
    undecided_kept: float  # share of the kept whose gate is in UNDECIDED; NaN without gates
    undecided_cut: float
    gate_mean: float  # mean g: 1 less the expected sparsity under bernoulli draws; NaN without gates
    gate_variance: float  # mean g (1 - g): the mask's variance under such draws
    flips: int  # mask entries that changed since the last snapshot
    dead_units: int  # output units that can be folded away or removed without changing any output
    biases_kept: int  # biases of units that are not dead
    threshold: float  # of the decisive quantity: kept where it is at or above; NaN where nothing is cut
    preview_scale: float  # the |w| that a preview's extremes 1 and 255 stand for
    histogram: IntArray  # (HISTOGRAM_BINS,) of the decisive quantity
    row_kept: CountArray  # (rows,)
    column_kept: CountArray  # (columns,)
    preview: ByteArray | None  # (2, *preview_shape): signed extreme (128 is none kept), density (0 is none kept)

    def __post_init__(self) -> None:
        _freeze(self, "histogram", "row_kept", "column_kept", "preview")


@dataclass(frozen=True, slots=True)
class Event:
    """Something done to a run while it trained."""

    step: int
    name: str  # a setting's dotted name, or "stop", "freeze" or "branch"
    before: float  # NaN where there is none
    after: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a run, as `Trainer.run()` yields it."""

    step: int  # optimiser updates done
    epoch: float  # passes over the training data done
    time: float  # seconds of training, pauses left out
    phase: Phase
    scalars: Mapping[str, float]  # the names of SCALARS
    layers: tuple[LayerSnapshot, ...]
    events: tuple[Event, ...] = ()  # since the last snapshot
    masks: ByteArray | None = None  # of all layers, see `masks.pack`; None in a history and for large networks

    def __post_init__(self) -> None:
        _freeze(self, "masks")
        object.__setattr__(self, "scalars", MappingProxyType(dict(self.scalars)))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What export, true cells or a resume can be rebuilt from."""

    step: int
    parameters: Mapping[str, npt.NDArray[Any]]  # the plain model's state_dict, weights not masked
    masks: Mapping[str, npt.NDArray[np.bool_]]  # by layer, in the weight's shape
    quantities: Mapping[str, npt.NDArray[np.float32]]  # the decisive one, by layer, in the weight's shape
    cut_at: Mapping[str, npt.NDArray[np.int32]] | None = None  # snapshot at which each was last cut, or cells.NEVER
    state: Arrays | None = None  # by path, what the next step needs besides; None where training does not go on


def numbers_of(state: Arrays) -> dict[str, float]:
    """The plain numbers of a checkpoint's state: the settings in force, and where the run stands."""
    record = state["numbers"]
    return {name: float(record[name][0]) for name in record.dtype.names or ()}


@dataclass(frozen=True, slots=True)
class Errors:
    """Error in percent on the three splits; NaN where it was not read."""

    train: float = math.nan
    validation: float = math.nan
    test: float = math.nan


@dataclass(frozen=True, slots=True)
class Totals:
    """The size of a network before and after, in both ways of counting."""

    parameters: int
    parameters_kept: int
    weights: int
    weights_kept: int

    @property
    def compression(self) -> float:
        """All parameters over those kept; the bias of a dead unit is not kept."""
        return self.parameters / self.parameters_kept if self.parameters_kept else math.inf

    @property
    def compression_weights(self) -> float:
        """Weights over weights kept, as published rows count."""
        return self.weights / self.weights_kept if self.weights_kept else math.inf


def totals(snapshot: Snapshot, parameters: int) -> Totals:
    """Both counts of the network at this snapshot; `parameters` are all it has, gates left out."""
    weights = sum(layer.info.weights for layer in snapshot.layers)
    return Totals(
        parameters=parameters,
        parameters_kept=int(snapshot.scalars["parameters_kept"]),
        weights=weights,
        weights_kept=int(snapshot.scalars["weights_kept"]),
    )


def planned_epochs(events: Iterable[Event], at_first: int) -> int:
    """Epochs of the whole run: as it was planned at first, or as it was last made longer."""
    return next((int(event.after) for event in reversed(tuple(events)) if event.name == "epochs"), at_first)


def _freeze(value: Any, *names: str) -> None:
    """Make these arrays of a frozen dataclass read-only copies, so that nothing seen can change later."""
    for name in names:
        array = getattr(value, name)
        if array is not None and array.flags.writeable:
            copy = np.array(array)
            copy.flags.writeable = False
            object.__setattr__(value, name, copy)
