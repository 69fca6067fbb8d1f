"""Consent to a person's own code when a run that needs it is to be trained: the run starts again once it is given."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from sparseviz.config import RunConfig
from sparseviz.config.own_code import Untrusted
from sparseviz.gui.dialogs.trust import ask
from sparseviz.gui.sources.training_thread import BranchWork, TrainingThread


class Trusting(QObject):
    """Asks about the code of a run that is to be trained, and starts it again."""

    def __init__(self, window: QWidget, start: Callable[[RunConfig | Path | BranchWork], None]) -> None:
        super().__init__(window)
        self._window, self._start = window, start
        self._thread: TrainingThread | None = None
        self._error: Untrusted | None = None

    def watch(self, thread: TrainingThread) -> None:
        """Serve this thread until it has finished."""
        self._thread, self._error = thread, None
        thread.untrusted.connect(self._keep)
        thread.finished.connect(self._ask)

    @Slot(object)
    def _keep(self, error: Untrusted) -> None:
        self._error = error

    @Slot()
    def _ask(self) -> None:
        if self._thread is not None and self._error is not None:
            work = self._thread.work
            ask(self._window, self._error, lambda: self._start(work), insists=True)
        self._thread = self._error = None
