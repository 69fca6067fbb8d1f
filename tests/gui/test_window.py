"""The window, with real training: everything that a person does with a run."""

import json

import numpy as np
import onnx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QApplication, QInputDialog, QMessageBox

from sparseviz.analysis.receptive import receptive_picture
from sparseviz.config import RunConfig
from sparseviz.gui.dialogs.export.dialog import ExportDialog
from sparseviz.gui.dialogs.export.work import wait_for_exports
from sparseviz.gui.main_window import MainWindow
from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader
from sparseviz.values.cells import Part
from tests.helpers.gui.training import LONG, SHORT, WAIT_MS, begin, wait_for_end
from tests.helpers.runs import trust


def wait_at_rest(window, qtbot):
    """Wait until the paused trainer has given its last snapshot, and the window has drawn it."""

    def at_rest():
        history = window.run.history
        return len(history) and history[len(history) - 1].step == window.run.trainer.step

    qtbot.waitUntil(at_rest, timeout=WAIT_MS)
    newest = len(window.run.history), len(window.run.history) - 1
    with qtbot.waitSignal(window.drawn, timeout=WAIT_MS, check_params_cb=lambda *now: now == newest):
        window.redraw()


@pytest.fixture
def stored(window, qtbot):
    """A window that shows a run that it has trained to the end, which may be over before one can look at it live."""
    window.ui.steering.set_config(RunConfig().changed(SHORT))
    with qtbot.waitSignal(window.drawn, timeout=WAIT_MS, check_params_cb=lambda *_: not window.is_training()):
        window.menu.train.trigger()
    return window


def test_that_the_embedded_example_is_one_key_from_training(window, qtbot):
    assert window.ui.steering.config == RunConfig.load("lenet5-digits")
    assert all(view.is_empty() for view in window.ui.views.values())
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: isinstance(window.run, LiveRun), timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    wait_for_end(window, qtbot)
    assert window.run.status == "stopped"


def test_that_a_run_trains_pauses_steps_is_steered_resumes_and_stops(window, qtbot):
    begin(window, qtbot, LONG)
    assert not window.ui.steering.fields["network"].isEnabled()
    window.menu.pause.trigger()
    wait_at_rest(window, qtbot)
    at = window.run.trainer.step
    window.menu.step.trigger()
    qtbot.waitUntil(lambda: window.run.history[len(window.run.history) - 1].step == at + 1, timeout=WAIT_MS)
    line = window.ui.steering.fields["penalty.lambda2"].line
    line.selectAll()
    qtbot.keyClicks(line, "0.5")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    window.menu.step.trigger()
    qtbot.waitUntil(lambda: window.run.history[len(window.run.history) - 1].step == at + 2, timeout=WAIT_MS)
    newest = window.run.history[len(window.run.history) - 1]
    assert newest.scalars["lambda2"] == 0.5
    assert [(event.step, event.name, event.after) for event in newest.events] == [(at + 1, "penalty.lambda2", 0.5)]
    window.menu.pause.trigger()
    qtbot.waitUntil(lambda: window.run.trainer.step > at + 20, timeout=WAIT_MS)
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    assert isinstance(window.run, StoredRun)
    assert window.run.status == "stopped"
    assert np.isfinite(window.run.errors.test)
    with RunReader(window.run.path) as reader:
        assert reader.checkpoint_steps()[-1] == window.run.history[len(window.run.history) - 1].step
    assert ("penalty.lambda2", 0.5) in [(event.name, event.after) for event in window.run.history.events()]


def test_that_a_run_does_the_steps_asked_for_and_ends_its_epoch_and_freezes_its_masks(window, qtbot, monkeypatch):
    begin(window, qtbot, LONG)
    window.menu.pause.trigger()
    wait_at_rest(window, qtbot)
    trainer, at = window.run.trainer, window.run.trainer.step
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, True))  # a modal question would wait for a person
    window.menu.steps.trigger()
    qtbot.waitUntil(lambda: trainer.step == at + 3 and trainer.steps_to_go == 0, timeout=WAIT_MS)
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, False))
    window.menu.steps.trigger()
    window.menu.epoch.trigger()
    qtbot.waitUntil(lambda: trainer.step > at + 3 and trainer.steps_to_go == 0, timeout=WAIT_MS)
    assert trainer.step % trainer.steps_per_epoch == 0
    window.menu.freeze.trigger()
    window.menu.step.trigger()
    qtbot.waitUntil(lambda: window.run.history[len(window.run.history) - 1].phase == "frozen", timeout=WAIT_MS)
    window.menu.freeze.trigger()
    assert window.ui.status.currentMessage() == "The masks are frozen already."
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    assert [event.name for event in window.run.history.events()].count("freeze") == 1
    assert not window.menu.freeze.isEnabled()


def test_that_a_run_that_trains_can_be_made_longer_and_not_shorter(window, qtbot):
    begin(window, qtbot, LONG)
    panel, line = window.ui.steering, window.ui.steering.fields["epochs"].line
    for text in ("3000", "2500"):
        line.selectAll()
        qtbot.keyClicks(line, text)
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert "can be made longer" in panel.problem.text()
    assert line.text() == "3000"
    qtbot.waitUntil(lambda: window.run.trainer.steps == 3000 * window.run.trainer.steps_per_epoch, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "/ 3000" in window.ui.status.epoch.text(), timeout=WAIT_MS)
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    assert ("epochs", 3000) in [(event.name, event.after) for event in window.run.history.events()]


def test_that_stop_leaves_the_test_set_unread_when_told_so(window, qtbot):
    window.menu.read_test.setChecked(False)
    begin(window, qtbot, LONG)
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    assert np.isnan(window.run.errors.test)
    assert np.isfinite(window.run.errors.validation)
    assert window.ui.ending.text() == ""


def test_that_every_view_shows_the_run_while_it_trains(window, qtbot):
    begin(window, qtbot, LONG)
    window.menu.pause.trigger()
    wait_at_rest(window, qtbot)
    for name, view in window.ui.views.items():
        assert not view.is_empty(), name
        assert view.history is window.run.history
    assert "live" in window.ui.time.label.text()
    assert "images/s" in window.ui.status.facts.text()


def test_that_true_cells_come_from_the_trainer_while_it_is_paused(window, qtbot):
    begin(window, qtbot, LONG)
    window.menu.pause.trigger()
    wait_at_rest(window, qtbot)
    with qtbot.waitSignal(window.questions.answered, timeout=WAIT_MS) as came:
        window.questions.ask_for_cells(Part("fc2", slice(5, 9), slice(0, 300)))
    cells = came.args[0]
    assert cells.source == "live"
    assert np.array_equal(cells.weight, window.run.trainer.method.weight("fc2")[5:9].detach().numpy())


def test_that_what_a_unit_sees_is_asked_of_the_paused_trainer_and_of_a_stored_run(window, qtbot):
    begin(window, qtbot, LONG)
    window.menu.pause.trigger()
    wait_at_rest(window, qtbot)
    view = window.ui.weights
    view.choices.layers.setCurrentText("fc2")
    qtbot.keyClick(view, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: "pixels" in view.unit.captions[1].text(), timeout=WAIT_MS)
    checkpoint = window.run.trainer.checkpoint()
    seen = receptive_picture("lenet300", checkpoint, "fc2", 0, (1, 28, 28))
    assert view.unit.captions[1].text() == f"sees {(seen > 0).sum()} of 784 pixels"
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    view.choices.layers.setCurrentText("fc2")
    qtbot.keyClick(view, Qt.Key.Key_U)
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    with RunReader(window.run.path) as reader:
        seen = receptive_picture("lenet300", reader.checkpoint(), "fc2", 1, (1, 28, 28))
    qtbot.waitUntil(lambda: view.unit.captions[0].text() == "fc2, unit 1" and len(view.unit.captions[1].text()) > 1)
    assert view.unit.captions[1].text() == f"sees {(seen > 0).sum()} of 784 pixels"


def test_that_a_stopped_run_is_resumed_in_a_new_file_and_its_history_goes_on(window, qtbot):
    assert not window.menu.resume.isEnabled()
    begin(window, qtbot, SHORT | {"epochs": 60, "record.snapshots": 600})  # long enough to be seen while it trains
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    old, before = window.run.path, [snapshot.step for snapshot in window.run.history]
    assert window.menu.resume.isEnabled()
    window.menu.resume.trigger()
    qtbot.waitUntil(lambda: isinstance(window.run, LiveRun), timeout=WAIT_MS)
    assert [snapshot.step for snapshot in window.run.history][: len(before) - 1] == before[:-1]
    wait_for_end(window, qtbot)
    assert window.run.status == "finished"
    assert window.run.path != old
    assert old.is_file()
    steps = [snapshot.step for snapshot in window.run.history]
    assert steps == sorted(set(steps))
    assert steps[-1] == window.run.info.steps
    assert 0 < window.run.info.resumed[-1] <= before[-1]  # where it was stopped, between two snapshots or at one
    assert not window.menu.resume.isEnabled()


def test_that_a_stored_run_can_be_scrubbed_and_shows_its_checkpoints_cells(stored, qtbot):
    time = stored.ui.time
    assert time.position() == len(stored.run.history) - 1 == 36
    stored.menu.previous.trigger()
    with qtbot.waitSignal(stored.drawn, timeout=WAIT_MS, check_params_cb=lambda *now: now == (37, 10)):
        time.slider.setValue(10)
    assert all(view.position == 10 for view in stored.ui.views.values())
    assert "snapshot 11 of 37" in time.label.text()
    with qtbot.waitSignal(stored.questions.answered, timeout=WAIT_MS) as came:
        stored.questions.ask_for_cells(Part("fc3", slice(0, 10), slice(0, 100)))
    cells = came.args[0]
    with RunReader(stored.run.path) as reader:
        nearest = max(step for step in reader.checkpoint_steps() if step <= stored.run.history[10].step)
    assert (cells.source, cells.step) == ("checkpoint", nearest)


def test_that_only_views_in_sight_are_drawn_and_only_when_something_has_changed(stored, qtbot, monkeypatch):
    drawn: list[str] = []
    for name, view in stored.ui.views.items():

        def noted(*at, name=name, plain=view._draw):
            drawn.append(name)
            plain(*at)

        monkeypatch.setattr(view, "_draw", noted)
    docks = {dock.objectName(): dock for dock in stored.ui.docks}

    def wait_for_rest():
        QApplication.processEvents()  # a view that comes into sight asks when it is painted
        qtbot.waitUntil(stored.redraws.is_at_rest, timeout=WAIT_MS)

    def after(act):
        drawn.clear()
        act()
        wait_for_rest()
        return sorted(drawn)

    assert after(stored.menu.previous.trigger) == ["curves", "gates", "layers", "weights"]
    assert after(lambda: None) == []
    docks["gates"].close()
    docks["examples"].raise_()  # before the layers
    wait_for_rest()
    assert after(stored.menu.previous.trigger) == ["curves", "weights"]
    assert set(after(docks["gates"].show)) >= {"gates"}
    assert stored.ui.gates.position == stored.ui.time.position()


def test_that_a_run_is_exported_from_the_menu_with_its_proof_shown(stored, qtbot):
    stored.menu.export.trigger()
    dialog = stored.findChild(ExportDialog)
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Proven" in dialog.stage.text(), timeout=WAIT_MS)
    assert "the answers differ by" in dialog.report.text.toPlainText()
    onnx.checker.check_model(dialog.name.line.text(), full_check=True)
    dialog.start()  # the same name again: refused, said, and nothing lost
    assert "Not exported" in dialog.stage.text()
    assert "exists already" in dialog.name.refusal.text()
    dialog.close()


def test_that_closing_the_window_gives_up_an_export_which_leaves_nothing(stored):
    stored.menu.export.trigger()
    dialog = stored.findChild(ExportDialog)
    dialog.start()
    work, folder = dialog._work, stored.run.path.parent
    before = {path for path in folder.iterdir() if not path.name.startswith(".")}
    stored.close()
    assert not stored.isVisible()
    wait_for_exports()
    assert work.answer.done()
    assert set(folder.iterdir()) == before


def test_that_a_picture_of_the_window_is_saved_and_a_failure_to_is_told(stored, tmp_path):
    stored.files.save_picture(tmp_path / "window.png")
    picture = QImage(str(tmp_path / "window.png"))
    assert picture.size() == stored.size()
    stored.files.save_picture(tmp_path / "nowhere" / "window.png")
    assert "nowhere" in stored.messages.shown.text()


def test_that_a_run_opened_again_shows_the_same_and_can_be_trained_again(stored, qtbot):
    first = stored.run
    with qtbot.waitSignal(stored.drawn, timeout=WAIT_MS):
        stored.open_run(first.path)
    assert stored.ui.steering.config == RunConfig().changed(SHORT)
    stored.menu.train.trigger()
    wait_for_end(stored, qtbot)
    assert stored.run.path != first.path
    for before, after in zip(first.history, stored.run.history, strict=True):
        assert np.array_equal(before.layers[0].histogram, after.layers[0].histogram)


def test_that_a_snapshot_once_appended_never_changes(window, qtbot):
    begin(window, qtbot, SHORT | {"optimizer.gate_rate": 0.05})
    seen: list[tuple[int, object]] = []

    def look():
        history = window.run.history
        seen.extend((at, fingerprint(history[at])) for at in range(len(seen), len(history)))
        return not window.is_training()

    live = window.run
    qtbot.waitUntil(look, timeout=WAIT_MS)
    assert len(seen) > 5
    assert all(fingerprint(live.history[at]) == print_ for at, print_ in seen)


def fingerprint(snapshot):
    arrays = [a.tobytes() for layer in snapshot.layers for a in (layer.histogram, layer.row_kept, layer.preview)]
    return json.dumps(dict(snapshot.scalars)), arrays


def test_that_a_window_closed_in_mid_training_leaves_a_readable_file_and_no_thread(window, qtbot):
    begin(window, qtbot, LONG)
    path, thread = window.run.path, window.training
    window.close()
    assert thread.isFinished()
    with RunReader(path) as run:
        assert run.status == "stopped"
        assert len(run) >= 3
        assert run.checkpoint().step == run.snapshots()[-1].step


def test_that_training_with_the_window_gives_the_same_bits_as_without(stored, tmp_path):
    with (
        RunReader(record_run(RunConfig().changed(SHORT), tmp_path / "plain.h5")) as plain,
        RunReader(stored.run.path) as shown,
    ):
        assert len(plain) == len(shown)
        for kind in ("parameters", "masks", "quantities"):
            ours, theirs = getattr(plain.checkpoint(), kind), getattr(shown.checkpoint(), kind)
            assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_that_a_failure_in_training_is_told_and_the_window_lives_on(window, qtbot):
    window.ui.steering.set_config(RunConfig().changed(SHORT | {"optimizer.rate": 1e30}))
    window.menu.train.trigger()
    wait_for_end(window, qtbot)
    assert "no longer a finite number" in window.messages.shown.text()
    window.messages.shown.close()
    assert window.run.status == "failed"
    assert len(window.run.history) > 0
    begin(window, qtbot, SHORT)
    wait_for_end(window, qtbot)
    assert window.run.status == "finished"


def test_that_a_fault_of_the_persons_own_network_is_told_with_its_traceback(window, qtbot, tmp_path, monkeypatch):
    (tmp_path / "faulty_network.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Linear):\n"
        "    steps = 0\n"
        "    def forward(self, x):\n"
        "        Net.steps += self.training\n"
        "        if Net.steps > 5: raise ZeroDivisionError('my own fault')\n"
        "        return super().forward(x.flatten(1))\n"
        "def make(): return Net(784, 10)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    trust("faulty_network:make")
    window.ui.steering.set_config(RunConfig().changed(SHORT | {"network": "faulty_network:make"}))
    window.menu.train.trigger()
    wait_for_end(window, qtbot)
    assert "ZeroDivisionError: my own fault" in window.messages.shown.text()
    assert "faulty_network.py" in window.messages.shown.detailedText()
    assert window.run.status == "failed"


@pytest.mark.parametrize("text", ["no HDF5", ""])
def test_that_a_file_that_is_no_run_is_told_and_the_window_stays_as_it_is(stored, tmp_path, text):
    before = stored.run
    (tmp_path / "other.h5").write_text(text)
    stored.open_run(tmp_path / "other.h5")
    assert "other.h5 is no HDF5 file" in stored.messages.shown.text()
    assert stored.messages.shown.icon() == QMessageBox.Icon.Warning
    assert stored.run is before


def test_that_a_second_window_does_not_train_beside_the_first(window, qtbot):
    second = MainWindow()
    qtbot.addWidget(second)
    begin(window, qtbot, LONG)
    second.menu.train.trigger()
    assert not second.is_training()
    told = second.messages.shown
    assert told is not None
    assert "Another window is training" in told.text()


def test_that_the_preset_is_named_only_while_its_settings_are_those_shown(window, qtbot):
    presets, line = window.ui.presets, window.ui.steering.fields["seed"].line
    assert presets.currentText() == "lenet5-digits"
    line.selectAll()
    qtbot.keyClicks(line, "7")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert window.ui.steering.config.seed == 7
    assert presets.currentIndex() == -1
    window.load_preset("lenet5-digits")
    assert presets.currentText() == "lenet5-digits"


def test_that_the_penalty_is_that_of_the_lambdas_now_set(window, qtbot):
    line = window.ui.steering.fields["penalty.lambda1"].line
    line.selectAll()
    qtbot.keyClicks(line, "1e-7")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert "pulls every gate to 0" in window.ui.prior.sentence.text()
    window.ui.steering.set_config(RunConfig().changed({"penalty.lambda1": 1.0, "penalty.lambda2": 0.5}))
    assert "Gates above 0.75 are pulled to 1" in window.ui.prior.sentence.text()
    squared = {"penalty.lambda1": 1.0, "penalty.lambda2": 0.25, "penalty.count": "l2"}
    window.ui.steering.set_config(RunConfig().changed(squared))
    assert "Gates above 0.67 are pulled to 1" in window.ui.prior.sentence.text()
    window.ui.steering.set_config(RunConfig().changed({"method.name": "dense"}))
    assert "No penalty acts" in window.ui.prior.sentence.text()


@pytest.mark.parametrize("dark", [False, True])
def test_that_icons_have_the_colour_of_the_text_beside_them(window, dark):
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.ButtonText, QColor("#e0e4e8" if dark else "#101214"))
    window.setPalette(palette)
    picture = window.menu.train.icon().pixmap(32).toImage()
    inside = picture.pixelColor(picture.width() // 2, picture.height() // 2)
    assert inside == palette.color(QPalette.ColorRole.ButtonText)


def test_that_a_wrong_value_is_told_and_the_last_good_one_stays(window, qtbot):
    panel = window.ui.steering
    line = panel.fields["epochs"].line
    line.selectAll()
    qtbot.keyClicks(line, "many")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert "epochs" in panel.problem.text()
    assert panel.problem.isVisible()
    assert line.text() == str(panel.config.epochs)
