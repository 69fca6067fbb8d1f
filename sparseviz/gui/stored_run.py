"""A run that is read from its file."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sparseviz.cells import Cells, Part, Pyramids
from sparseviz.receptive import Picture, receptive_picture
from sparseviz.snapshot import Checkpoint
from sparseviz.store import RunReader

_Answer = TypeVar("_Answer")


class StoredRun:
    """All of a run's snapshots, and what its checkpoints tell when they are asked. Raises RunFileError.

    Questions are answered one after the other in a thread of their own, so that the window never waits.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with RunReader(path) as reader:
            self.info, self.status, self.message = reader.info, reader.status, reader.message
            self.errors = reader.errors
            self.history = reader.history()
            self.checkpoint_steps = reader.checkpoint_steps()
            self.input_shape = reader.input_shape
        self._pyramids = Pyramids()
        self._is_closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stored-run")

    def close(self) -> None:
        """Answer no more questions: those that are asked all the same are cancelled."""
        self._is_closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def ask(self, question: Callable[[RunReader], _Answer]) -> "Future[_Answer]":
        """Have something read from the file."""

        def answer() -> _Answer:
            with RunReader(self.path) as reader:
                return question(reader)

        if self._is_closed:
            never: Future[_Answer] = Future()
            never.cancel()
            return never
        return self._thread.submit(answer)

    def cells(self, part: Part, position: int) -> "Future[Cells]":
        """The true weights at the newest checkpoint not after the snapshot at `position`."""
        step = self.history[position].step
        return self.ask(lambda reader: reader.cells(part, step, self._pyramids))

    def picture(self, layer: str, unit: int, position: int) -> "Future[Picture]":
        """What an output unit sees of the input, at the same checkpoint."""
        step, network = self.history[position].step, self.info.config.network
        return self.ask(
            lambda reader: receptive_picture(network, reader.checkpoint(step), layer, unit, self.input_shape)
        )

    def checkpoint_step(self, position: int) -> int:
        """The step of the newest checkpoint not after the snapshot at `position`, or else of the first."""
        step = self.history[position].step
        return max((known for known in self.checkpoint_steps if known <= step), default=self.checkpoint_steps[0])

    def checkpoint(self, position: int) -> Checkpoint:
        """That checkpoint, from the file: not for the GUI thread. Raises RunFileError."""
        with RunReader(self.path) as reader:
            return reader.checkpoint(self.history[position].step)
