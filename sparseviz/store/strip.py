"""A thumbnail's histograms: those of a whole run at a few times; the rest of the file is not read."""

from dataclasses import dataclass

import numpy as np

from sparseviz.store.reader import RunReader
from sparseviz.values.snapshot import IntArray, Quantity


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """How the decisive quantity of a network was spread over time, its layers taken together."""

    histograms: IntArray  # (times, HISTOGRAM_BINS), at times that lie evenly
    quantity: Quantity
    epochs: tuple[float, float]  # the first and the last


class StripReader(RunReader):
    """Reads a strip: at most one row of the histograms a time. Raises RunFileError, as RunReader does."""

    def strip(self, times: int) -> Strip | None:
        """The histograms at so many times from the first snapshot to the last; None without a snapshot.

        Layers that another quantity decides on than on the largest are left out.
        """
        count, largest = len(self), max(self.info.layers, key=lambda layer: layer.weights)
        if not count:
            return None
        alike = [number for number, layer in enumerate(self.info.layers) if layer.quantity == largest.quantity]
        with self._reading():
            epochs = self._now("snapshots/scalars")[:count]["epoch"]
            at = np.linspace(epochs[0], epochs[-1], times)
            rows, places = np.unique(np.searchsorted((epochs[:-1] + epochs[1:]) / 2, at), return_inverse=True)
            table = self._now("snapshots/histogram")
            found = np.array([table[row][alike].sum(axis=0, dtype=np.int64) for row in rows])
        return Strip(found[places], largest.quantity, (float(epochs[0]), float(epochs[-1])))
