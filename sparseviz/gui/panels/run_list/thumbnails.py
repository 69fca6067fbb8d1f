"""Thumbnails of runs, made in a thread of their own for the rows that are seen, the newest wish first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.views.gates.counts import levels
from sparseviz.store import RunFileError
from sparseviz.store.header import RunHeader
from sparseviz.store.strip import StripReader
from sparseviz.values.snapshot import ByteArray, FloatArray

WIDTH, HEIGHT = 96, 16  # pixels of a picture: times, and fours of the histogram's bins
MOST = 2000  # pictures that are kept, 2 kB each
WISHES = 100  # more rows than a screen shows
_Key = tuple[Path, str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """The strip of all layers together, and what it shows in numbers."""

    levels: ByteArray  # (HEIGHT, WIDTH), the largest values on top; 0 is no weight, 255 all, on a log scale
    quantity: str
    low: float
    high: float
    epochs: tuple[float, float]
    quarters: FloatArray  # (4,), shares of the weights in each quarter of the range, at the end


class Thumbnails(QObject):
    """Reading one takes about as long as reading a head does, and nothing waits for it."""

    made = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._made: dict[_Key, Thumbnail | None] = {}
        self._wishes: dict[_Key, Path] = {}  # the newest last
        self._under_way: _Key | None = None
        self._inbox, self._is_closed = Inbox(self), False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="thumbnails")

    def known(self, run: RunHeader) -> Thumbnail | None:
        """The picture of a run, if it is there."""
        return self._made.get(_key(run))

    def wish(self, run: RunHeader) -> None:
        """Have it made, before those that were wished for earlier."""
        key = _key(run)
        if not run.parameters_kept or key in self._made or key == self._under_way:
            return
        self._wishes.pop(key, None)
        self._wishes[key] = run.path
        if len(self._wishes) > WISHES:
            del self._wishes[next(iter(self._wishes))]
        self._begin()

    def close(self) -> None:
        """Shut down the thread that makes them."""
        self._is_closed = True
        self._executor.shutdown(cancel_futures=True)

    def _begin(self) -> None:
        if self._wishes and not self._inbox.is_waiting() and not self._is_closed:
            self._under_way, path = self._wishes.popitem()
            self._inbox.ask(self._executor.submit(make, path), partial(self._take, self._under_way))

    def _take(self, key: _Key, picture: Thumbnail | None) -> None:
        self._made[key] = picture
        if len(self._made) > MOST:
            del self._made[next(iter(self._made))]
        self.made.emit()
        self._begin()


def _key(run: RunHeader) -> _Key:
    """Another one where the file is another, or has grown."""
    return run.path, run.created, run.epoch


def make(path: Path) -> Thumbnail | None:
    """The picture of this run; None where it cannot be read, which the list tells of its head."""
    try:
        with StripReader(path) as run:
            strip = run.strip(WIDTH)
    except RunFileError:
        return None
    if strip is None:
        return None
    counts = strip.histograms.reshape(WIDTH, HEIGHT, -1).sum(axis=2)
    weights = int(counts[-1].sum()) or 1
    return Thumbnail(
        levels=np.ascontiguousarray(levels(counts, weights, log=True).T[::-1]),
        quantity=strip.quantity.name,
        low=strip.quantity.low,
        high=strip.quantity.high,
        epochs=strip.epochs,
        quarters=counts[-1].reshape(4, -1).sum(axis=1) / weights,
    )
