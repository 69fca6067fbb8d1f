"""From nothing to a window that waits for its person, beside the imports of its libraries."""

import subprocess
import sys
import tempfile
from dataclasses import asdict
from typing import Any

from tests.bench.child import environment
from tests.bench.table import cost
from tests.bench.timing import in_turns
from tests.helpers.places import ROOT

IMPORTS = "import torch, PySide6.QtWidgets, pyqtgraph, h5py; print('ready', flush=True)"
# The program's own start; when the event loop has nothing more to do, the process ends without tidying up.
WINDOW = """
import os, sys
sys.argv = ["sparseviz"]
from sparseviz.cli.main import main
import sparseviz.gui.app as app
from importlib import import_module
probe = app.DisplayProbe.problem
def problem(self):
    said = probe(self)
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication
    loop = QApplication.exec
    def ready():
        print("ready", flush=True)
        os._exit(0)
    def exec_(*_):
        QTimer.singleShot(0, ready)
        return loop()
    QApplication.exec = exec_
    return said
app.DisplayProbe.problem = problem
main()
"""


def measure(repeats: int) -> list[dict[str, Any]]:
    """New processes of the same Python."""
    with tempfile.TemporaryDirectory() as folder:

        def started(code: str) -> None:
            command = [sys.executable, "-c", code]
            with subprocess.Popen(
                command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, text=True
            ) as child:
                assert child.stdout is not None
                said = child.stdout.readline()
                assert said == "ready\n", said
                child.kill()

        works = {"ours": lambda: started(WINDOW), "theirs": lambda: started(IMPORTS)}
        times = in_turns(works, repeats)
    against = "import torch, PySide6.QtWidgets, pyqtgraph, h5py"
    return [asdict(cost("start to ready", against, times, bound=1.15))]
