"""A run whose folder vanishes while it trains in the window: the window asks, lives on, and follows the run."""

import shutil
import sys

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog

from sparseviz.store import RunReader
from tests.helpers.gui.training import LONG, SHORT, WAIT_MS, begin, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a folder with an open file cannot be moved")


@pytest.fixture
def stuck(window, qtbot, tmp_path):
    """A window whose run has lost its folder, which is now `away`."""
    begin(window, qtbot, LONG | {"seed": 7})
    shutil.move(window.run.path.parent, tmp_path / "away")
    qtbot.waitUntil(window.rescue.bar.isVisible, timeout=WAIT_MS)
    return window


def state(window):
    return window.ui.state.text().strip(" ●")


def test_that_it_says_what_cannot_be_written_and_stays_usable(stuck, qtbot):
    assert f"the folder {stuck.run.path.parent} is gone" in stuck.rescue.bar.text.text()
    assert state(stuck) == "paused: file cannot be written"
    assert "cannot be written" in stuck.ui.status.currentMessage()
    seen = len(stuck.run.history)
    ticks = []
    timer = QTimer(interval=10)
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start()
    answer = stuck.run.trainer.ask(lambda: stuck.run.trainer.step)
    qtbot.waitUntil(lambda: len(ticks) >= 20 and answer.done(), timeout=2000)
    timer.stop()
    assert len(stuck.run.history) == seen
    assert stuck.rescue.bar.accessibleName()
    buttons = (stuck.rescue.bar.again, stuck.rescue.bar.elsewhere, stuck.rescue.bar.stop)
    assert all(button.isEnabled() and "&" in button.text() and button.accessibleDescription() for button in buttons)
    stuck.close()


def test_that_trying_again_asks_again_until_the_folder_is_back(stuck, qtbot, tmp_path):
    stuck.rescue.bar.again.setFocus()
    qtbot.keyClick(stuck.rescue.bar.again, Qt.Key.Key_Space)
    qtbot.waitUntil(stuck.rescue.bar.isVisible, timeout=WAIT_MS)
    shutil.move(tmp_path / "away", stuck.run.path.parent)
    seen = len(stuck.run.history)
    qtbot.keyClick(stuck.rescue.bar.again, Qt.Key.Key_Space)
    assert state(stuck) == "training"
    qtbot.waitUntil(lambda: len(stuck.run.history) > seen + 2, timeout=WAIT_MS)
    assert not stuck.rescue.bar.isVisible()
    stuck.stop()
    wait_for_end(stuck, qtbot)
    assert stuck.run.status == "stopped"
    assert len(stuck.run.history) > seen + 2


def test_that_it_goes_on_in_another_folder_and_the_window_follows(stuck, qtbot, tmp_path, monkeypatch):
    there, history, name = tmp_path / "there", stuck.run.history, stuck.run.path.name
    there.mkdir()
    seen = len(history)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(there))
    qtbot.mouseClick(stuck.rescue.bar.elsewhere, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(history) > seen + 2, timeout=WAIT_MS)
    assert stuck.run.path == there / name
    assert stuck.windowTitle() == f"{name} — sparseviz"
    qtbot.waitUntil(lambda: stuck.ui.status.file.toolTip() == str(there / name), timeout=WAIT_MS)
    stuck.stop()
    wait_for_end(stuck, qtbot)
    assert (stuck.run.path, stuck.run.status, len(stuck.run.history)) == (there / name, "stopped", len(history))
    assert [one.step for one in stuck.run.history] == [one.step for one in history]
    assert stuck.menu.export.isEnabled()


def test_that_stop_ends_the_run_and_its_file_stays(stuck, qtbot, tmp_path):
    path, seen = stuck.run.path, len(stuck.run.history)
    qtbot.mouseClick(stuck.rescue.bar.stop, Qt.MouseButton.LeftButton)
    wait_for_end(stuck, qtbot)
    assert not stuck.rescue.bar.isVisible()
    with RunReader(tmp_path / "away" / path.name) as run:
        assert (run.status, run.writer, len(run)) == ("interrupted", None, seen)


@pytest.mark.parametrize("is_asked", [True, False])
def test_that_the_window_closes_at_once(window, qtbot, tmp_path, is_asked):
    begin(window, qtbot, LONG)
    name = window.run.path.name
    shutil.move(window.run.path.parent, tmp_path / "away")
    if is_asked:
        qtbot.waitUntil(window.rescue.bar.isVisible, timeout=WAIT_MS)
    thread = window.training
    window.close()
    assert thread.isFinished()
    with RunReader(tmp_path / "away" / name) as run:
        assert run.status == "interrupted"


def test_that_an_ordinary_run_shows_no_bar(window, qtbot):
    begin(window, qtbot, SHORT)
    assert not window.rescue.bar.isVisible()
    wait_for_end(window, qtbot)
    assert window.run.status == "finished"
