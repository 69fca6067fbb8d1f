"""A run that is read from its file."""

from concurrent.futures import Future
from pathlib import Path

from sparseviz.snapshot import Cells, Checkpoint
from sparseviz.store import RunReader


class StoredRun:
    """All of a run's snapshots, and its checkpoints when they are asked for. Raises RunFileError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with RunReader(path) as reader:
            self.info, self.status, self.message = reader.info, reader.status, reader.message
            self.errors, self.input_shape = reader.errors, reader.input_shape
            self.history = reader.history()
            self.checkpoint_steps = reader.checkpoint_steps()
        self._checkpoint: Checkpoint | None = None

    def cells(self, layer: str, rows: slice, columns: slice, position: int) -> "Future[Cells]":
        """The true weights at the newest checkpoint not after the snapshot at `position`."""
        answer: Future[Cells] = Future()
        try:
            answer.set_result(self.checkpoint(position).cells(layer, rows, columns))
        except Exception as error:  # noqa: BLE001  # a future carries it to whoever asked
            answer.set_exception(error)
        return answer

    def checkpoint_step(self, position: int) -> int:
        """The step of the newest checkpoint not after the snapshot at `position`, or else of the first."""
        step = self.history[position].step
        return max((known for known in self.checkpoint_steps if known <= step), default=self.checkpoint_steps[0])

    def checkpoint(self, position: int) -> Checkpoint:
        """That checkpoint, from the file. Raises RunFileError."""
        step, checkpoint = self.checkpoint_step(position), self._checkpoint
        if checkpoint is None or checkpoint.step != step:
            with RunReader(self.path) as reader:
                checkpoint = self._checkpoint = reader.checkpoint(step)
        return checkpoint
