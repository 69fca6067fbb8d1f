"""A run that is read from its file, to its end or, while another process writes it, as far as it is."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sparseviz.analysis.receptive import Picture, receptive_picture
from sparseviz.gui.sources.shown import no_answer, notes_on
from sparseviz.store import RunFileError, RunReader
from sparseviz.store.following import News, source_of
from sparseviz.values.cells import Cells, Part, Pyramids
from sparseviz.values.history import History
from sparseviz.values.snapshot import Checkpoint
from sparseviz.values.states import RunStatus

BROKEN_OFF = (RunStatus.INTERRUPTED, RunStatus.STOPPED, RunStatus.FAILED)

_Answer = TypeVar("_Answer")


class StoredRun:
    """All of a run's snapshots, and what its checkpoints tell when they are asked. Raises RunFileError.

    Questions are answered one after the other in a thread of their own, so that the window never waits. Of a run that
    is written, `look` asks for what has come since, and `take` takes it in. Where only its status file can be read,
    `has_checkpoints` is False.
    """

    form, is_live = "run", False

    def __init__(self, path: Path) -> None:
        source = self._source = source_of(path)
        self.path, self.info, self.input_shape = source.path, source.info, source.input_shape
        self.has_checkpoints = self.has_cells = self.can_export = source.has_checkpoints
        self.notes = notes_on(source.info)
        self.history = History(source.info.parameters, source.info.config.record.previews)
        self.take(source.look())
        self._pyramids = Pyramids()
        self._is_closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stored-run")

    def close(self) -> None:
        """Answer no more questions: those that are asked all the same are cancelled."""
        self._is_closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def look(self) -> "Future[News]":
        """Have it looked up what has come since the last look."""
        return self._submit(self._source.look)

    def take(self, news: News) -> None:
        """Take in what has come; the one thread that takes is the one that shows the run."""
        if news.is_all:
            self.history = History(self.info.parameters, self.info.config.record.previews)
        for snapshot in news.snapshots:
            self.history.append(snapshot)
        self.status: RunStatus | None = news.status
        self.can_resume = self.has_checkpoints and news.status in BROKEN_OFF
        self.writer, self.message = news.writer, news.message
        self.errors, self.checkpoint_steps = news.errors, news.checkpoint_steps

    def ask(self, question: Callable[[RunReader], _Answer]) -> "Future[_Answer]":
        """Have something read from the file."""

        def answer() -> _Answer:
            with RunReader(self.path, self.info) as reader:
                return question(reader)

        return self._submit(answer)

    def _submit(self, answer: Callable[[], _Answer]) -> "Future[_Answer]":
        return no_answer() if self._is_closed else self._thread.submit(answer)

    def cells(self, part: Part, position: int) -> "Future[Cells]":
        """The true weights at the newest checkpoint not after the snapshot at `position`."""
        step = self.history[position].step
        return self.ask(lambda reader: reader.cells(part, step, self._pyramids))

    def picture(self, layer: str, unit: int, position: int) -> "Future[Picture]":
        """What an output unit sees of the input, at the same checkpoint."""
        step, info, shape = self.history[position].step, self.info, self.input_shape
        network, classes = info.config.network, len(info.classes)
        return self.ask(lambda reader: receptive_picture(network, reader.checkpoint(step), layer, unit, shape, classes))

    def checkpoint_step(self, position: int) -> int:
        """The step of the newest checkpoint not after the snapshot at `position`, or else of the first."""
        step = self.history[position].step
        first = min(self.checkpoint_steps, default=0)
        return max((known for known in self.checkpoint_steps if known <= step), default=first)

    def checkpoint(self, position: int) -> Checkpoint:
        """That checkpoint, from the file: not for the GUI thread. Raises RunFileError."""
        if not self.has_checkpoints:
            raise RunFileError(
                f"The weights of {self.path.name} can be read when the run has ended, not from its status."
            )
        with RunReader(self.path, self.info) as reader:
            return reader.checkpoint(self.history[position].step)
