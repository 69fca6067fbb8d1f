"""What the curves need of a history, taken in as it grows: no snapshot is read twice."""

import numpy as np

from sparseviz.values.history import History
from sparseviz.values.snapshot import SCALARS, Event, FloatArray

_COLUMN = {name: number for number, name in enumerate(("step", "epoch", *SCALARS))}


class Tracks:
    """Scalars, events and phases of one history, up to `length` snapshots."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.length = 0
        self.events: list[Event] = []
        self.phases: list[tuple[float, str]] = []  # epoch and name of every change of phase
        self._values: FloatArray = np.empty((len(_COLUMN), 0))

    @property
    def gated(self) -> bool:
        """Whether any layer has gates."""
        return self.length == 0 or any(layer.info.quantity.is_gate for layer in self.history[0].layers)

    @property
    def epochs(self) -> FloatArray:
        """(T,)."""
        return self.scalar("epoch")

    def scalar(self, name: str) -> FloatArray:
        """One of SCALARS, or "step" or "epoch", over time, (T,); a part of what is kept, to be read only."""
        return self._values[_COLUMN[name], : self.length]

    def grow(self) -> bool:
        """Take in the snapshots that have come since; whether there were any."""
        length = len(self.history)
        if length == self.length:
            return False
        self._make_room(length)
        for at in range(self.length, length):
            self._read(at)
        self.length = length
        return True

    def newest(self, scalar: str, at: int) -> int:
        """The last position not after `at` where it was measured; -1 where it never was."""
        measured = np.flatnonzero(np.isfinite(self.scalar(scalar)[: at + 1]))
        return int(measured[-1]) if len(measured) else -1

    def _make_room(self, length: int) -> None:
        if length > self._values.shape[1]:
            grown = np.empty((len(_COLUMN), 2 * length))
            grown[:, : self.length] = self._values[:, : self.length]
            self._values = grown

    def _read(self, at: int) -> None:
        snapshot = self.history[at]
        self._values[:, at] = snapshot.step, snapshot.epoch, *(snapshot.scalars[name] for name in SCALARS)
        self.events.extend(snapshot.events)
        if at and snapshot.phase != self.history[at - 1].phase:
            self.phases.append((snapshot.epoch, snapshot.phase))
