"""All snapshots of a run in a row: all that a view knows, be it live, stored, or written by another process."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Lock

import numpy as np

from sparseviz.values.snapshot import HISTOGRAM_BINS, Event, FloatArray, IntArray, LayerSnapshot, Snapshot
from sparseviz.values.thinning import Slots


class History:
    """All snapshots of a run, append-only. One thread appends, any may read.

    As in the run file, so many previews stay, the newest and an even spread over time; all else does.
    """

    def __init__(self, parameters: int, previews: int = 1_000_000) -> None:
        self.parameters = parameters  # of the network, gates left out
        self._snapshots: list[Snapshot] = []
        self._slots = Slots(previews)
        self._previewed: dict[int, int] = {}  # by slot, the position of the snapshot that has its preview there
        self._lock = Lock()

    def append(self, snapshot: Snapshot) -> None:
        """Add a snapshot; steps must rise."""
        with self._lock:
            if self._snapshots and snapshot.step < self._snapshots[-1].step:
                raise ValueError(f"step {snapshot.step} after step {self._snapshots[-1].step}")
            bare = snapshot if snapshot.masks is None else replace(snapshot, masks=None)
            self._snapshots.append(bare)  # the run file has the masks; here they would add up
            if any(layer.preview is not None for layer in snapshot.layers):
                self._keep_preview(len(self._snapshots) - 1)

    def _keep_preview(self, position: int) -> None:
        slot, _ = self._slots.take()
        if (old := self._previewed.get(slot)) is not None:
            bare = tuple(replace(layer, preview=None) for layer in self._snapshots[old].layers)
            self._snapshots[old] = replace(self._snapshots[old], layers=bare)
        self._previewed[slot] = position

    def __len__(self) -> int:
        return len(self._snapshots)

    def __getitem__(self, position: int) -> Snapshot:
        return self._snapshots[position]

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self.until(len(self) - 1))

    def until(self, position: int) -> tuple[Snapshot, ...]:
        """The snapshots from the first to the one at `position`."""
        with self._lock:
            return tuple(self._snapshots[: position + 1])

    def epochs(self) -> FloatArray:
        """The epoch of every snapshot, (T,)."""
        return np.array([snapshot.epoch for snapshot in self])

    def scalar(self, name: str) -> FloatArray:
        """One of SCALARS over time, (T,); NaN where it was not measured."""
        return np.array([snapshot.scalars[name] for snapshot in self], dtype=np.float64)

    def histograms(self, layer: int) -> IntArray:
        """The histograms of a layer over time, (T, HISTOGRAM_BINS)."""
        return np.array([snapshot.layers[layer].histogram for snapshot in self]).reshape(-1, HISTOGRAM_BINS)

    def events(self) -> tuple[Event, ...]:
        """All that was done to the run while it trained."""
        return tuple(event for snapshot in self for event in snapshot.events)

    def newest_preview(self, layer: int, position: int) -> LayerSnapshot | None:
        """The layer at the newest snapshot not after `position` that has a preview of it."""
        for snapshot in reversed(self.until(position)):
            if snapshot.layers[layer].preview is not None:
                return snapshot.layers[layer]
        return None
