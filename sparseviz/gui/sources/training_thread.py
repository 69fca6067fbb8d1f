"""Worker thread of the training, the one beside Qt's: `record_run()` with the window looking on."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from sparseviz.config import InputError, RunConfig
from sparseviz.config.own_code import Untrusted
from sparseviz.gui.qt.messages import in_words
from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.gui.sources.rescuer import WaitingRescuer
from sparseviz.runs.recording import branch_run, record_run, resume_run
from sparseviz.store import ResumePoint, RunInfo, RunReader, WriteError, branch_point, resume_point
from sparseviz.training.trainer import Trainer
from sparseviz.values.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class BranchWork:
    """A stored run that is to go on from its checkpoint at this step with settings changed."""

    path: Path
    step: int
    values: Mapping[str, Any]  # by dotted name


class TrainingThread(QThread):
    """Trains and records one run. No signal is sent for a snapshot: the window looks at the history when it draws."""

    began = Signal(LiveRun)
    downloading = Signal(str, object, object)  # file or folder, bytes done, bytes in all or 0: more than Qt's int holds
    ended = Signal()
    failed = Signal(str, str)  # in words, and a traceback or ""
    stuck = Signal(str)  # why the file cannot be written; `rescuer` takes the answer
    went_on = Signal(Path)  # in this file

    def __init__(self, work: RunConfig | Path | BranchWork, parent: QObject | None = None) -> None:
        """A configuration is trained anew, a run's file resumed, or branched."""
        super().__init__(parent)
        self.work = work
        self.earlier: tuple[Snapshot, ...] = ()  # of the run that is resumed or branched
        self.live: LiveRun | None = None
        self.path: Path | None = None
        self.untrusted: Untrusted | None = None  # code that must be asked about first
        self.rescuer = WaitingRescuer(self.stuck.emit, self._obey)
        self._read_test = True
        self._is_stop_asked = False

    def run(self) -> None:
        """Record the run; an exception becomes the signal `failed`."""
        try:
            watcher = _Watcher(self)
            watching = {"watcher": watcher, "rescuer": watcher, "progress": self._download}
            self.path = self._record(**watching, read_test=lambda: self._read_test)
        except Untrusted as error:
            self.untrusted = error
        except Exception as error:  # noqa: BLE001  # a failed run must not end the program
            self.failed.emit(in_words(error), "" if isinstance(error, InputError) else traceback.format_exc())
        else:
            self.ended.emit()

    def _record(self, **watching: Any) -> Path:
        if isinstance(self.work, RunConfig):
            return record_run(self.work, **watching)
        if isinstance(self.work, BranchWork):
            self.earlier = _until(branch_point(self.work.path, self.work.step))
            return branch_run(self.work.path, self.work.step, self.work.values, **watching)
        self.earlier = _until(resume_point(self.work))
        return resume_run(self.work, **watching)

    def stop(self, *, read_test: bool = True) -> None:
        """End the run after the step under way, or before its first; `read_test` allows reading the test split."""
        self._read_test = read_test
        self._is_stop_asked = True
        if self.live:
            self.live.trainer.stop()
        if self.rescuer.path:
            self.rescuer.give_up()

    def end(self) -> None:
        """Stop, and wait until the file is closed; a file that cannot be written is not waited for."""
        self.rescuer.give_up()
        self.stop(read_test=False)
        self.wait()

    def _obey(self) -> None:
        if self.live:
            self.live.trainer.obey()

    def _begin(self, live: LiveRun) -> None:
        self.live, self.path = live, live.path
        if self._is_stop_asked:
            live.trainer.stop()
        self.began.emit(live)

    def _download(self, name: str, done: int, total: int) -> None:
        if self._is_stop_asked:
            raise InputError("stopped while the data set was being read; Train goes on with it")
        self.downloading.emit(name, done, total)


def _until(point: ResumePoint) -> tuple[Snapshot, ...]:
    with RunReader(point.path) as reader:
        return reader.snapshots()[: point.snapshots]


class _Watcher:
    """Tells the thread what `record_run` tells it, in that thread."""

    def __init__(self, thread: TrainingThread) -> None:
        self._thread = thread

    def began(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        live = LiveRun(trainer, info, path)
        for snapshot in self._thread.earlier:
            live.history.append(snapshot)
        self._thread._begin(live)  # noqa: SLF001  # one thing in two classes

    def saw(self, snapshot: Snapshot) -> None:
        if self._thread.live:
            self._thread.live.history.append(snapshot)

    def stuck(self, error: WriteError, path: Path) -> Path:
        return self._thread.rescuer.stuck(error, path)

    def went_on(self, path: Path) -> None:
        self._thread.path = path
        if self._thread.live:
            self._thread.live.path = path
        self._thread.went_on.emit(path)
