"""A counter-based random generator: seed, step and place in the batch alone decide, no worker, resume or shard."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Words = NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Draws:
    """What of chance belongs to the images of one batch."""

    seed: int
    step: int
    places: range  # of the images in the global batch of that step

    def uniforms(self, number: int) -> NDArray[np.float64]:
        """So many numbers in [0, 1) for each image, (B, number)."""
        key = _mixed(_mixed(_word(self.seed)) ^ _word(self.step))
        each = _mixed(key + np.arange(self.places.start, self.places.stop, self.places.step, dtype=np.uint64) * _GOLDEN)
        words = _mixed(each[:, None] + np.arange(1, number + 1, dtype=np.uint64) * _GOLDEN)
        return np.asarray((words >> np.uint64(11)) * 2.0**-53)


def _word(number: int) -> _Words:
    return np.array([number], dtype=np.uint64)  # of arrays, numpy lets words wrap around without a warning


def _mixed(words: _Words) -> _Words:
    """The last part of splitmix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
