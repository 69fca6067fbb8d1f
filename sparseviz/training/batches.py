"""Batches of a training split: which images each step reads."""

import itertools
import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from sparseviz.data import Batch, Draws, Order, Shard, Split


class Batches:
    """Every epoch goes through the whole split in an order of its own, which the seed decides; a shard takes its share.

    `at` follows the split from step to step: asked in their order, steps cost no more than an index or, of a stream,
    what its workers have not prepared yet.
    """

    def __init__(self, split: Split, size: int, seed: int, shard: Shard = Shard()) -> None:  # noqa: B008  # frozen
        self.per_epoch = math.ceil(len(split) / size)
        self._split, self._size, self._seed, self._shard = split, size, seed, shard
        self._epochs: dict[int, tuple[Tensor, ...]] = {}  # indices by batch, of the epochs drawn last
        self._drawn = 0
        self._generator = torch.Generator()  # its own: the default one draws masks
        self._feed: Iterator[Batch] = iter(())
        self._next = -1

    def at(self, step: int) -> Batch:
        """Images (B, C, H, W) and labels (B,) of this step; of a shard B may be 0."""
        if step != self._next:
            self._feed = self._split.follow(partial(self._orders, step))
        self._next = step + 1
        return next(self._feed)

    def number(self, step: int) -> int:
        """How many images the whole batch of this step has, of which a shard gets its share."""
        return min(self._size, len(self._split) - step % self.per_epoch * self._size)

    def sample(self, number: int) -> Iterator[Batch]:
        """So many of the split's images and labels at the most, evenly spread over it, in batches; always the same."""
        return self._split.take(self._split.spread(number), self._size)

    def _orders(self, first: int, done: int) -> Iterator[Order]:
        """From a step on, without end."""
        for step in itertools.count(first + done):
            epoch, place = divmod(step, self.per_epoch)
            whole = self._indices(epoch)[place]
            places = range(self._shard.rank, len(whole), self._shard.of)
            yield Order(self._shard.part(whole), Draws(self._seed, step, places))

    def _indices(self, epoch: int) -> tuple[Tensor, ...]:
        """Of each batch; one generator draws all epochs one after the other."""
        if epoch not in self._epochs and epoch < self._drawn:
            self._drawn, self._epochs = 0, {}
        while epoch not in self._epochs:
            if self._drawn == 0:
                self._generator.manual_seed(self._seed)
            order = torch.randperm(len(self._split), generator=self._generator)
            if epoch - self._drawn < 2:
                self._epochs.pop(self._drawn - 2, None)
                self._epochs[self._drawn] = torch.split(order.to(self._split.labels.device), self._size)
            self._drawn += 1
        return self._epochs[epoch]
