"""What every layer is drawn from, and a layer's histograms of all snapshots as an image over time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sparseviz.gui.views.gates import counts
from sparseviz.values.history import History
from sparseviz.values.snapshot import HISTOGRAM_BINS, ByteArray, FloatArray, IntArray, LayerSnapshot, Snapshot

STRIP_COLUMNS = 512  # more than a strip has pixels, so that snapshots at uneven times stand where they belong


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of a history, and how it is shown."""

    history: History
    position: int
    epochs: FloatArray  # of every snapshot, (T,)
    times: tuple[float, float]  # the epochs that every strip shows
    log: bool  # the scale of counts

    @property
    def now(self) -> Snapshot:
        """The snapshot at the position."""
        return self.history[self.position]

    @property
    def is_past(self) -> bool:
        """Whether there are snapshots after now."""
        return self.position < len(self.epochs) - 1

    def layer(self, number: int) -> LayerSnapshot:
        """A layer as it is now."""
        return self.now.layers[number]

    def part(self) -> tuple[float, float]:
        """The part of `times` for which there are snapshots; empty where it does not rise. One alone fills it."""
        begin, end = float(self.epochs[0]), float(self.epochs[-1])
        low, high = self.times
        return max(low, begin), high if begin == end else min(high, end)

    @cached_property
    def columns(self) -> IntArray:
        """For every column of a strip over `part` the snapshot nearest in time, (STRIP_COLUMNS,)."""
        return nearest_columns(self.epochs, *self.part())

    def nearest(self, epoch: float) -> int:
        """The position of the snapshot nearest in time."""
        return int(np.abs(self.epochs - epoch).argmin())


def whole(epochs: FloatArray) -> tuple[float, float]:
    """The epochs of a history from end to end; a single snapshot is given one epoch."""
    begin, end = float(epochs[0]), float(epochs[-1])
    return begin, end if end > begin else begin + 1.0


def nearest_columns(epochs: FloatArray, low: float, high: float) -> IntArray:
    """For every column of a strip from `low` to `high` the snapshot nearest in time, (STRIP_COLUMNS,)."""
    at = np.linspace(low, high, STRIP_COLUMNS)
    return np.searchsorted((epochs[:-1] + epochs[1:]) / 2, at).astype(np.int64)


class Strip:
    """The levels of a layer's histogram at every snapshot; those it has of a history stay."""

    def __init__(self) -> None:
        self._levels: ByteArray = np.zeros((64, HISTOGRAM_BINS), dtype=np.uint8)
        self._known: tuple[History, int, bool] | None = None  # history, layer and scale of the levels
        self._length = 0

    def forget(self) -> None:
        """Let the history go."""
        self._known, self._length = None, 0

    def image(self, frame: Frame, layer: int) -> ByteArray:
        """The histograms over the frame's part of time, (HISTOGRAM_BINS, STRIP_COLUMNS)."""
        self._learn(frame, layer)
        return np.ascontiguousarray(self._levels.take(frame.columns, axis=0).T)

    def _learn(self, frame: Frame, layer: int) -> None:
        known, length = (frame.history, layer, frame.log), len(frame.epochs)
        if known != self._known or self._length > length:
            self._known, self._length = known, 0
        if length > len(self._levels):
            self._levels = np.resize(self._levels, (2 * length, HISTOGRAM_BINS))  # what is beyond `length` is not read
        if length > self._length:
            snapshots = [frame.history[position] for position in range(self._length, length)]
            histograms = np.array([snapshot.layers[layer].histogram for snapshot in snapshots])
            weights = snapshots[0].layers[layer].info.weights
            self._levels[self._length : length] = counts.levels(histograms, weights, log=frame.log)
            self._length = length
