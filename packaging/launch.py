"""Where the bundle starts: `sparseviz`, and the trials of a display and of run files."""  # noqa: INP001  # no package

import os
import sys
from multiprocessing import freeze_support
from pathlib import Path

if __name__ == "__main__":
    freeze_support()  # a process that a library starts would open a window otherwise
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # Windows, without a console
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # to the end
    if sys.argv[1:] == [
        "--probe-display"
    ]:  # asked by sparseviz.gui.qt.display; Qt ends the process where it cannot run
        from PySide6.QtWidgets import QApplication

        QApplication([])
    elif sys.argv[1:] == ["--probe-run"]:  # asked by sparseviz.store.files.probing, line by line
        from sparseviz.store.files.probe import serve

        serve()
    else:
        from sparseviz.cli.main import main

        main()
