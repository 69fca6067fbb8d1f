"""Partial reads of one layer's true cells from a checkpoint: only the chunks that are asked for are read."""

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from sparseviz.values.cells import NEVER, Order, Planes


class StoredPlanes:
    """A `Source` of a layer's cells; valid while its file is open."""

    def __init__(self, group: h5py.Group, layer: str) -> None:
        names = (f"parameters/{layer}.weight", f"masks/{layer}", f"quantities/{layer}")
        self._weight, self._kept, self._quantity = (group[name] for name in names)
        self._cut_at = group["cut_at"][layer] if "cut_at" in group else None

    @property
    def ages(self) -> bool:
        """Whether the file says when weights were cut (from format 2 on)."""
        return self._cut_at is not None

    def __call__(self, rows: slice | Order, columns: slice | Order) -> Planes:
        """Rows and columns of the layer's matrix, by a slice or by their numbers."""
        weight, kept, quantity = (
            _read(dataset, rows, columns) for dataset in (self._weight, self._kept, self._quantity)
        )
        never = np.full(weight.shape, NEVER, np.int32)
        cut_at = never if self._cut_at is None else _read(self._cut_at, rows, columns)
        return Planes(weight, kept.astype(np.float32), quantity, cut_at)


def _read(dataset: h5py.Dataset, rows: slice | Order, columns: slice | Order) -> npt.NDArray[Any]:
    if isinstance(rows, slice):
        return _read_rows(dataset, rows, columns)
    width = len(range(_columns(dataset))[columns]) if isinstance(columns, slice) else len(columns)
    found = np.empty((len(rows), width), dataset.dtype)
    for band, wanted in _bands(dataset, rows):
        read = _read_rows(dataset, band, slice(0, _columns(dataset)))
        found[wanted] = read[rows[wanted] - band.start][:, columns]
    return found


def _read_rows(dataset: h5py.Dataset, rows: slice, columns: slice | Order) -> npt.NDArray[Any]:
    if len(dataset.shape) == 2 and isinstance(columns, slice):
        return np.asarray(dataset[rows, columns])
    read = dataset[rows]
    return np.asarray(read.reshape(len(read), -1)[:, columns])


def _bands(dataset: h5py.Dataset, rows: Order) -> Iterator[tuple[slice, npt.NDArray[np.int64]]]:
    """Every row of chunks that holds a wanted row, and the places of those it holds: each chunk is read once."""
    height = dataset.chunks[0]
    bands = rows // height
    for band in np.unique(bands):
        yield slice(int(band) * height, min((int(band) + 1) * height, dataset.shape[0])), np.flatnonzero(bands == band)


def _columns(dataset: h5py.Dataset) -> int:
    return int(np.prod(dataset.shape[1:]))
