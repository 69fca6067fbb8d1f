"""The window asks before it runs a person's code, and lives on whatever the answer is."""

import json
import shutil
import sys

import pytest
from PySide6.QtCore import Qt

from sparseviz.config import RunConfig, own_code
from sparseviz.config.own_code import find, trust
from sparseviz.gui.dialogs.export.dialog import ExportDialog
from sparseviz.gui.dialogs.trust import TrustDialog
from sparseviz.runs.recording import record_run
from tests.helpers.runs import short

MINE = """
import torch
open(r"{proof}", "w").close()
def make(): return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A network in a file that nobody has allowed; it tells when it is run."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(own_code, "_loaded", {})
    file = tmp_path / f"{tmp_path.name}_net.py"
    file.write_text(MINE.format(proof=tmp_path / "proof"))
    yield file
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def foreign(mine, tmp_path, monkeypatch):
    """A run of it from another computer."""
    with monkeypatch.context() as there:
        there.setattr(own_code, "_trusted", set())
        trust(find(f"{mine}:make"), remember=False)
        record_run(short({"network": f"{mine}:make"}), tmp_path / "foreign.h5")
    (tmp_path / "proof").unlink()
    own_code._loaded.clear()
    sys.modules.pop(mine.stem)
    return tmp_path / "foreign.h5"


def asked(window, qtbot) -> TrustDialog:
    """The question that the window asks."""
    qtbot.waitUntil(lambda: window.findChildren(TrustDialog) != [], timeout=60_000)
    dialogs: list[TrustDialog] = window.findChildren(TrustDialog)
    return dialogs[0]


def test_that_training_asks_and_goes_on_when_the_code_may_be_run(window, qtbot, mine, tmp_path):
    window.ui.steering.set_config(short({"network": f"{mine}:make"}))
    window.menu.train.trigger()
    dialog = asked(window, qtbot)
    assert not (tmp_path / "proof").exists()
    assert str(mine) in dialog.said.text()
    assert "torch.nn.Linear(784, 10)" in dialog.text.toPlainText()
    assert dialog.leave.hasFocus()
    assert dialog.text.accessibleName()
    assert not window.is_training()
    qtbot.mouseClick(dialog.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: not window.is_training() and getattr(window.run, "status", "") == "finished", timeout=60_000
    )
    assert (tmp_path / "proof").exists()
    assert json.loads((tmp_path / "settings" / "trusted_code.json").read_text()).keys() == {str(mine)}


def test_that_no_leaves_the_window_as_it_is_and_train_asks_again(window, qtbot, mine, tmp_path):
    window.ui.steering.set_config(short({"network": f"{mine}:make"}))
    for _ in range(2):
        window.menu.train.trigger()
        dialog = asked(window, qtbot)
        qtbot.mouseClick(dialog.leave, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.findChildren(TrustDialog) == [])
    assert not (tmp_path / "proof").exists()
    assert not window.is_training()
    window.load_preset("lenet5-digits")
    assert window.ui.steering.config == RunConfig.load("lenet5-digits")


def test_that_what_a_unit_of_a_run_from_elsewhere_sees_is_asked_for_and_shown(window, qtbot, foreign, tmp_path):
    window.open_run(foreign)
    qtbot.waitUntil(lambda: not window.ui.weights.is_empty(), timeout=20_000)
    window.questions.ask_for_picture("1", 3)
    dialog = asked(window, qtbot)
    assert not (tmp_path / "proof").exists()
    with qtbot.waitSignal(window.questions.answered, timeout=20_000):
        qtbot.mouseClick(dialog.run, Qt.MouseButton.LeftButton)
    assert (tmp_path / "proof").exists()


def test_that_the_examples_ask_once_and_say_why_they_are_empty(window, qtbot, foreign, tmp_path):
    window.open_run(foreign)
    next(dock for dock in window.ui.docks if dock.objectName() == "examples").raise_()
    qtbot.waitUntil(lambda: not window.ui.weights.is_empty(), timeout=20_000)
    dialog = asked(window, qtbot)
    qtbot.mouseClick(dialog.leave, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.findChildren(TrustDialog) == [])
    window.examples._see_again()
    qtbot.waitUntil(lambda: not window.examples._is_answering)
    assert window.findChildren(TrustDialog) == []
    assert not (tmp_path / "proof").exists()


def test_that_an_export_asks_and_is_written_when_the_code_may_be_run(qtbot, foreign, tmp_path):
    run = shutil.copy(foreign, tmp_path / "copy.h5")
    dialog = ExportDialog(tmp_path / "copy.h5")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    question = asked(dialog, qtbot)
    assert "was not run" in dialog.report.text.toPlainText()
    qtbot.mouseClick(question.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(run.with_suffix(".onnx").is_file, timeout=120_000)
