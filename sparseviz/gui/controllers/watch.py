"""Follower of the run that is shown while another process writes it, as `tail -f` follows a text."""

from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.qt.messages import in_words
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.store.following import News
from sparseviz.values.states import RunStatus

LOOK_MS = 400  # between two looks, at the least
SHARE = 20  # looks take at most one part in so many of the time
PATIENCE = 3  # looks that may fail one after the other: the writer may be at work just there


class Watch(QObject):
    """Looks for news of a run that is written, in the run's own thread, until it has ended or cannot be read."""

    changed = Signal()  # how the run stands: its status, its writer, its checkpoints
    ended = Signal(str)  # in words
    readable = Signal(Path)  # of a run known from its status file: now its own file can be opened
    lost = Signal(str)  # why it can be followed no more

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.run: StoredRun | None = None  # which is watched
        self._inbox = Inbox(self)
        self._failures = 0
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._look)

    def show_run(self, run: StoredRun | None) -> None:
        """Follow this run, if another process writes it."""
        self._timer.stop()
        self._inbox.forget()
        self.run, self._failures = None, 0
        if run is None:
            return
        if run.status in (RunStatus.TRAINING, RunStatus.ENDED):
            self.run = run
            self._timer.start(LOOK_MS)
        elif not run.has_checkpoints and run.path.is_file():
            QTimer.singleShot(0, self, lambda: self.readable.emit(run.path))

    def text(self) -> str:
        """Who writes the run, or "" where nobody is watched."""
        if self.run is None or self.run.writer is None:
            return ""
        writer = self.run.writer
        if self.run.has_checkpoints:
            return self.tr("written by {0}").format(writer)
        beat = datetime.fromisoformat(writer.heartbeat).astimezone()
        return self.tr("written by {0}, status of {1:%H:%M:%S}").format(writer, beat)

    @Slot()
    def _look(self) -> None:
        if self.run is not None:
            self._clock.start()
            self._inbox.ask(self.run.look(), partial(self._take, self.run), partial(self._fail, self.run))

    def _take(self, run: StoredRun, news: News) -> None:
        self._failures = 0
        before = run.status, run.writer, run.checkpoint_steps
        run.take(news)
        if news.status is RunStatus.TRAINING:
            self._go_on()
        else:
            self._end(run)
        if (run.status, run.writer, run.checkpoint_steps) != before:
            self.changed.emit()

    def _go_on(self) -> None:
        self._timer.start(max(LOOK_MS, (SHARE - 1) * self._clock.elapsed()))

    def _end(self, run: StoredRun) -> None:
        self.run = None
        if not run.has_checkpoints and run.path.is_file():
            self.readable.emit(run.path)
        told: dict[RunStatus | None, str] = {
            RunStatus.FINISHED: self.tr("The run has finished."),
            RunStatus.STOPPED: self.tr("The run was stopped."),
            RunStatus.FAILED: self.tr("The run failed: {0}").format(run.message),
            RunStatus.INTERRUPTED: self.tr(
                "The process that wrote the run is gone. Resume From File (Ctrl+F5) goes on where it was broken off."
            ),
        }
        self.ended.emit(told.get(run.status, self.tr("The run has ended.")))

    def _fail(self, run: StoredRun, error: Exception) -> None:
        self._failures += 1
        if self._failures < PATIENCE:
            self._go_on()
            return
        self.run, run.status, run.writer = None, None, None
        self.changed.emit()
        self.lost.emit(
            self.tr("{0}\n\nThe run is followed no more; what was read of it stays.").format(in_words(error))
        )
