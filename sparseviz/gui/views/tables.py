"""The values that views show, as rows of a file."""

import numpy as np

from sparseviz.gui.views.base import Table
from sparseviz.snapshot import HISTOGRAM_BINS, Cells, Snapshot


def histogram_rows(snapshot: Snapshot) -> Table:
    """Every layer's histogram: layer, decisive quantity, ends of the bin, weights in it."""
    rows = []
    for layer in snapshot.layers:
        quantity = layer.info.quantity
        edges = np.linspace(quantity.low, quantity.high, HISTOGRAM_BINS + 1).tolist()
        bins = zip(edges[:-1], edges[1:], layer.histogram.tolist(), strict=True)
        rows += [[layer.info.name, quantity.name, *each] for each in bins]
    return rows


def cell_rows(cells: Cells) -> Table:
    """Every cell: row and column of the layer's matrix, weight, decisive quantity, 1 where it is kept."""
    planes = (plane.ravel().tolist() for plane in (cells.weight, cells.quantity, cells.kept.astype(int)))
    places = np.ndindex(cells.kept.shape)
    return [
        [cells.row + row, cells.column + column, *values]
        for (row, column), *values in zip(places, *planes, strict=True)
    ]
