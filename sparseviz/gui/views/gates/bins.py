"""The bins of a layer's histogram as bars, and as rows of a table."""

import math
from dataclasses import dataclass

import numpy as np

from sparseviz.gui.views.gates import counts
from sparseviz.values.snapshot import FloatArray, LayerSnapshot


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A histogram as it is drawn; a bin is either among the cut or among the kept, its other height is 0."""

    edges: FloatArray  # (HISTOGRAM_BINS + 1,)
    cut: FloatArray  # heights, (HISTOGRAM_BINS,)
    kept: FloatArray
    most: int  # the count at which the axis ends
    top: float  # its height

    @classmethod
    def of(cls, now: LayerSnapshot, *, log: bool) -> "Bars":
        """A layer's, on a log or a linear axis of counts."""
        edges = now.info.quantity.bin_edges
        heights = counts.heights(now.histogram, log=log)
        cut = (edges[:-1] + edges[1:]) / 2 < now.threshold  # nothing is, where the threshold is NaN
        most = now.info.weights if log else counts.round_top(int(now.histogram.max()))
        top = float(counts.heights(np.array(most), log=log))
        return cls(edges, np.where(cut, heights, 0), np.where(cut, 0, heights), most, top)


def fate(low: float, high: float, threshold: float) -> str:
    """What becomes of the weights of a bin: "kept", "cut", or "both" where the threshold lies inside."""
    if math.isnan(threshold) or low >= threshold:
        return "kept"
    return "cut" if high <= threshold else "both"


def bin_rows(now: LayerSnapshot) -> list[list[str | int | float]]:
    """For every bin the layer, its quantity, the bin's edges, the weights in it, and what becomes of them."""
    quantity = now.info.quantity
    edges = quantity.bin_edges.tolist()
    return [
        [now.info.name, quantity.name, low, high, int(count), fate(low, high, now.threshold)]
        for low, high, count in zip(edges[:-1], edges[1:], now.histogram, strict=True)
    ]
