"""VGG-16 whole: trained, seen, saved, opened again, exported and proven, within the memory of an ordinary machine."""

import os
import time
from pathlib import Path

import onnxruntime
import pytest
import torch
from PySide6.QtWidgets import QApplication

from sparseviz.config import RunConfig
from sparseviz.export import ExportOptions, export_run
from sparseviz.gui.main_window import MainWindow
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader
from sparseviz.training.memory import memory_of
from sparseviz.values.cells import Part, Pyramids
from tests.helpers.runs import Seen
from tests.helpers.vgg16 import SETTINGS, SIDE, images

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads its peak from Linux"),
]


class Stages:
    """Says how long each stage took, and its peak of memory."""

    def __init__(self) -> None:
        self.most = 0.0
        self._begin()

    def _begin(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._began, self._worked = time.perf_counter(), time.process_time()

    def end(self, name: str) -> None:
        """Tell of the stage; processor time too, since other programs lengthen that by the clock."""
        seconds, worked = time.perf_counter() - self._began, time.process_time() - self._worked
        status = Path("/proc/self/status").read_text().splitlines()
        peak, now = (
            int(next(line for line in status if line.startswith(key)).split()[1]) / 2**20 for key in ("VmHWM", "VmRSS")
        )
        times = f"{seconds:7.1f} s by the clock {worked:7.1f} s of processors"
        print(f"{name:<36} {times}   peak {peak:5.2f} GiB   left {now:5.2f} GiB", flush=True)
        self.most = max(self.most, peak)
        self._begin()


class Looking(Seen):
    """A watcher that asks for fc6 while it trains, as the window does, and ends a stage with every snapshot."""

    def __init__(self, stages: Stages) -> None:
        super().__init__()
        self.stages, self.live = stages, Part("fc6", slice(0, 4096), slice(0, 25088), block=64)

    def began(self, trainer, info, path):
        super().began(trainer, info, path)
        self.stages.end("made, and the file with step 0")

    def saw(self, snapshot):
        self.snapshots.append(snapshot)
        self.stages.end(f"to snapshot {snapshot.step}")
        if snapshot.step == 1:
            self.cells = self.trainer._observer.cells(self.live, snapshot.step)
            self.stages.end("fc6 live, 64 x 392 blocks")


def test_that_it_is_trained_seen_saved_opened_exported_and_proven(tmp_path, qtbot):
    print()
    images(tmp_path / "images.npz")
    config = RunConfig().changed(SETTINGS | {"data.folder": str(tmp_path / "images.npz")})
    stages, path = Stages(), tmp_path / "vgg16.h5"
    seen = Looking(stages)
    record_run(config, path, watcher=seen)
    stages.end("the last checkpoint")
    memory = memory_of(config, (3, SIDE, SIDE), 1000)
    assert memory is not None
    assert memory.needed / 2**30 == pytest.approx(stages.most, rel=0.25)
    print(f"file {path.stat().st_size / 2**30:.2f} GiB")
    del seen.trainer

    with RunReader(path) as run:
        last = run.snapshots()[-1]
        fc6 = next(layer for layer in last.layers if layer.info.name == "fc6")
        assert fc6.info.weights == 102_760_448
        assert (last.step, run.status, sum(layer.info.weights for layer in last.layers)) == (3, "finished", 138_344_128)
        assert 0.03 < fc6.kept / fc6.info.weights < 0.07
        stored = run.cells(Part("fc6", slice(0, 4096), slice(0, 25088), block=64), 3, Pyramids())
        assert stored.count() == (fc6.kept, fc6.info.weights)
        assert stored.weight.shape == seen.cells.weight.shape == (64, 392)
    stages.end("opened again; fc6 in blocks")

    window = MainWindow()
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    window.open_run(path)
    view = window.ui.weights
    qtbot.waitUntil(lambda: view._picture is not None and view._picture.cells is not None, timeout=120_000)
    assert view.layer() == "fc6"
    QApplication.processEvents()
    assert window.grab().save(os.environ.get("SPARSEVIZ_VGG16_PICTURE", str(tmp_path / "window.png")))
    window.close()
    stages.end("shown in the window")

    report = export_run(path, tmp_path / "vgg16.onnx", options=ExportOptions(compact=True, data_folder=str(tmp_path)))
    stages.end("exported compact, with its proof")
    session = onnxruntime.InferenceSession(tmp_path / "vgg16.onnx")
    answers = session.run(None, {session.get_inputs()[0].name: torch.zeros(2, 3, SIDE, SIDE).numpy()})[0]
    assert answers.shape == (2, 1000)
    assert report.proof.holds
    print(f"onnx {(tmp_path / 'vgg16.onnx').stat().st_size / 2**20:.0f} MiB; {report.proof}")
