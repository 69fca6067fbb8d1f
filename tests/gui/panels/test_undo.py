"""Undo and redo of configuration edits, by keys and mouse in the real window."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from sparseviz.config import RunConfig
from sparseviz.gui.sources.live_run import LiveRun

WAIT_MS = 60_000
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LONG = {"network": "lenet300", "epochs": 2000, "batch_size": 50, "threads": 1, "record.snapshots": 4000}


def type_into(qtbot, line, text, *, enter=True):
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)
    if enter:
        qtbot.keyClick(line, Qt.Key.Key_Return)


def undo(window, qtbot):
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Z, CONTROL)


def redo(window, qtbot):
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Z, CONTROL | SHIFT)


def test_that_the_beginning_cannot_be_undone(window):
    assert not window.menu.undo.isEnabled()
    assert not window.menu.redo.isEnabled()


def test_that_keys_take_an_edit_back_and_do_it_again_and_the_menu_names_it(window, qtbot):
    panel = window.ui.steering
    first = panel.config
    type_into(qtbot, panel.fields["penalty.lambda2"].line, "0.25")
    assert window.menu.undo.text() == "&Undo λ₂ count"
    type_into(qtbot, panel.fields["seed"].line, "7")
    undo(window, qtbot)
    assert (panel.config.seed, panel.config.penalty.lambda2) == (first.seed, 0.25)
    undo(window, qtbot)
    assert panel.config == first
    assert panel.fields["penalty.lambda2"].line.text() == f"{first.penalty.lambda2:g}"
    assert (window.menu.undo.text(), window.menu.redo.text()) == ("&Undo", "&Redo λ₂ count")
    redo(window, qtbot)
    redo(window, qtbot)
    assert (panel.config.seed, panel.config.penalty.lambda2) == (7, 0.25)
    assert not window.menu.redo.isEnabled()


def test_that_a_line_keeps_the_undo_of_its_own_typing_until_it_is_done(window, qtbot):
    panel = window.ui.steering
    type_into(qtbot, panel.fields["seed"].line, "7")
    epochs = panel.fields["epochs"].line
    before = epochs.text()
    type_into(qtbot, epochs, "12", enter=False)
    undo(window, qtbot)
    assert epochs.text() == before
    assert panel.config.seed == 7


def test_that_a_preset_is_one_edit_that_undo_names(window, qtbot):
    panel, presets = window.ui.steering, window.ui.presets
    first = panel.config
    presets.setCurrentText("lenet300-mnist-best")
    presets.activated.emit(presets.currentIndex())
    assert panel.config == RunConfig.load("lenet300-mnist-best")
    assert window.menu.undo.text() == "&Undo preset lenet300-mnist-best"
    undo(window, qtbot)
    assert panel.config == first
    assert presets.currentText() == "lenet5-digits"


def test_that_a_sliders_drag_is_one_edit_and_the_next_drag_another(window, qtbot):
    panel = window.ui.steering
    slider, first = panel.fields["penalty.lambda1"].slider, panel.config
    drag(qtbot, slider, 25)
    between = panel.config
    assert between != first
    drag(qtbot, slider, -12)
    assert panel.edits.count() == 2
    undo(window, qtbot)
    assert panel.config == between
    undo(window, qtbot)
    assert panel.config == first


def drag(qtbot, slider, pixels):
    """Take the slider's handle and move it, pixel by pixel."""
    style_room = slider.width() - 14
    x = 7 + round(slider.value() / slider.maximum() * style_room)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(x, slider.height() // 2))
    assert slider.isSliderDown()
    for step in range(1, abs(pixels) + 1):
        qtbot.mouseMove(slider, QPoint(x + step * (1 if pixels > 0 else -1), slider.height() // 2))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)


def test_that_arrow_keys_held_on_a_slider_are_one_edit(window, qtbot):
    panel = window.ui.steering
    slider, first = panel.fields["optimizer.rate"].slider, panel.config
    for _ in range(8):
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert panel.config.optimizer.rate > first.optimizer.rate
    assert panel.edits.count() == 1


def test_that_a_value_that_is_none_or_the_same_leaves_nothing_to_undo(window, qtbot):
    line = window.ui.steering.fields["epochs"].line
    for text in ("many", line.text() + "0", line.text()):
        type_into(qtbot, line, text)
    assert window.ui.steering.edits.count() == 2  # to ten times as many, and back


@pytest.fixture
def training(window, qtbot):
    window.ui.steering.set_config(RunConfig().changed(LONG), "a long run")
    window.menu.train.trigger()
    qtbot.waitUntil(lambda: isinstance(window.run, LiveRun) and len(window.run.history) > 1, timeout=WAIT_MS)
    return window


def test_that_undo_steers_a_run_that_trains_and_says_what_it_cannot_take_back(training, qtbot):
    panel = training.ui.steering
    steering = training.run.trainer.steering
    type_into(qtbot, panel.fields["penalty.lambda2"].line, "0.25")
    qtbot.waitUntil(lambda: steering.config.penalty.lambda2 == 0.25, timeout=WAIT_MS)
    undo(training, qtbot)
    qtbot.waitUntil(lambda: steering.config.penalty.lambda2 == 0.05, timeout=WAIT_MS)
    undo(training, qtbot)  # what came before the run is fixed now
    assert panel.problem.isVisible()
    assert "cannot change while a run trains" in panel.problem.text()
    assert panel.config.epochs == 2000
    type_into(qtbot, panel.fields["epochs"].line, "3000")
    undo(training, qtbot)
    assert "Cannot be undone now" in panel.problem.text()
    assert "not shorter" in panel.problem.text()
    assert panel.config.epochs == 3000
    assert training.menu.undo.text() == "&Undo Epochs"
    training.menu.stop.trigger()
    qtbot.waitUntil(lambda: not training.is_training(), timeout=WAIT_MS)
    QApplication.processEvents()
    undo(training, qtbot)  # the run's own configuration came back when it ended
    undo(training, qtbot)
    assert panel.config.epochs == 2000


def test_that_a_tick_of_a_slider_validates_the_configuration_once_from_the_form_to_the_trainer(
    training, qtbot, monkeypatch
):
    steering, slider = training.run.trainer.steering, training.ui.steering.fields["penalty.lambda2"].slider
    before, validate = steering.config.penalty.lambda2, RunConfig.model_validate
    validated = []

    def count(values):
        validated.append(values)
        return validate(values)

    qtbot.keyClick(slider, Qt.Key.Key_Right)  # the presets are read
    qtbot.waitUntil(lambda: steering.config.penalty.lambda2 > before, timeout=WAIT_MS)
    first = steering.config.penalty.lambda2
    monkeypatch.setattr(RunConfig, "model_validate", count)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: steering.config.penalty.lambda2 > first, timeout=WAIT_MS)
    assert len(validated) == 1
