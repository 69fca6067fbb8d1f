"""Dense baseline of a run, trained by `sparseviz train` in a process of its own."""

import os
import signal
import sys
from concurrent.futures import Executor
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from sparseviz.config import InputError, RunConfig, paths, settings
from sparseviz.config.setting import exact_value
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.store import RunReader

LOOK_MS = 1000  # between two looks at the file that the process writes
PATIENCE_MS = 5000  # for the process to end in good order, when the window closes
SAID = 4000  # characters of its error output that are kept


class DenseTraining(QObject):
    """Trains one dense run at a time and tells how far it is; its file stays, whatever happens."""

    progressed = Signal(float)  # the share that is done; below 0 while it is not known
    finished = Signal(Path)
    failed = Signal(str)  # in words

    def __init__(self, executor: Executor, inbox: Inbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.process: QProcess | None = None
        self._executor, self._inbox = executor, inbox
        self._said, self._is_cancelled = "", False
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def start(self, config: RunConfig) -> None:
        """Train this configuration without sparsity; ignored while one trains."""
        if self.process is not None:
            return
        dense = config.changed({"method.name": "dense"})
        self.path = paths.new_run_path(
            f"{paths.short_function(dense.network)}-{paths.short_function(dense.data.name)}-dense"
        )
        self._said, self._is_cancelled = "", False
        process = self.process = QProcess(self)
        process.setStandardOutputFile(QProcess.nullDevice())
        process.readyReadStandardError.connect(self._hear)
        process.errorOccurred.connect(self._complain)
        process.finished.connect(self._end)
        program, *arguments = command(dense, self.path)
        process.start(program, arguments)
        self.progressed.emit(-1.0)
        self._timer.start()

    def cancel(self) -> None:
        """End the run in good order, as Ctrl+C does; where that cannot be asked of a process, at once."""
        if self.process is None or not self.process.processId():
            return
        self._is_cancelled = True
        if os.name == "posix":
            os.kill(self.process.processId(), signal.SIGINT)
        else:
            self.process.kill()

    def close(self) -> None:
        """End the run, and wait until it has ended."""
        self._timer.stop()
        process = self.process
        if process is not None:
            self.cancel()
            if not process.waitForFinished(PATIENCE_MS):
                process.kill()
                process.waitForFinished()

    @Slot()
    def _hear(self) -> None:
        if self.process is not None:
            heard = bytes(self.process.readAllStandardError().data()).decode(errors="replace")
            self._said = (self._said + heard)[-SAID:]

    @Slot()
    def _look(self) -> None:
        if self.path is not None and self.path.is_file():
            self._inbox.ask(self._executor.submit(share_done, self.path), self._tell, failed=lambda _: None)

    def _tell(self, share: float) -> None:
        if self.process is not None and not self._is_cancelled:
            self.progressed.emit(share)

    @Slot(QProcess.ProcessError)
    def _complain(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self.process is not None:
            self._rest()
            self.failed.emit(self.tr("The dense run could not be started: {0}").format(sys.executable))

    @Slot(int, QProcess.ExitStatus)
    def _end(self, code: int, status: QProcess.ExitStatus) -> None:
        self._hear()
        self._rest()
        path, name = self.path, self.path.name if self.path else ""
        has_file = path is not None and path.is_file()
        if self._is_cancelled:
            kept = self.tr("The dense run was cancelled; what it had trained is in {0}.").format(name)
            self.failed.emit(kept if has_file else self.tr("The dense run was cancelled before it began."))
        elif status == QProcess.ExitStatus.CrashExit:
            self.failed.emit(
                self.tr("The dense run was ended by the system or by another program (signal {0}).").format(code)
            )
        elif code or path is None:
            self.failed.emit(self.tr("The dense run failed: {0}").format(reason(self._said)))
        else:
            self.finished.emit(path)

    def _rest(self) -> None:
        self._timer.stop()
        if self.process is not None:
            self.process.deleteLater()
        self.process = None


def command(config: RunConfig, out: Path) -> list[str]:
    """This very program, told to train exactly this configuration; a frozen program is its own interpreter."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "sparseviz"]
    values = {name: config.value(name) for name in settings()}
    pairs = [f"{name}={exact_value(value)}" for name, value in values.items() if value is not None]
    return [*program, "train", *(part for pair in pairs for part in ("--set", pair)), "--out", str(out)]


def share_done(path: Path) -> float:
    """How much of a run is in its file, from 0 to 1; below 0 where that cannot be read yet."""
    try:
        with RunReader(path) as run:
            newest = run.snapshots(max(len(run) - 1, 0))
            return newest[-1].step / run.info.steps if newest else 0.0
    except InputError:
        return -1.0


def reason(said: str) -> str:
    """What a command of sparseviz says last before it fails."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("sparseviz: ")]  # a traceback may stand below it
    return (told or lines or ["it gave no reason"])[-1].removeprefix("sparseviz: ")
