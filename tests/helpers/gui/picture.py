"""Pictures of the real window for the manual: `python -m tests.helpers.gui.picture RUN.h5 FOLDER`."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from sparseviz.gui.main_window import MainWindow
from sparseviz.gui.qt import appearance

SIZES = ((1600, 1000), (1100, 700))


def main(run: Path, folder: Path) -> None:
    """Open the run, and save the window dark and light, wide and narrow."""
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    appearance.follow_system(app)
    for width, height in SIZES:
        os.environ["SPARSEVIZ_SETTINGS"] = tempfile.mkdtemp()  # not as a person left the window
        window = MainWindow()
        window.resize(width, height)
        window.show()
        window.open_run(run)
        for name in ("dark", "light"):
            appearance.apply(app, dark=name == "dark")
            wait(2500)
            window.files.save_picture(folder / f"window-{name}-{width}.png")
        window.close()


def wait(milliseconds: int) -> None:
    """Let the window draw."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
