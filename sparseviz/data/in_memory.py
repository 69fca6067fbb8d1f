"""Data that lies in memory: normalised by channel with the mean and the deviation of its training pixels."""

import numpy as np
import torch
from numpy.typing import NDArray

from sparseviz.data.data_set import Data
from sparseviz.data.split import MemorySplit

Pixels = NDArray[np.float32]  # (N, C, H, W)
Labels = NDArray[np.int64]  # (N,)
Part = tuple[Pixels, Labels]


def normalised(  # noqa: PLR0913  # what a data set is
    name: str,
    parts: list[Part],
    classes: tuple[str, ...],
    *,
    checksum: str,
    note: str = "",
    augmented: bool = False,
) -> Data:
    """Train, validation and test, each pixels and labels, as Data; the pixels are overwritten.

    A channel that is the same everywhere is only shifted.
    """
    mean, std = zip(*(_spread(channel) for channel in np.moveaxis(parts[0][0], 1, 0)), strict=True)
    for pixels, _ in parts:
        for channel, shift, scale in zip(torch.from_numpy(pixels).unbind(1), mean, std, strict=True):
            channel.sub_(shift).div_(scale)
    train, validation, test = (
        MemorySplit(torch.from_numpy(pixels), torch.from_numpy(labels), augmented) for pixels, labels in parts
    )
    return Data(name, train, validation, test, classes, mean, std, checksum, note)


def _spread(channel: Pixels) -> tuple[float, float]:
    """By numpy: torch's sums depend on its number of threads."""
    mean = float(channel.mean(dtype=np.float64))
    return mean, float(np.square(channel - mean).mean(dtype=np.float64)) ** 0.5 or 1.0


def stratified_order(labels: Labels, seed: int = 1797) -> NDArray[np.intp]:
    """A fixed shuffle, every stretch of which holds the classes in nearly their overall shares."""
    # numpy promises the raw stream of a bit generator for ever, but not Generator.permutation.
    shuffled = np.argsort(np.random.PCG64(seed).random_raw(len(labels)), kind="stable")
    place = np.empty(len(labels))  # in (0, 1): the members of a class are spread evenly
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(place[shuffled], kind="stable")]
