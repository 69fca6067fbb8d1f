"""Examples: images with a network's answers to them, and how a drawing becomes such an image. Plain numpy."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparseviz.values.snapshot import IntArray

Float32Array = npt.NDArray[np.float32]
FAINT = 0.1  # of the strongest pixel; what is fainter is not part of a digit
MNIST_BOX = 20 / 28  # of an image's side, the longer side of a digit


@dataclass(frozen=True, slots=True)
class Answers:
    """What a network answered to images, at one step. Arrays are read-only."""

    images: Float32Array  # (N, C, H, W), pixels from 0 to 1
    labels: IntArray | None  # (N,); none where nobody knows
    probabilities: Float32Array  # (N, classes)
    classes: tuple[str, ...]
    step: int
    source: str  # "live" or "checkpoint"
    box: int  # pixels, of the longer side of a digit in these images

    def __post_init__(self) -> None:
        for array in (self.images, self.labels, self.probabilities):
            if array is not None:
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.images)

    @property
    def answer(self) -> IntArray:
        """The class of the largest probability, (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> Float32Array:
        """The probability of the answer, (N,)."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def misread(self) -> npt.NDArray[np.bool_]:
        """Where the answer is not the label, (N,); nowhere without labels."""
        return np.zeros(len(self), bool) if self.labels is None else self.answer != self.labels

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Indices, (N,): the misread first, the most confident of them on top, then the least confident."""
        misread, confidence = self.misread, self.confidence
        return np.lexsort((np.where(misread, -confidence, confidence), ~misread))


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Which network answers."""

    name: str  # of its run
    step: int
    source: str  # "live" or "checkpoint"
    kept: float  # share of the weights
    error: float  # validation error of its run in percent; NaN where it was not measured
    classes: tuple[str, ...]
    shape: tuple[int, ...]  # of one image as it reads it: channels, height, width

    @property
    def reads_drawings(self) -> bool:
        """Whether its images are square and of one channel."""
        channels, height, width = self.shape
        return channels == 1 and height == width


def planes(values: Iterable[float]) -> Float32Array:
    """One number a channel, (C, 1, 1): beside images (N, C, H, W)."""
    return np.array(tuple(values), dtype=np.float32)[:, None, None]


def longer_side(images: Float32Array) -> int:
    """Pixels of the longer side of a digit's bounding box: the median over images (N, C, H, W); MNIST has 20 of 28."""
    parts = [_cropped(image) for image in images.mean(axis=1)]
    sides = [max(part.shape) for part in parts if part is not None]
    return int(np.median(sides)) if sides else round(images.shape[-1] * MNIST_BOX)


def framed(ink: Float32Array, side: int, box: int) -> Float32Array | None:
    """A drawing (h, w) from 0 to 1 as an image (side, side) like those of a data set; None where nothing is drawn.

    As MNIST was made: the bounding box is scaled, with its proportions kept, so that its longer side has `box`
    pixels, each the mean of the ink that falls on it; its centre of mass is put in the middle of the image, as far
    as the frame allows. The strongest pixel becomes 1.
    """
    part = _cropped(ink)
    if part is None:
        return None
    height, width = (max(1, round(size * box / max(part.shape))) for size in part.shape)
    small = shrunk(part, height, width)
    image = np.zeros((side, side), np.float32)
    top, left = (_place(small.sum(axis=1 - axis), side) for axis in (0, 1))
    image[top : top + height, left : left + width] = small / small.max()
    return image


def shrunk(ink: Float32Array, height: int, width: int) -> Float32Array:
    """Means over areas: every pixel counts in each new one with the share that lies in it."""
    down, across = _shares(ink.shape[0], height), _shares(ink.shape[1], width)
    return np.asarray(down @ ink @ across.T, dtype=np.float32)


def _cropped(ink: Float32Array) -> Float32Array | None:
    """The bounding box of what is not faint; None where there is nothing."""
    strongest = float(ink.max(initial=0))
    if strongest < FAINT:
        return None
    seen = ink > FAINT * strongest
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _shares(old: int, new: int) -> Float32Array:
    """(new, old), rows add up to 1: how much of each old pixel goes into each new one."""
    edges, pixel = np.linspace(0, old, new + 1), np.arange(old)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.clip(overlap, 0, None) * new / old, dtype=np.float32)


def _place(mass: Float32Array, side: int) -> int:
    """Where a part with this profile begins so that its centre of mass lies in the middle of `side` pixels."""
    centre = float((np.arange(len(mass)) + 0.5) @ mass / mass.sum())
    return int(np.clip(round(side / 2 - centre), 0, side - len(mass)))
