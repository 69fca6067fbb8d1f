"""Branch From Here, with real training: a stored run goes on from one of its checkpoints as another."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.store import RunReader, branch_configs
from tests.helpers.gui.training import LONG, WAIT_MS, begin, wait_for_end
from tests.helpers.places import FORMATS
from tests.helpers.same import plain

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def copied(window, gated, tmp_path, qtbot):
    """The window with a finished run of ten steps, at a time between its last two checkpoints."""
    path = Path(shutil.copy(gated.path, tmp_path / "mine.h5"))
    with qtbot.waitSignal(window.drawn, timeout=WAIT_MS):
        window.open_run(path)
    return window


def go_to(window, step):
    """The first snapshot at or after the step."""
    window.ui.time.choose(next(at for at, snapshot in enumerate(window.run.history) if snapshot.step >= step))


def enter(field, text, qtbot):
    field.line.selectAll()
    qtbot.keyClicks(field.line, text)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)


def shown_changes(window):
    return window.ui.steering.branch.changed.text().splitlines()


def test_that_the_action_names_the_checkpoint_at_or_before_the_time_shown(copied):
    action, button = copied.menu.branch, copied.ui.time.branch
    for position, snapshot in enumerate(copied.run.history):
        copied.ui.time.choose(position)
        step = max(step for step in branch_configs(copied.run.path) if step <= snapshot.step)
        assert action.text().replace("&", "") == f"Branch From Checkpoint at Step {step}"
        assert (button.text(), button.accessibleName()) == (f"Branch at {step}", action.text().replace("&", ""))
        assert f"checkpoint at step {step} " in action.toolTip()
        assert "Ctrl+B" in action.toolTip()
        assert action.isEnabled()


def test_that_there_is_no_branch_without_a_stored_run_or_of_one_that_trains(window, qtbot):
    action = window.menu.branch
    assert (action.isEnabled(), action.text()) == (False, "&Branch From Here")
    begin(window, qtbot, LONG)
    assert not action.isEnabled()
    window.menu.stop.trigger()
    wait_for_end(window, qtbot)
    assert action.isEnabled()


def test_that_a_file_without_states_says_where_it_has_some(window, tmp_path):
    window.open_run(Path(shutil.copy(FORMATS / "format-2.h5", tmp_path / "old.h5")))
    assert not window.menu.branch.isEnabled()
    window.open_run(Path(shutil.copy(FORMATS / "format-3.h5", tmp_path / "newer.h5")))
    assert "at Step 228" in window.menu.branch.text()
    window.ui.time.choose(0)
    assert not window.menu.branch.isEnabled()
    assert "at the steps 209, 228 alone" in window.menu.branch.toolTip()


def test_that_a_branch_is_edited_in_the_panel_trained_and_followed_with_its_parents_history(copied, qtbot):
    steering, parent = copied.ui.steering, copied.run
    step = [step for step in branch_configs(parent.path) if step < 10][-1]
    go_to(copied, step)
    qtbot.keyClick(copied, Qt.Key.Key_B, CTRL)
    assert steering.branch.isVisible()
    assert f"Branch of mine from step {step}" in steering.branch.head.text()
    assert shown_changes(copied) == ["Nothing is changed yet: it would go on as its parent."]
    assert copied.menu.train.text() == "&Train Branch"
    enabled = {name for name, field in steering.fields.items() if field.isEnabled()}
    assert {"penalty.lambda2", "method.draw", "epochs", "seed", "schedule.freeze_from"} <= enabled
    assert not {"network", "batch_size", "gate.granularity", "record.snapshots"} & enabled
    assert "A branch keeps it as in its parent" in steering.fields["network"].toolTip()
    in_force = branch_configs(parent.path)[step]
    enter(steering.fields["penalty.lambda2"], "0.25", qtbot)
    enter(steering.fields["epochs"], "40", qtbot)
    assert shown_changes(copied) == ["Changed:", "Epochs: 1 → 40", "λ₂ count: 0.0003 → 0.25"]
    qtbot.keyClick(copied, Qt.Key.Key_F5)
    assert not steering.branch.isVisible()
    qtbot.waitUntil(lambda: isinstance(copied.run, LiveRun) and len(copied.run.history) > 0, timeout=WAIT_MS)
    live = copied.run
    assert copied.windowTitle() == f"mine-0001.h5, branched from mine at step {step} — sparseviz"
    assert (copied.menu.train.text(), copied.menu.branch.isChecked()) == ("&Train", False)
    wait_for_end(copied, qtbot)
    run = copied.run
    assert isinstance(run, StoredRun)
    assert (run.status, run.path.name, run.history[len(run.history) - 1].step) == ("finished", "mine-0001.h5", 400)
    assert run.info.parent is not None
    assert (run.info.parent.id, run.info.parent.step) == (parent.info.id, step)
    earlier = [snapshot for snapshot in parent.history if snapshot.step <= step]
    for history in (live.history, run.history):
        for ours, theirs in zip(history, earlier, strict=False):
            np.testing.assert_equal(plain(ours, previews=False), plain(theirs, previews=False))
    assert run.info.config == in_force.changed({"penalty.lambda2": 0.25, "epochs": 40})
    assert copied.ui.steering.config == run.info.config
    assert f"branched from mine at step {step}" in copied.ui.status.file.toolTip()


def test_that_the_curves_mark_where_the_branch_left_its_parent(copied, qtbot):
    step = [step for step in branch_configs(copied.run.path) if step < 10][-1]
    go_to(copied, step)
    copied.menu.branch.trigger()
    enter(copied.ui.steering.fields["penalty.lambda2"], "0.25", qtbot)
    copied.menu.train.trigger()
    qtbot.waitUntil(copied.is_training, timeout=WAIT_MS)
    wait_for_end(copied, qtbot)
    qtbot.waitUntil(lambda: not copied.ui.curves.is_empty(), timeout=WAIT_MS)
    marks = {mark.text: mark.epoch for mark in copied.ui.curves._marks if mark.event}
    epoch = pytest.approx(step / copied.run.info.steps_per_epoch)
    assert marks["branch"] == marks["λ₂ 0.0003 → 0.25"] == epoch


def test_that_at_the_end_of_a_run_more_epochs_are_proposed_and_fewer_refused(copied, qtbot):
    steering = copied.ui.steering
    copied.menu.branch.trigger()
    assert "more epochs are proposed" in steering.branch.head.text()
    assert shown_changes(copied) == ["Changed:", "Epochs: 1 → 2"]
    enter(steering.fields["epochs"], "1", qtbot)
    assert "epochs: all 1 are done at this checkpoint; raise epochs" in steering.problem.text()
    copied.menu.undo.trigger()
    assert "Cannot be undone now" in steering.problem.text()
    assert steering.config.epochs == 2
    copied.menu.train.trigger()
    wait_for_end(copied, qtbot)
    assert copied.run.history[len(copied.run.history) - 1].step == 20
    with RunReader(copied.run.path) as run:
        assert run.info.parent is not None
        assert run.info.parent.step == 10


def test_that_a_branch_that_is_left_leaves_all_as_it_was(copied, qtbot):
    steering, config = copied.ui.steering, copied.run.info.config
    copied.ui.time.choose(2)
    for leave in (steering.branch.cancel.click, copied.menu.branch.trigger):
        copied.menu.branch.trigger()
        enter(steering.fields["penalty.lambda2"], "0.25", qtbot)
        before = copied.menu.branch.text()
        copied.ui.time.choose(len(copied.run.history) - 1)
        assert copied.menu.branch.text() == before  # the checkpoint stays the chosen one
        copied.ui.time.choose(2)
        leave()
        assert (steering.config, copied.menu.branch.isChecked()) == (config, False)
        assert not steering.branch.isVisible()
        assert all(field.isEnabled() for field in steering.fields.values())
    assert not copied.is_training()


def test_that_a_preset_or_file_of_another_network_is_refused_in_a_branch(copied, tmp_path):
    steering, config = copied.ui.steering, copied.run.info.config
    copied.ui.time.choose(2)
    copied.menu.branch.trigger()
    copied.load_preset("lenet5-digits")
    assert "a branch keeps it" in copied.messages.shown.text()
    assert steering.config.network == "lenet300"
    (tmp_path / "mine.toml").write_text(config.changed({"penalty.lambda1": 0.5}).as_toml())
    copied.files.open_config(tmp_path / "mine.toml")
    assert "λ₁ bimodal: 1e-06 → 0.5" in shown_changes(copied)


def test_that_another_run_ends_the_edit_of_a_branch(copied, gated):
    copied.menu.branch.trigger()
    copied.open_run(gated.path)
    assert not copied.menu.branch.isChecked()
    assert not copied.ui.steering.branch.isVisible()
    assert copied.ui.steering.config == gated.info.config
