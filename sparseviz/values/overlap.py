"""Overlap of two runs' masks, weight by weight. Plain numpy."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FIRST, SECOND, BOTH = (
    1,
    2,
    4,
)  # what a square holds, as bits: weights that the one run kept, the other, or both; 0: none
MOST_SQUARES = 4_000_000  # above, neighbouring weights become one square
_BAND = 256  # rows compared at once

Mask = npt.NDArray[np.bool_]
Kinds = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of a layer's weights each of two runs keeps."""

    weights: int
    first: int  # kept by the first alone
    second: int
    both: int

    @property
    def neither(self) -> int:
        """The number of weights that both runs cut."""
        return self.weights - self.first - self.second - self.both

    @property
    def kept(self) -> tuple[int, int]:
        """The number of weights that each run keeps."""
        return self.first + self.both, self.second + self.both

    @property
    def chance(self) -> float:
        """How many both would keep if each had drawn as many by lot."""
        one, other = self.kept
        return one * other / self.weights if self.weights else math.nan

    @property
    def jaccard(self) -> float:
        """Kept by both over kept by any; NaN where none is kept."""
        return self._share(self.both)

    @property
    def jaccard_by_chance(self) -> float:
        """The same for as many drawn by lot, from their mean."""
        return self._share(self.chance)

    def _share(self, both: float) -> float:
        union = sum(self.kept) - both
        return both / union if union else math.nan


def compare(first: Mask, second: Mask) -> tuple[Overlap, Kinds, int]:
    """Two masks of one matrix, (rows, columns): counts, the kinds of its squares, and a square's side in weights.

    A square holds all the kinds of its weights, so that none vanishes. Raises ValueError where shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"masks of {first.shape} and {second.shape} cannot be laid over each other")
    block = _block(first.shape)
    shape = (-(-side // block) for side in first.shape)
    kinds, counts = np.zeros(tuple(shape), np.uint8), np.zeros(3, np.int64)
    band = max(_BAND // block, 1) * block
    for row in range(0, first.shape[0], band):
        part = kinds_of(first[row : row + band], second[row : row + band])
        counts += [np.count_nonzero(part == kind) for kind in (FIRST, SECOND, BOTH)]
        rows, columns = (-(-side // block) for side in part.shape)
        pooled = merge(part, rows, columns, block)
        kinds[row // block : row // block + len(pooled)] = pooled
    return Overlap(first.size, *counts.tolist()), kinds, block


def kinds_of(first: Mask, second: Mask) -> Kinds:
    """The kind of each weight: kept by both, by one, or by neither."""
    one, other = first.astype(np.uint8), second.astype(np.uint8)
    both = one & other
    kinds: Kinds = (one ^ both) * np.uint8(FIRST) + (other ^ both) * np.uint8(SECOND) + both * np.uint8(BOTH)
    return kinds


def merge(kinds: Kinds, rows: int, columns: int, block: int | None = None) -> Kinds:
    """So many squares instead, each with all that its own held: uneven parts, or blocks of this side."""
    for axis, count in enumerate((rows, columns)):
        cells = kinds.shape[axis]
        bounds = np.arange(count + 1) * cells // count if block is None else np.arange(count + 1) * block
        first, last = bounds[:-1], np.minimum(bounds[1:], cells) - 1
        merged = kinds.take(first, axis)
        for further in range(1, int((last - first).max(initial=0)) + 1):
            merged |= kinds.take(np.minimum(first + further, last), axis)
        kinds = merged
    return kinds


def _block(shape: tuple[int, ...]) -> int:
    block = 1
    while math.prod(-(-side // block) for side in shape) > MOST_SQUARES:
        block *= 2
    return block
