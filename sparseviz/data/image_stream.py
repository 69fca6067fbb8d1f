"""Prefetching: images are read ahead of need by processes of their own, or when needed by the one that trains."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from sparseviz.data.data_set import DataError
from sparseviz.data.decoding import UNIFORMS, Recipe, UnreadableError
from sparseviz.data.draws import Draws
from sparseviz.data.split import Batch, Plan, Split

TOLD_IMAGES = 10_000  # on which the training error is told at the end
PREFETCH = 2  # batches that a process has ready

Request = tuple[list[int], Draws | None]  # numbers of images


class ImageFiles(Dataset[Tensor | str]):
    """What a worker process knows: the files, and how they are read. An item is a whole batch."""

    def __init__(self, root: Path, names: Sequence[str], recipe: Recipe) -> None:
        self._root, self._names, self._recipe = root, names, recipe

    def __getitem__(self, request: Request) -> Tensor | str:
        """Pixels (B, size, size, channels), uint8; or why a file could not be read, which torch would wrap in pages."""
        numbers, draws = request
        side = self._recipe.size
        pixels = np.empty((len(numbers), side, side, self._recipe.channels), np.uint8)
        uniforms = draws.uniforms(UNIFORMS) if draws else None
        for place, number in enumerate(numbers):
            path = self._root / self._names[number]
            try:
                pixels[place] = (
                    self._recipe.evaluated(path) if uniforms is None else self._recipe.trained(path, uniforms[place])
                )
            except UnreadableError as error:
                return f"{path} could be read when the folder was looked through, and cannot be now: {error}"
        return torch.from_numpy(pixels)


class _Requests:
    """What is to be read next; a DataLoader asks for it again whenever it begins anew."""

    def __init__(self) -> None:
        self.queue: Iterator[Request] = iter(())

    def __iter__(self) -> Iterator[Request]:
        return self.queue


class ImageStream:
    """Reads batches of one data set, one plan at a time, ahead of who takes them where there are workers."""

    def __init__(self, files: ImageFiles, workers: int) -> None:
        self._files, self._workers = files, workers
        self._requests = _Requests()
        self._loader: DataLoader[Any] | None = None
        self._feed: Any = None
        self._turn: object = None  # of the plan that is followed now

    def follow(self, plan: Callable[[int], Iterator[Request]], *, pinned: bool) -> Iterator[Tensor]:
        """Pixels for each request; another plan in between takes the workers, and then this one goes on."""
        done = 0
        while True:
            turn = self._turn = object()
            self._requests.queue = plan(done)
            if self._loader is None:
                self._loader = self._new_loader(pinned=pinned)
            self._feed = iter(self._loader)
            while self._turn is turn:
                pixels = self._next()
                if pixels is None:
                    return
                done += 1
                yield pixels

    def _next(self) -> Tensor | None:
        try:
            found = next(self._feed, None)
        except RuntimeError as error:  # torch's word for a worker that died
            raise DataError(
                f"a process that reads images ended ({error}); lower data.workers (now {self._workers})"
            ) from None
        if isinstance(found, str):
            raise DataError(f"{found}; remove it or put it back in order, then resume the run")
        return found

    def _new_loader(self, *, pinned: bool) -> DataLoader[Any]:
        # spawn: a fork beside Qt's and torch's threads may hang. An own generator: the default one draws masks.
        has_workers = self._workers > 0
        return DataLoader(
            self._files,
            batch_size=None,
            sampler=self._requests,
            num_workers=self._workers,
            multiprocessing_context="spawn" if has_workers else None,
            persistent_workers=has_workers,
            prefetch_factor=PREFETCH if has_workers else None,
            pin_memory=pinned,
            generator=torch.Generator(),
            worker_init_fn=_leave_interrupts,
        )

    def close(self) -> None:
        """End the workers now; who follows a plan later starts them again."""
        self._turn = None
        if self._workers and self._feed is not None:
            self._feed._shutdown_workers()  # noqa: SLF001  # torch has no public word for it but garbage collection
        self._feed = self._loader = None


def _leave_interrupts(_worker: int) -> None:
    """Ctrl+C goes to every process of a terminal; the one that trains decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True, slots=True)
class StreamedSplit(Split):
    """Some of a stream's images, normalised on the device."""

    stream: ImageStream
    numbers: NDArray[np.int64]  # (N,) of the stream's files
    labels: Tensor  # (N,) int64, on the CPU
    recipe: Recipe
    mean: Tensor  # (C, 1, 1)
    std: Tensor
    augmented: bool = False
    is_streamed: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width) of every image."""
        return self.recipe.channels, self.recipe.size, self.recipe.size

    def to(self, device: torch.device | str) -> "StreamedSplit":
        """The same with its batches on `device`."""
        return replace(self, mean=self.mean.to(device), std=self.std.to(device))

    def follow(self, plan: Plan) -> Iterator[Batch]:
        """Yield the batch of each order, in turn."""
        taken: list[Tensor] = []  # labels of what is being read, in order

        def requests(done: int) -> Iterator[Request]:
            taken.clear()
            for order in plan(done):
                taken.append(self.labels[order.index])
                yield self.numbers[order.index.numpy()].tolist(), order.draws if self.augmented else None

        pinned = self.mean.is_cuda  # then no copy waits for the device
        for pixels in self.stream.follow(requests, pinned=pinned):
            labels = taken.pop(0).pin_memory() if pinned else taken.pop(0)
            yield self._normalised(pixels), labels.to(self.mean.device, non_blocking=True)

    def _normalised(self, pixels: Tensor) -> Tensor:
        """From (B, H, W, C) bytes to (B, C, H, W)."""
        there = pixels.to(self.mean.device, non_blocking=True)
        return there.permute(0, 3, 1, 2).float().div_(255).sub_(self.mean).div_(self.std)

    def told(self) -> "StreamedSplit":
        """An even spread of TOLD_IMAGES at the most."""
        index = self.spread(TOLD_IMAGES)
        return replace(self, numbers=self.numbers[index.numpy()], labels=self.labels[index])

    def close(self) -> None:
        """End the stream's workers."""
        self.stream.close()
