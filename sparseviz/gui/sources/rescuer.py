"""Blocking wait of the training thread while a run's file cannot be written, until Qt's thread has an answer."""

from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue

from sparseviz.store import WriteError

LOOK_S = 0.05  # between two looks at what else the waiting thread is told


class WaitingRescuer:
    """Holds the training thread until Qt's thread answers; meanwhile the trainer obeys other commands."""

    def __init__(self, tell: Callable[[str], None], obey: Callable[[], None]) -> None:
        self._tell, self._obey = tell, obey
        self._answers: SimpleQueue[Path] = SimpleQueue()
        self._is_given_up = False
        self.path: Path | None = None  # of the run, while it waits

    # In the training thread.

    def stuck(self, error: WriteError, path: Path) -> Path:
        """Block until there is an answer. Raises `error` when it is given up."""
        self.path = path
        self._tell(str(error))
        try:
            while not self._is_given_up:
                try:
                    return self._answers.get(timeout=LOOK_S)
                except Empty:
                    self._obey()
        finally:
            self.path = None
        raise error

    # In Qt's thread.

    def answer(self, path: Path) -> None:
        """Let it write on in this file."""
        self._answers.put(path)

    def give_up(self) -> None:
        """End the run rather than wait, now and later."""
        self._is_given_up = True
