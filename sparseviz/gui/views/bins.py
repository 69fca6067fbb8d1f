"""The bins of a layer's histogram as rows of a table."""

import math

import numpy as np

from sparseviz.snapshot import HISTOGRAM_BINS, LayerSnapshot


def fate(low: float, high: float, threshold: float) -> str:
    """What becomes of the weights of a bin: "kept", "cut", or "both" where the threshold lies inside."""
    if math.isnan(threshold) or low >= threshold:
        return "kept"
    return "cut" if high <= threshold else "both"


def bin_rows(now: LayerSnapshot) -> list[list[str | int | float]]:
    """For every bin the layer, its quantity, the bin's edges, the weights in it, and what becomes of them."""
    quantity = now.info.quantity
    edges = np.linspace(quantity.low, quantity.high, HISTOGRAM_BINS + 1).tolist()
    return [
        [now.info.name, quantity.name, low, high, int(count), fate(low, high, now.threshold)]
        for low, high, count in zip(edges[:-1], edges[1:], now.histogram, strict=True)
    ]
