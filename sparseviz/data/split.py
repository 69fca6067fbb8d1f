"""Split: one part of a data set, in memory or streamed; Shard: what one of several processes reads of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparseviz.data.draws import Draws

EVALUATION_IMAGES, EVALUATION_BYTES = 1000, 8 << 20  # of a batch; bounds the memory, changes no answer

Batch = tuple[Tensor, Tensor]  # images (B, C, H, W) float32, normalised, and labels (B,) int64


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of one of several processes: of every batch the items rank, rank + of, rank + 2 of, ..."""

    rank: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.of:
            raise ValueError(f"no shard {self.rank} of {self.of}")

    def part(self, index: Tensor) -> Tensor:
        """Its items of a batch, maybe none."""
        return index if self.of == 1 else index[self.rank :: self.of]


@dataclass(frozen=True, slots=True)
class Order:
    """Which images make a batch, and how."""

    index: Tensor  # (B,) int64, on the device of the split's labels
    draws: Draws | None = None  # of random transforms; None: as images are evaluated


Plan = Callable[[int], Iterator[Order]]  # the orders that are left after so many


class Split(ABC):
    """Images and labels of one part of a data set, in a fixed order."""

    labels: Tensor  # (N,) int64
    is_streamed: ClassVar[bool] = False  # whether its images are read when they are needed

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width) of every image."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "Split":
        """The same with its batches on `device`."""

    @abstractmethod
    def follow(self, plan: Plan) -> Iterator[Batch]:
        """One batch an order. Another `follow` of the data set may come in between; this one then goes on."""

    def close(self) -> None:
        """End what reads images, for the whole data set."""

    def __len__(self) -> int:
        return len(self.labels)

    def within(self, bytes_: int) -> int:
        """How many images fit in so many bytes: all, or fewer, but one at the least."""
        return min(len(self), max(1, bytes_ // (4 * prod(self.shape))))

    def spread(self, number: int) -> Tensor:
        """So many indices at the most, evenly spread over the split; always the same."""
        number = min(number, len(self))
        return torch.arange(number, device=self.labels.device) * len(self) // max(number, 1)

    def take(self, index: Tensor, size: int) -> Iterator[Batch]:
        """These images as they are evaluated, in batches of this size."""
        return self.follow(lambda done: (Order(part) for part in torch.split(index, size)[done:]))

    def in_order(self, shard: Shard = Shard()) -> Iterator[Batch]:  # frozen
        """The whole split, or a shard of it, in batches to evaluate."""
        index = torch.arange(len(self), device=self.labels.device)
        return self.take(shard.part(index), self._evaluation_batch())

    def _evaluation_batch(self) -> int:
        return min(EVALUATION_IMAGES, self.within(EVALUATION_BYTES))

    def told(self) -> "Split":
        """The images on which an error is told at the end of a run: all, or of a stream an even spread."""
        return self

    def collect(self, index: Tensor) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """These images (N, C, H, W) and labels (N,), in the computer's memory."""
        parts = [(images.cpu(), labels.cpu()) for images, labels in self.take(index, self._evaluation_batch())]
        if not parts:
            return np.empty((0, *self.shape), np.float32), np.empty(0, np.int64)
        images, labels = (torch.cat(tensors).contiguous().numpy() for tensors in zip(*parts, strict=True))
        return images, labels


@dataclass(frozen=True, slots=True)
class MemorySplit(Split):
    """A split that lies in memory, on one device: a batch is an index, no loader."""

    images: Tensor  # (N, C, H, W) float32, normalised
    labels: Tensor  # (N,) int64
    augmented: bool = False  # whether training shifts and mirrors its images

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width) of every image."""
        return tuple(self.images.shape[1:])

    def to(self, device: torch.device | str) -> "MemorySplit":
        """The same images and labels on `device`."""
        return MemorySplit(self.images.to(device), self.labels.to(device), self.augmented)

    def follow(self, plan: Plan) -> Iterator[Batch]:
        """Yield the batch of each order, in turn."""
        for order in plan(0):
            # a third of the time that self.images[order.index] takes
            images, labels = (values.index_select(0, order.index) for values in (self.images, self.labels))
            yield (shifted(images, order.draws) if self.augmented and order.draws else images), labels

    def in_order(self, shard: Shard = Shard()) -> Iterator[Batch]:  # frozen
        """The whole split, or a shard of it, in batches to evaluate: windows on it, not copies."""
        parts = (torch.split(shard.part(values), self._evaluation_batch()) for values in (self.images, self.labels))
        return zip(*parts, strict=True)


PADDING = 4  # pixels by which an image is shifted at most


def shifted(images: Tensor, draws: Draws) -> Tensor:
    """Images (B, C, H, W) at random places of a frame of zeros, half of them mirrored (He et al. 2016)."""
    height, width = images.shape[2:]
    down, across, mirrored = torch.from_numpy(draws.uniforms(3)).to(images.device, torch.float32).unbind(1)
    rows = (down * (2 * PADDING + 1)).long()[:, None] + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device).expand(len(images), -1)
    columns = torch.where(mirrored[:, None] < 0.5, columns, width - 1 - columns)
    columns = (across * (2 * PADDING + 1)).long()[:, None] + columns
    framed = torch.nn.functional.pad(images, (PADDING,) * 4)
    each = torch.arange(len(images), device=images.device)[:, None, None]
    return framed.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
