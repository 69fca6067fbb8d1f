"""Model files in the window: opened, dropped, remembered; what can be seen of them, and what is told to be missing."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QFileDialog
from safetensors.torch import save_file

from sparseviz.export import ExportOptions, export_run
from sparseviz.export.convert import convert_run
from sparseviz.gui.sources.inspected_file import InspectedFile
from sparseviz.gui.sources.stored_run import StoredRun
from tests.helpers.gui.mouse import drop
from tests.helpers.places import ROOT

WAIT_MS = 20_000


@pytest.fixture(scope="session")
def exported(conv, tmp_path_factory):
    """An ONNX file of LeNet-5."""
    return export_run(conv.path, tmp_path_factory.mktemp("models") / "lenet5.onnx", ExportOptions(test_set=False)).path


@pytest.fixture
def shown_model(window, exported, qtbot):
    """The window, with an ONNX file that it has drawn, true cells included."""
    window.open_run(exported)
    wait_for_cells(window, qtbot)
    return window


def wait_for_cells(window, qtbot):
    def is_drawn():
        picture = window.ui.weights._picture
        return isinstance(window.run, InspectedFile) and picture is not None and picture.cells is not None

    qtbot.waitUntil(is_drawn, timeout=WAIT_MS)


def wait_for_model(window, qtbot, path):
    qtbot.waitUntil(lambda: window.run is not None and window.run.path == path, timeout=WAIT_MS)
    assert isinstance(window.run, InspectedFile)


def test_that_an_onnx_file_is_drawn_cell_by_cell_with_its_layers_and_its_own_quantity(shown_model, conv):
    layout, history = shown_model.ui, shown_model.run.history
    assert [layer.info.name for layer in history[0].layers] == ["conv1", "conv2", "fc1", "fc2"]
    assert layout.weights.layer() == "fc1"
    cells = layout.weights._picture.cells.cells
    assert cells.source == "file"
    weight = conv.checkpoints[max(conv.checkpoints)]
    kept = weight.masks["fc1"].sum()
    assert cells.count() == (kept, 500 * 800)
    assert layout.weights.captions.source.texts[0].endswith("from the file")
    rows = layout.views["layers"].model.rows
    assert [row.texts[0] for row in rows[:4]] == ["conv1", "conv2", "fc1", "fc2"]
    assert rows[2].texts[3] == f"{kept:,}"
    assert [row.texts[8] for row in rows[:4]] == ["–", "–", *(row.texts[3] for row in rows[2:4])]
    assert layout.views["layers"].table()[1][8] != layout.views["layers"].table()[1][8]  # NaN
    assert not layout.gates.is_empty()
    texts = [caption.texts[0] for caption in layout.gates.captions] + [layout.gates.rows[0].accessibleName()]
    assert "|w| / std" in texts[0]
    assert not [text for text in texts if "gate" in text]


def test_that_zooming_reads_single_cells_and_their_values_are_those_of_the_file(shown_model, conv, qtbot):
    view = shown_model.ui.weights
    expected = conv.checkpoints[max(conv.checkpoints)]
    view.choices.layers.setCurrentText("fc2")
    qtbot.waitUntil(lambda: view._picture.cells is not None and view._picture.cells.cells.part.layer == "fc2")
    view.heatmap.zoom(0.02)
    qtbot.waitUntil(lambda: view._picture.cells.cells.part.block == 1, timeout=WAIT_MS)
    part = view._picture.cells.cells.part
    weight = np.where(expected.masks["fc2"], expected.parameters["fc2.weight"], 0)[part.rows, part.columns]
    assert np.array_equal(view._picture.cells.cells.weight, weight)
    assert len(view.table()) > 1


def test_that_rows_are_sorted_and_kernels_arranged_as_of_a_run(shown_model, qtbot):
    view = shown_model.ui.weights
    view.choices.sort_rows.setChecked(True)
    qtbot.waitUntil(lambda: view._picture.cells is not None and view._picture.cells.cells.part.row_order is not None)
    order = view._picture.cells.cells.part.row_order
    counts = shown_model.run.history[0].layers[2].row_kept[order]
    assert (np.diff(counts) <= 0).all()
    view.choices.layers.setCurrentText("conv2")
    view.choices.kinds.setCurrentIndex(view.choices.kinds.findData("kernels"))
    qtbot.waitUntil(lambda: view._picture.cells is not None and view.choices.kind() == "kernels", timeout=WAIT_MS)


def test_that_what_a_model_file_cannot_tell_is_empty_and_says_why(shown_model):
    layout, actions = shown_model.ui, shown_model.menu
    assert layout.curves.is_empty()
    assert "A model file has no training in it" in layout.curves.empty.text()
    assert layout.examples.is_empty()
    assert "does not tell its images" in layout.examples.empty.text()
    assert layout.time.label.text() in layout.time._texts
    assert "no time" in layout.time._texts[1]
    assert not layout.time.slider.isEnabled()
    assert not layout.weights.choices.unit.isEnabled()
    shows = layout.weights.choices.shows
    age = shows.model().item(shows.findData("age"))
    assert not age.isEnabled()
    assert age.toolTip() == "A model file does not tell it."
    for action in (actions.export, actions.resume, actions.animation, actions.branch):
        assert not action.isEnabled()
        assert "A model file has no training in it" in action.toolTip()
    assert actions.train.isEnabled()
    assert "model file, not a run" in layout.state.text()
    assert "ONNX file, not a run" in layout.status.facts.text()
    assert shown_model.windowTitle() == "lenet5.onnx — sparseviz"


def test_that_a_run_opened_after_a_model_file_has_everything_again(shown_model, gated, qtbot):
    shown_model.open_run(gated.path)
    layout = shown_model.ui
    qtbot.waitUntil(lambda: not any(view.is_empty() for view in layout.views.values()), timeout=WAIT_MS)
    assert isinstance(shown_model.run, StoredRun)
    assert "Press Train" in layout.curves.invitation()
    assert layout.curves.empty.text() == layout.curves.invitation()
    assert layout.examples.empty.text() == layout.examples.invitation()
    assert layout.weights.choices.unit.isEnabled()
    assert shown_model.menu.export.isEnabled()
    assert "A model file" not in shown_model.menu.export.toolTip() + shown_model.menu.animation.toolTip()
    assert layout.time.slider.isEnabled()


@pytest.mark.parametrize("form", ["safetensors", "state_dict"])
def test_that_other_forms_are_dropped_on_the_window_and_remembered(window, gated, tmp_path, qtbot, form):
    if form == "safetensors":
        path = convert_run(gated.path, "safetensors", tmp_path / "own.safetensors")
    else:
        path = tmp_path / "own.pth"
        torch.save({"state_dict": {"module.fc.weight": torch.eye(12), "module.fc.bias": torch.ones(12)}}, path)
    assert drop(window, [QUrl.fromLocalFile(str(path))])
    wait_for_model(window, qtbot, path)
    assert window.ui.recent.paths == [path]
    window.ui.recent.fill()
    window._show_run(None)
    window.ui.recent.actions()[0].trigger()
    wait_for_model(window, qtbot, path)


def test_that_the_dialog_offers_runs_and_models(window, exported, monkeypatch, qtbot):
    asked = []

    def reply(*question):
        asked.append(question)
        return str(exported), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", reply)
    window.menu.open.trigger()
    wait_for_model(window, qtbot, exported)
    assert all(f"*{suffix}" in asked[0][3] for suffix in (".h5", ".onnx", ".safetensors", ".pt", ".pth", ".bin"))


def test_that_what_cannot_be_read_is_said_and_the_window_stays_as_it_is(opened, tmp_path, qtbot):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    before = opened.run
    torch.save({"w": torch.ones(2, 2), "trap": Trap()}, tmp_path / "trap.pt")
    (tmp_path / "text.onnx").write_text("no model")
    for name, words in (("trap.pt", "could run code"), ("text.onnx", "text.onnx is no"), ("gone.onnx", "not there")):
        opened.open_run(tmp_path / name)
        qtbot.waitUntil(lambda: opened.messages.shown is not None, timeout=WAIT_MS)
        assert words in opened.messages.shown.text()
        opened.messages.shown.close()
        qtbot.waitUntil(lambda: opened.messages.shown is None)
    assert not (tmp_path / "made").exists()
    assert opened.run is before
    assert not opened.ui.curves.is_empty()
    assert tmp_path / "trap.pt" not in opened.ui.recent.paths


def test_that_the_window_answers_while_a_large_file_is_read_and_another_run_ends_that(window, gated, tmp_path, qtbot):
    path = tmp_path / "large.safetensors"
    save_file({"large.weight": torch.randn(4000, 10_000)}, path)
    window.open_run(path)
    assert "Reading large.safetensors" in window.ui.status.currentMessage()
    late = []
    for _ in range(20):
        began = time.perf_counter()
        qtbot.wait(10)
        late.append(time.perf_counter() - began)
    assert sorted(late)[10] < 0.1
    window.open_run(gated.path)
    assert not window.models.is_reading()
    qtbot.waitUntil(lambda: not window.models._inbox.is_waiting(), timeout=WAIT_MS)  # it has come to its end
    assert window.run.path == gated.path
    assert not window.ui.status.currentMessage()


def test_that_closing_the_window_gives_up_what_is_read(window, tmp_path, qtbot):
    path = tmp_path / "large.safetensors"
    save_file({"large.weight": torch.randn(4000, 10_000)}, path)
    window.open_run(path)
    began = time.perf_counter()
    window.close()
    assert time.perf_counter() - began < 2
    assert not window.models.is_reading()


def test_that_a_file_that_is_gone_meanwhile_is_told_when_its_cells_are_wanted(window, tmp_path, qtbot):
    save_file({"a.weight": torch.randn(2000, 2000)}, tmp_path / "a.safetensors")
    window.open_run(tmp_path / "a.safetensors")
    wait_for_cells(window, qtbot)
    shutil.move(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    window.ui.weights.heatmap.zoom(0.02)
    qtbot.waitUntil(lambda: window.messages.shown is not None, timeout=WAIT_MS)
    assert "a.safetensors" in window.messages.shown.text()
    window.messages.shown.close()


# The program as its command starts it; it is closed as soon as the file is in a window's title.
START = """
import sys
import sparseviz.training.trainer
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from sparseviz.cli import main as cli

def look():
    titles = [widget.windowTitle() for widget in QApplication.topLevelWidgets()]
    if any(sys.argv[1].endswith(title.removesuffix(" — sparseviz")) for title in titles if "." in title):
        print("shown", flush=True)
        timer.stop()  # a busy machine comes to it once more before the program has ended
        QApplication.closeAllWindows()

def run(*_):
    global timer
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    return plain()

plain, QApplication.exec = QApplication.exec, run
cli.main([sys.argv[1]])
"""


def test_that_a_model_file_named_on_the_command_line_is_shown(exported, tmp_path):
    told = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-c", START, str(exported)]
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["shown"]), done.stderr
