"""Start the window: torch before Qt, and Qt only where it can run."""

import gc
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType, TracebackType

from sparseviz.config import InputError
from sparseviz.gui.qt.display import DisplayProbe

_SIGNAL_LOOK_MS = 300
# What the window imports besides Qt. Once Qt is there, it looks into the source of every module that is imported. And
# WORKAROUND: on Windows torch fails to load after Qt.
_BEFORE_QT = (
    *("training.trainer", "store.following", "store.header", "store.strip", "runs.recording", "runs.study", "export"),
    *("analysis.model_file", "analysis.receptive", "analysis.answers"),
    *("values.prior", "values.examples", "values.overlap", "config.manual"),
)


class NoDisplayError(InputError):
    """There is no display on which a window could be shown."""

    status = 2


def start(files: Sequence[Path]) -> int:
    """Open a window for each run file, or one with the embedded example ready; returns the exit status.

    Raises NoDisplayError, with what to do, where Qt would abort.
    """
    gc.disable()  # a quarter of the imports' time; what they make stays, and GarbageCollector takes over
    probe = DisplayProbe()
    for name in _BEFORE_QT:  # meanwhile the probe runs
        import_module(f"sparseviz.{name}")
    if problem := probe.problem():
        gc.enable()
        raise NoDisplayError(problem)
    from PySide6.QtCore import QTimer  # noqa: PLC0415  # only now is it known that Qt can run
    from PySide6.QtGui import QIcon  # noqa: PLC0415
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from sparseviz.config import paths  # noqa: PLC0415
    from sparseviz.gui.dialogs.export.work import wait_for_exports  # noqa: PLC0415
    from sparseviz.gui.main_window import MainWindow  # noqa: PLC0415
    from sparseviz.gui.qt.appearance import follow_system  # noqa: PLC0415
    from sparseviz.gui.qt.garbage import GarbageCollector  # noqa: PLC0415

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101
    app.setApplicationName("sparseviz")
    app.setDesktopFileName("sparseviz")
    app.setWindowIcon(QIcon(str(paths.resources() / "icons" / "sparseviz.svg")))
    follow_system(app)
    collector = GarbageCollector(app)
    windows = [MainWindow() for _ in range(max(1, len(files)))]
    for window, path in zip(windows, files, strict=False):
        window.open_run(path)
    for window in windows:
        window.show()

    def complain(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        details = "".join(traceback.format_exception(kind, error, at))
        sys.stderr.write(details)
        windows[0].messages.complain(f"{kind.__name__}: {error}", details)

    def close(_signal: int, _frame: FrameType | None) -> None:
        app.closeAllWindows()

    sys.excepthook = complain  # a fault in a slot is shown, and the window lives on
    signal.signal(signal.SIGINT, close)
    waker = QTimer()  # Python looks at signals only when it runs
    waker.timeout.connect(lambda: None)
    waker.start(_SIGNAL_LOOK_MS)
    try:
        return app.exec()
    finally:
        wait_for_exports()  # so that Python collects in no thread but this one once the collector is stopped
        collector.stop()
