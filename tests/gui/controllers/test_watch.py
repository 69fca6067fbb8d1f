"""A run that another process writes, followed by the real window."""

import os
import shutil

import numpy as np
import pytest

from sparseviz.gui.controllers.watch import Watch
from sparseviz.store import RunReader
from sparseviz.store.status_file import status_path
from sparseviz.values.snapshot import PREVIEW_SIDE
from tests.helpers.processes import killed
from tests.helpers.runs import Seen, recorded
from tests.helpers.same import assert_same_checkpoint, plain
from tests.helpers.watched import HOLD, LONGER, training, writing

PATIENCE_MS = 60_000


@pytest.fixture
def trained(tmp_path):
    """A training in another process that stands still after HOLD snapshots."""
    with training(tmp_path) as trained:
        yield trained


@pytest.fixture
def trained_long(tmp_path):
    """The same, which takes some seconds more, so that it is seen between its beginning and its end."""
    with training(tmp_path, {"epochs": 60, "record.snapshots": 150}) as trained:
        yield trained


@pytest.fixture
def standing(gated, tmp_path):
    """A process that has written HOLD snapshots and stays alive."""
    with writing(gated.path, tmp_path) as standing:
        yield standing


def assert_same_history(ours, theirs, *, previews=True):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_equal(plain(one, previews=previews), plain(other, previews=previews))


def state(window):
    return window.ui.state.text().strip(" ●")


def wait_for_end(qtbot, window):
    qtbot.waitUntil(lambda: window.watch.run is None, timeout=PATIENCE_MS)


def test_that_the_window_follows_to_the_end_and_has_drawn_what_the_finished_file_says(window, trained_long, qtbot):
    window.open_run(trained_long.path)
    assert (len(window.run.history), state(window)) == (HOLD, "training elsewhere")
    assert f"written by process {trained_long.child.pid} on " in window.ui.status.writer.text()
    shown = []
    window.ui.time.drawn.connect(lambda: shown.append(window.ui.views["curves"].position + 1))
    trained_long.go_on()
    wait_for_end(qtbot, window)
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == len(window.run.history), timeout=PATIENCE_MS)
    assert any(HOLD < number < len(window.run.history) for number in shown)  # while it trained
    with RunReader(trained_long.path) as run:
        assert_same_history(window.run.history, run.history())
        assert (window.run.errors, window.run.checkpoint_steps) == (run.errors, run.checkpoint_steps())
    assert (window.run.status, state(window)) == ("finished", "finished")
    told = f"test error {window.run.errors.test:.2f} %"
    qtbot.waitUntil(lambda: told in window.ui.ending.text(), timeout=PATIENCE_MS)
    assert window.menu.branch.isEnabled()
    assert window.ui.status.writer.text() == ""
    assert window.ui.status.currentMessage() == "The run has finished."


def test_that_watching_changes_nothing_of_the_training(window, trained, qtbot, tmp_path):
    window.open_run(trained.path)
    trained.go_on()
    wait_for_end(qtbot, window)
    alone = recorded(tmp_path / "alone.h5", LONGER, Seen(steer_at=16))
    with RunReader(trained.path) as watched, RunReader(alone.path) as unwatched:
        assert len(watched) == len(unwatched) > HOLD
        for one, other in zip(watched.snapshots(), unwatched.snapshots(), strict=True):
            np.testing.assert_equal(plain(one, time=False), plain(other, time=False))
        np.testing.assert_equal(vars_of(watched.errors), vars_of(unwatched.errors))
        assert watched.checkpoint_steps() == unwatched.checkpoint_steps()
        for step in watched.checkpoint_steps():
            assert_same_checkpoint(watched.checkpoint(step), unwatched.checkpoint(step))


def vars_of(errors):
    return errors.train, errors.validation, errors.test


def test_that_a_time_that_was_chosen_stays_and_shows_the_true_weights_of_a_new_checkpoint(window, trained, qtbot):
    window.open_run(trained.path)
    before = window.run.checkpoint_steps
    weights, time = window.ui.weights, window.ui.time
    qtbot.waitUntil(lambda: weights.history is not None, timeout=PATIENCE_MS)
    assert not weights._cells_available  # at the newest snapshot previews are drawn, as of a run that trains here
    time.choose(3)
    qtbot.waitUntil(lambda: weights._picture is not None and weights._picture.cells is not None, timeout=PATIENCE_MS)
    trained.go_on()
    wait_for_end(qtbot, window)
    qtbot.waitUntil(lambda: time.slider.maximum() == len(window.run.history) - 1, timeout=PATIENCE_MS)
    assert (time.position(), time.follows()) == (3, False)
    assert max(window.run.checkpoint_steps) > max(before)
    time.choose(HOLD + 12)
    wanted = window.run.checkpoint_step(HOLD + 12)
    assert wanted > max(before)

    def is_shown():
        cells = weights._picture.cells
        return cells is not None and cells.cells.step == wanted

    qtbot.waitUntil(is_shown, timeout=PATIENCE_MS)


def test_that_the_controls_say_why_they_cannot_be_used(window, standing, gated):
    actions = window.menu
    window.open_run(standing.path)
    controls = actions.pause, actions.step, actions.steps, actions.epoch, actions.freeze, actions.stop
    for action in controls:
        assert not action.isEnabled()
        assert f"Only process {standing.child.pid} on " in action.toolTip()
    window.open_run(gated.path)
    assert not any("Only process" in action.toolTip() for action in controls)


def test_that_a_run_whose_writer_is_killed_is_told_as_interrupted_and_can_be_resumed(window, standing, qtbot):
    window.open_run(standing.path)
    assert not window.menu.resume.isEnabled()
    killed(standing.child)
    wait_for_end(qtbot, window)
    assert (window.run.status, state(window)) == ("interrupted", "interrupted")
    assert "Resume From File" in window.ui.status.currentMessage()
    assert window.menu.resume.isEnabled()
    assert len(window.run.history) == HOLD


@pytest.mark.parametrize("harm", ["moved", "cut off", "overwritten"])
def test_that_a_file_that_vanishes_or_is_damaged_is_told_and_the_window_keeps_what_it_has(
    window, standing, qtbot, tmp_path, harm
):
    window.open_run(standing.path)
    if harm == "moved":
        standing.path.rename(tmp_path / "elsewhere.h5")
    elif harm == "cut off":
        os.truncate(standing.path, standing.path.stat().st_size // 2)
    else:
        standing.path.write_bytes(b"nothing of the kind")
    wait_for_end(qtbot, window)
    assert "watched.h5" in window.messages.shown.text()
    assert "what was read of it stays" in window.messages.shown.text()
    assert (len(window.run.history), state(window)) == (HOLD, "followed no more")
    assert not window.ui.views["curves"].is_empty()
    window.messages.shown.close()


def test_that_another_run_of_the_same_name_is_not_mixed_into_the_one_that_is_watched(window, standing, gated, qtbot):
    window.open_run(standing.path)
    standing.path.unlink()
    shutil.copy(gated.path, standing.path)
    wait_for_end(qtbot, window)
    assert "is another run by now" in window.messages.shown.text()
    assert len(window.run.history) == HOLD
    window.messages.shown.close()


class TestStatusFile:
    def test_that_it_is_followed_until_the_run_has_ended_and_its_file_is_opened(self, window, trained, qtbot):
        window.open_run(status_path(trained.path))
        assert (window.run.path, state(window)) == (trained.path, "training elsewhere")
        begun = len(window.run.history)
        with RunReader(trained.path) as run:
            written = {snapshot.step: snapshot for snapshot in run.snapshots()}
        assert 0 < begun <= HOLD
        for snapshot in window.run.history:
            np.testing.assert_equal(plain(snapshot, previews=False), plain(written[snapshot.step], previews=False))
        assert max(window.run.history[begun - 1].layers[0].preview.shape) <= PREVIEW_SIDE
        assert not window.menu.export.isEnabled()
        assert "when the run has ended" in window.menu.export.toolTip()
        assert "status of " in window.ui.status.writer.text()
        trained.go_on()
        qtbot.waitUntil(lambda: window.run.has_checkpoints, timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda: not window.ui.views["layers"].is_empty(), timeout=PATIENCE_MS)
        with RunReader(trained.path) as run:
            assert_same_history(window.run.history, run.history())
        assert state(window) == "finished"
        assert window.menu.export.isEnabled()
        assert "with proof" in window.menu.export.toolTip()
        assert not status_path(trained.path).exists()

    def test_that_it_stands_for_a_run_file_on_a_network_drive(self, window, standing, tmp_path, mounted, qtbot):
        mounted({"/": "ext4", str(tmp_path): "nfs4"})
        window.open_run(standing.path)
        assert not window.run.has_checkpoints
        killed(standing.child)  # on this very machine, so its lock says that it is gone
        qtbot.waitUntil(lambda: window.run.has_checkpoints, timeout=PATIENCE_MS)
        assert (state(window), len(window.run.history)) == ("interrupted", HOLD)
        assert window.menu.resume.isEnabled()

    def test_that_what_a_killed_writer_left_opens_its_run_file(self, window, standing, qtbot):
        killed(standing.child)
        assert status_path(standing.path).exists()
        window.open_run(status_path(standing.path))
        qtbot.waitUntil(lambda: window.run.has_checkpoints, timeout=PATIENCE_MS)
        assert (state(window), len(window.run.history)) == ("interrupted", HOLD)

    def test_that_what_is_no_status_file_is_told(self, window, tmp_path):
        (tmp_path / "run.h5.status").write_text("{}")
        window.open_run(tmp_path / "run.h5.status")
        assert "run.h5.status is no status file of sparseviz, or it is damaged" in window.messages.shown.text()
        window.messages.shown.close()


def test_that_a_finished_run_is_not_looked_at(window, gated, qtbot):
    window.open_run(gated.path)
    assert isinstance(window.watch, Watch)
    assert window.watch.run is None
    assert not window.watch._timer.isActive()
