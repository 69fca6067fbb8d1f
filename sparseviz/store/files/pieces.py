"""Chunked reading of large arrays: it holds up nobody else, as h5py has one lock for the whole process."""

import math
from time import monotonic, sleep
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

BYTES, CHUNKS = 1 << 20, 128  # of one piece, at most: a few milliseconds
HELD_S, PAUSE_S = 4e-3, 1e-3  # after so long, at the end of a piece, others get the lock


def read(dataset: h5py.Dataset, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
    """The rows from `start` to `stop`, by whole chunks, with the lock free between one piece and the next."""
    if dataset.chunks is None:
        return np.asarray(dataset[()])
    end = len(dataset) if stop is None else min(stop, len(dataset))
    found = np.empty((max(end - start, 0), *dataset.shape[1:]), dataset.dtype)
    height, began = _height(dataset), monotonic()
    while start < end:
        after = min(end, (start // height + 1) * height)
        place = len(found) - (end - start)
        found[place : place + after - start] = dataset[start:after]
        if after < end and monotonic() - began > HELD_S:
            sleep(PAUSE_S)  # the lock goes to who waits for it, if that one has time to take it
            began = monotonic()
        start = after
    return found


def _height(dataset: h5py.Dataset) -> int:
    """The rows of a piece: of at least one chunk."""
    of_chunk, width = dataset.chunks[0], math.prod(dataset.shape[1:]) * dataset.dtype.itemsize
    beside = math.prod(-(-side // part) for side, part in zip(dataset.shape[1:], dataset.chunks[1:], strict=True))
    bands = min(BYTES // max(of_chunk * width, 1), CHUNKS // max(beside, 1))
    return int(of_chunk * max(bands, 1))


def slots(dataset: h5py.Dataset, asked: list[int]) -> dict[int, npt.NDArray[Any]]:
    """By slot, in rising order; in one piece where no other lies between, since each read costs as much as many."""
    if asked and asked[-1] - asked[0] + 1 == len(asked):
        return dict(zip(asked, dataset[asked[0] : asked[-1] + 1], strict=True))
    return {slot: dataset[slot] for slot in asked}


def frozen(table: npt.NDArray[Any], kind: type[np.generic]) -> npt.NDArray[Any]:
    """Read-only, so that snapshots can hold its rows as they are."""
    table = table.astype(kind, copy=False)
    table.flags.writeable = False
    return table
