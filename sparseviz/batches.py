"""Batches of a split that lives on the device: an index, no loader."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from sparseviz.data import Shard, Split


class Batches:
    """Every epoch goes through the whole split in an order of its own, which the seed decides."""

    def __init__(self, split: Split, size: int, seed: int, shard: Shard = Shard()) -> None:  # noqa: B008  # frozen
        self.per_epoch = math.ceil(len(split) / size)
        self._split, self._size, self._shard = split, size, shard
        self._order = torch.Generator().manual_seed(seed)  # its own: the default one draws masks
        self._indices: tuple[Tensor, ...] = ()

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) and labels (B,) of this step; steps must be asked for in their order."""
        place = step % self.per_epoch
        if place == 0:
            self._shuffle()
        index = self._shard.part(self._indices[place])
        return self._split.images[index], self._split.labels[index]

    def number(self, step: int) -> int:
        """How many images the whole batch of this step has, of which a shard gets its share."""
        return min(self._size, len(self._split) - step % self.per_epoch * self._size)

    def sample(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """So many of the split's images and labels at the most, evenly spread over it, in batches; always the same."""
        number = min(number, len(self._split))
        index = torch.arange(number, device=self._split.labels.device) * len(self._split) // number
        for part in torch.split(index, self._size):
            yield self._split.images[part], self._split.labels[part]

    def go_to(self, step: int) -> None:
        """From the beginning to where this step is the next to be asked for."""
        for _ in range(math.ceil(step / self.per_epoch)):
            self._shuffle()

    def _shuffle(self) -> None:
        order = torch.randperm(len(self._split), generator=self._order)
        self._indices = torch.split(order.to(self._split.labels.device), self._size)
