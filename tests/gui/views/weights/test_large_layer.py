"""A stored layer too large for one picture: opened, zoomed to one weight and back, without waiting or a second copy."""

import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from sparseviz.gui.main_window import MainWindow
from tests.helpers.gui.large_layer import resident, write_run

WAIT_MS = 60_000


class Lateness:
    """How late the event loop comes to a timer of 5 ms, at worst, in ms."""

    def __init__(self):
        self.worst, self._last = 0.0, time.perf_counter()
        self._timer = QTimer(interval=5)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self):
        now = time.perf_counter()
        self.worst, self._last = max(self.worst, 1000 * (now - self._last) - 5), now

    def restart(self):
        self.worst, self._last = 0.0, time.perf_counter()


class Peak(threading.Thread):
    """The most memory in use while it looks on."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self._ends = resident(), threading.Event()

    def run(self):
        while not self._ends.wait(0.01):
            self.most = max(self.most, resident())

    def stop(self):
        self._ends.set()
        self.join()
        return self.most


def wait_for_block(view, qtbot, block):
    def has_come():
        cells = view._picture.cells
        assert cells is not None
        assert cells.cells.part.block == block

    qtbot.waitUntil(has_come, timeout=WAIT_MS)


@pytest.fixture
def window(qtbot, tmp_path):
    made = MainWindow()
    qtbot.addWidget(made)
    made.resize(1600, 1000)
    made.show()
    return made


def test_that_a_layer_of_millions_is_shown_in_blocks_and_weight_by_weight(window, qtbot, tmp_path):
    weight, mask = write_run(tmp_path / "large.h5", 2048, 3072)
    window.open_run(tmp_path / "large.h5")
    view = window.ui.weights
    qtbot.waitUntil(lambda: view._picture is not None, timeout=WAIT_MS)
    wait_for_block(view, qtbot, 4)
    cells = view._picture.cells.cells
    assert cells.count() == (mask.sum(), mask.size)
    assert (cells.kept == mask.reshape(512, 4, 768, 4).any(axis=(1, 3))).all()
    assert "blocks of 4 × 4 cells: checkpoint" in view.captions.source.texts[0]
    view.heatmap.box.setRange(xRange=(2, 3), yRange=(1, 2), padding=0)
    wait_for_block(view, qtbot, 1)
    assert view._picture.cells.find(1, 2) is not None
    at = view._picture.cells.find(1, 2)
    assert view._picture.cells.cells.weight[at] == weight[1, 2]
    view.choices.sort_rows.setChecked(True)
    wait_for_block(view, qtbot, 4)
    order = view._picture.cells.cells.part.row_order
    assert (np.diff(mask.sum(axis=1)[order]) <= 0).all()
    assert (view._picture.cells.cells.kept == mask[order].reshape(512, 4, 768, 4).any(axis=(1, 3))).all()


@pytest.mark.slow
def test_that_4096_x_25088_weights_open_zoom_to_one_and_back_without_a_pause_or_a_second_copy(window, qtbot, tmp_path):
    """On an idle machine: no pause over 100 ms once it is reduced; memory below one more copy of the weights."""
    rows, columns = 4096, 25088
    write_run(tmp_path / "huge.h5", rows, columns)
    view, lateness, before, peak = window.ui.weights, Lateness(), resident(), Peak()
    peak.start()
    began = time.perf_counter()
    window.open_run(tmp_path / "huge.h5")
    qtbot.waitUntil(lambda: view._picture is not None, timeout=WAIT_MS)
    wait_for_block(view, qtbot, 16)
    reduced, while_reduced = time.perf_counter() - began, lateness.worst
    lateness.restart()
    for _ in range(40):
        view.heatmap.zoom(0.8)
        qtbot.wait(30)
    row, _, column, _ = view.heatmap.visible()
    view.heatmap.box.setRange(xRange=(column, column + 1), yRange=(row, row + 1), padding=0)
    wait_for_block(view, qtbot, 1)
    for _ in range(40):
        view.heatmap.zoom(1.25)
        qtbot.wait(30)
    view.heatmap.reset()
    wait_for_block(view, qtbot, 16)
    QApplication.processEvents()
    grown = peak.stop() - before
    print(
        f"\nreduced in {reduced:.1f} s (event loop late by {while_reduced:.0f} ms at most); zoomed to output {row}, "
        f"input {column} and back: late by {lateness.worst:.0f} ms; memory grew by {grown / 2**20:.0f} MiB at most, "
        f"the weights are {4 * rows * columns / 2**20:.0f} MiB"
    )
    assert lateness.worst <= 100
    assert grown < 4 * rows * columns
