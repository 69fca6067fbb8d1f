"""What the window adds to the memory of a training of VGG-16: two processes, one with a window and one without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.vgg16 import images

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its peak from Linux"),
]

MOST_ADDED = 500e6  # bytes

TRAINING = """
import sys
import time
from pathlib import Path
from sparseviz.config import RunConfig
from tests.helpers.vgg16 import SETTINGS

how, folder = sys.argv[1], Path(sys.argv[2])
config = RunConfig().changed(SETTINGS | {"data.folder": str(folder / "images.npz")})


def without():
    from sparseviz.runs.recording import record_run

    record_run(config, folder / "without.h5")


def within():
    import torch
    from PySide6.QtWidgets import QApplication
    from sparseviz.gui.main_window import MainWindow

    app = QApplication([])
    window = MainWindow()
    window.resize(1600, 1000)
    window.show()

    def until(condition):
        while not condition():
            app.processEvents()
            time.sleep(0.01)

    window.ui.steering.set_config(config)
    window.menu.train.trigger()
    until(lambda: window.run is not None and len(window.run.history))
    window.menu.pause.trigger()
    view = window.ui.weights
    until(lambda: view._picture is not None and view._picture.cells is not None)
    assert view.layer() == "fc6", view.layer()
    window.menu.pause.trigger()
    until(lambda: not window.is_training())
    until(lambda: view._picture is not None and view._picture.cells is not None)
    window.close()


{"without": without, "within": within}[how]()
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print("peak", int(peak.split()[1]) * 1024)
"""


def peak(how, folder, environment):
    child = [sys.executable, "-c", TRAINING, how, str(folder)]
    said = subprocess.run(child, capture_output=True, text=True, check=False, env=environment)
    assert said.returncode == 0, said.stderr
    for run in folder.glob("**/*.h5"):
        run.unlink()  # gigabytes
    return int(said.stdout.split()[-1])


def test_that_the_window_adds_little_to_the_memory_of_a_training(tmp_path):
    images(tmp_path / "images.npz")
    places = {name: str(tmp_path) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    environment = os.environ | places | {"QT_QPA_PLATFORM": "offscreen"}
    without, within = (peak(how, tmp_path, environment) for how in ("without", "within"))
    print(f"peak without a window {without / 1e9:.2f} GB, with it {within / 1e9:.2f} GB")
    assert within - without <= MOST_ADDED
