"""Examples in the real window: answers that follow the slider and the training, drawings, and dense runs."""

import dataclasses
import os
import shutil
import signal

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog

from sparseviz.analysis.answers import Network, validation_examples
from sparseviz.config import RunConfig
from sparseviz.gui.sources.dense_training import command, reason
from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader
from tests.helpers.gui.mouse import stroke
from tests.helpers.gui.training import wait_for_redraws

pytestmark = [pytest.mark.qt_log_level_fail("WARNING"), pytest.mark.qt_log_ignore("does not support")]
SHORT = {
    "network": "lenet300",
    "epochs": 3,
    "batch_size": 50,
    "threads": 1,
    "optimizer.gate_rate": 0.02,
    "penalty.scale": "sum",
    "penalty.lambda1": 1e-6,
    "penalty.lambda2": 2e-5,
    "record.snapshots": 36,
}
LONG = SHORT | {"epochs": 2000, "record.snapshots": 4000}
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return record_run(RunConfig().changed(SHORT), tmp_path_factory.mktemp("runs") / "short.h5")


@pytest.fixture(scope="module")
def dense_path(tmp_path_factory):
    config = RunConfig().changed(SHORT | {"method.name": "dense"})
    return record_run(config, tmp_path_factory.mktemp("runs") / "dense.h5")


def show_examples(window):
    next(dock for dock in window.ui.docks if dock.objectName() == "examples").raise_()
    QApplication.processEvents()
    return window.ui.examples


@pytest.fixture
def opened(window, path, qtbot):
    """The window with a stored run and its examples."""
    view = show_examples(window)
    window.open_run(path)
    qtbot.waitUntil(lambda: view.answers is not None, timeout=WAIT_MS)
    return window


def begin(window, qtbot, settings):
    window.ui.steering.set_config(RunConfig().changed(settings))
    window.menu.train.trigger()
    qtbot.waitUntil(lambda: isinstance(window.run, LiveRun) and len(window.run.history) > 2, timeout=WAIT_MS)


def read_answers(path, step=None):
    with RunReader(path) as run:
        return Network(run.info, run.checkpoint(step)).answers(validation_examples(run.info))


# The validation images.


def test_that_the_answers_of_a_stored_run_follow_the_slider_from_checkpoint_to_checkpoint(opened, qtbot):
    view, run, slider = opened.ui.examples, opened.run, opened.ui.time.slider
    seen = set()
    for position in (36, 20, 0, 36):
        slider.setValue(position)
        nearest = max(step for step in run.checkpoint_steps if step <= run.history[position].step)
        qtbot.waitUntil(lambda step=nearest: view.answers.step == step, timeout=WAIT_MS)
        np.testing.assert_array_equal(view.answers.probabilities, read_answers(run.path, nearest).probabilities)
        assert view.place.texts[0] == f"step {nearest:,}, nearest checkpoint"
        seen.add(nearest)
    assert len(seen) == 3


def test_that_the_counts_are_the_validation_error_of_the_file(opened):
    view = opened.ui.examples
    assert f"{opened.run.errors.validation:.2f} % validation error" in view.counts.texts[0]
    assert view.counts.texts[0].startswith(f"{view.answers.misread.sum()} of 240 misread")


def test_that_nothing_is_answered_while_the_examples_cannot_be_seen(window, path, qtbot):
    with qtbot.waitSignal(window.drawn, timeout=WAIT_MS):
        window.open_run(path)
    qtbot.waitUntil(window.redraws.is_at_rest, timeout=WAIT_MS)
    view = window.ui.examples
    assert window.examples._asked is None
    assert view.is_empty()
    show_examples(window)
    qtbot.waitUntil(lambda: view.answers is not None, timeout=WAIT_MS)


def test_that_answers_of_a_run_that_trains_are_those_of_its_weights_now_and_come_again(window, qtbot, monkeypatch):
    monkeypatch.setattr("sparseviz.gui.controllers.examples_desk.LIVE_MS", 50)
    view = show_examples(window)
    begin(window, qtbot, LONG)
    qtbot.waitUntil(lambda: view.answers is not None, timeout=WAIT_MS)
    first = view.answers.step
    qtbot.waitUntil(lambda: view.answers.step > first, timeout=WAIT_MS)
    assert view.place.texts[0].endswith(", live")
    window.menu.pause.trigger()
    trainer = window.run.trainer
    qtbot.waitUntil(lambda: trainer.steps_to_go == 0 and view.answers.step == trainer.step, timeout=WAIT_MS)
    expected = Network(window.run.info, trainer.checkpoint()).answers(validation_examples(window.run.info))
    np.testing.assert_allclose(view.answers.probabilities, expected.probabilities, atol=1e-6)
    asked = window.examples._asked
    wait_for_redraws(window, qtbot)
    assert window.examples._asked is asked  # nothing has changed, so nothing is asked
    window.menu.stop.trigger()
    qtbot.waitUntil(lambda: not window.is_training() and view.place.texts[0].endswith("checkpoint"), timeout=WAIT_MS)


def test_that_a_run_is_asked_so_seldom_that_answers_take_a_twentieth_of_its_time(window, qtbot):
    view = show_examples(window)
    begin(window, qtbot, LONG)
    qtbot.waitUntil(lambda: view.answers is not None, timeout=WAIT_MS)
    desk = window.examples
    assert desk._rest_ms >= 1500
    desk._rest_ms = 1e9
    asked = desk._asked
    wait_for_redraws(window, qtbot)
    assert desk._asked is asked
    window.menu.stop.trigger()
    qtbot.waitUntil(lambda: not window.is_training(), timeout=WAIT_MS)


def test_that_a_window_that_shows_examples_trains_to_the_same_bits(window, qtbot, monkeypatch, tmp_path):
    settings = SHORT | {"epochs": 30, "method.draw": "bernoulli"}
    monkeypatch.setattr("sparseviz.gui.controllers.examples_desk.LIVE_MS", 0)
    monkeypatch.setattr("sparseviz.gui.controllers.examples_desk.SHARE", 1)
    view = show_examples(window)
    steps = set()
    window.ui.steering.set_config(RunConfig().changed(settings))
    window.menu.train.trigger()

    def is_over():
        if view.answers is not None:
            steps.add((view.answers.source, view.answers.step))
        return not window.is_training()

    qtbot.waitUntil(is_over, timeout=WAIT_MS)
    assert sum(source == "live" for source, _ in steps) > 2
    alone = record_run(RunConfig().changed(settings), tmp_path / "alone.h5")
    with RunReader(alone) as plain, RunReader(window.run.path) as shown:
        for kind in ("parameters", "masks", "quantities"):
            ours, theirs = getattr(plain.checkpoint(), kind), getattr(shown.checkpoint(), kind)
            assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_that_missing_data_are_told_and_a_drawing_is_read_all_the_same(opened, qtbot, monkeypatch, tmp_path):
    view, run = opened.ui.examples, opened.run
    gone = run.info.config.changed({"data.name": "mnist", "data.folder": str(tmp_path / "gone")})
    opened.examples._examples = None
    run.info = dataclasses.replace(run.info, config=gone)
    opened.examples.show_run(run)
    opened.examples.look(36)
    qtbot.waitUntil(view.problem.isVisible, timeout=WAIT_MS)
    assert "gone lacks train-images" in view.problem.text()
    assert "A drawing is read all the same" in view.problem.text()
    view.tabs.setCurrentIndex(1)
    QApplication.processEvents()
    stroke(view.pad, (0.5, 0.2), (0.5, 0.8))
    qtbot.waitUntil(lambda: view.comparison.sparse.bars.probabilities is not None, timeout=WAIT_MS)


# The drawing.


def test_that_a_drawing_is_answered_by_both_networks(opened, dense_path, qtbot):
    view, desk = opened.ui.examples, opened.examples
    desk.take_dense(dense_path)
    qtbot.waitUntil(lambda: desk.dense is not None, timeout=WAIT_MS)
    view.tabs.setCurrentIndex(1)
    QApplication.processEvents()
    stroke(view.pad, (0.5, 0.2), (0.5, 0.5), (0.5, 0.8))
    qtbot.waitUntil(lambda: view.comparison.dense.bars.probabilities is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not desk._is_comparing, timeout=WAIT_MS)
    pixels = view.pad.pixels(28, view.answers.box)[None]
    for column, file in ((view.comparison.sparse, opened.run.path), (view.comparison.dense, dense_path)):
        with RunReader(file) as run:
            expected = Network(run.info, run.checkpoint()).read(pixels)
        np.testing.assert_allclose(column.bars.probabilities, expected, atol=1e-6)
        assert f"answer {expected.argmax()}" in column.answer.texts[0]


def test_that_an_image_taken_as_the_drawing_gets_the_answer_it_had(opened, qtbot):
    view = opened.ui.examples
    image = view.grid.image()
    view._draw_on_chosen()
    expected = view.answers.probabilities[image]

    def same():
        shown = view.comparison.sparse.bars.probabilities
        return shown is not None and np.allclose(shown, expected, atol=1e-5)

    qtbot.waitUntil(same, timeout=WAIT_MS)
    assert view.is_drawing()


# The dense run.


def test_that_a_chosen_run_shows_its_name_kept_share_and_error(opened, dense_path, qtbot, monkeypatch):
    view = opened.ui.examples
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(dense_path), ""))
    view.comparison.choose.click()
    qtbot.waitUntil(lambda: "Dense:" in view.comparison.message.text(), timeout=WAIT_MS)
    with RunReader(dense_path) as run:
        error = run.errors.validation
    told = f"Dense: dense.h5, 100 % of the weights kept, validation error {error:.2f} %"
    assert view.comparison.message.text() == told
    qtbot.waitUntil(lambda: view.comparison.dense.bars.probabilities is not None, timeout=WAIT_MS)
    assert view.comparison.dense.bars.isVisible()


def test_that_a_file_that_is_no_run_and_a_run_of_other_images_are_told(opened, path, tmp_path, qtbot, monkeypatch):
    view, desk = opened.ui.examples, opened.examples
    (tmp_path / "other.h5").write_text("no HDF5")
    desk.take_dense(tmp_path / "other.h5")
    qtbot.waitUntil(lambda: "is no HDF5 file" in view.comparison.message.text(), timeout=WAIT_MS)
    monkeypatch.setattr(opened.run, "input_shape", (1, 14, 14))
    desk.take_dense(path)
    qtbot.waitUntil(
        lambda: "reads images of 1×28×28, this run 1×14×14" in view.comparison.message.text(), timeout=WAIT_MS
    )
    monkeypatch.undo()
    opened.run.info = dataclasses.replace(opened.run.info, classes=("a", "b"))
    desk.take_dense(path)
    qtbot.waitUntil(lambda: "this run a, b" in view.comparison.message.text(), timeout=WAIT_MS)
    assert desk.dense is None
    assert view.comparison.dense.invitation.isVisible()


def test_that_a_dense_run_that_no_longer_fits_is_put_away(opened, path, dense_path, qtbot, tmp_path):
    desk, view = opened.examples, opened.ui.examples
    desk.take_dense(dense_path)
    qtbot.waitUntil(lambda: desk.dense is not None, timeout=WAIT_MS)
    opened.open_run(path)
    assert desk.dense is not None
    facts = dataclasses.replace(desk.dense.facts, classes=("a", "b"))
    desk.dense = dataclasses.replace(desk.dense, facts=facts)
    opened.open_run(path)
    assert desk.dense is None
    assert "put away: dense.h5 knows the classes" in view.comparison.message.text()


def test_that_the_child_is_told_exactly_the_configuration_without_its_sparsity(tmp_path):
    odd = {
        "gate.start_by_layer": {"fc*": 0.123456789},
        "gate.layers": ["fc1", "fc2"],
        "penalty.lambda1": 1.23456789e-7,
        "dropout": [0.25],
        "data.folder": "2024",
        "optimizer.rate": 3.3333333333333e-4,
    }
    config = RunConfig().changed(SHORT | odd)
    words = command(config, tmp_path / "x.h5")
    pairs = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    from sparseviz.config import EMBEDDED, parse_assignments

    assert RunConfig.load(EMBEDDED).changed(parse_assignments(pairs)) == config
    assert words[-2:] == ["--out", str(tmp_path / "x.h5")]


def test_that_a_dense_run_is_trained_beside_and_chosen_when_it_has_finished(opened, qtbot):
    view, desk = opened.ui.examples, opened.examples
    shares: list[float] = []
    desk.training.progressed.connect(shares.append)
    view.comparison.train.click()
    assert view.comparison.progress.isVisible()
    assert view.comparison.train.accessibleName() == "Cancel training"
    qtbot.waitUntil(lambda: desk.dense is not None, timeout=WAIT_MS)
    assert not view.comparison.progress.isVisible()
    assert view.comparison.train.accessibleName() == "Train dense run"
    with RunReader(desk.training.path) as run:
        assert run.status == "finished"
        assert run.config == opened.run.info.config.changed({"method.name": "dense"})
    assert desk.dense.facts.kept == 1
    assert desk.training.path.name in view.comparison.message.text()
    assert shares[0] == -1


def train_long(window, qtbot, path, tmp_path):
    """Begin a dense run that would take minutes, and wait until its file grows."""
    desk = window.examples
    shares: list[float] = []
    desk.training.progressed.connect(shares.append)
    desk.training.start(window.run.info.config.changed({"epochs": 3000, "record.snapshots": 3000}))
    qtbot.waitUntil(lambda: bool(shares) and shares[-1] > 0, timeout=WAIT_MS)
    assert shares[-1] < 1
    return desk


def test_that_a_cancelled_dense_run_ends_in_good_order_and_says_where_it_is(opened, path, qtbot, tmp_path):
    desk, view = train_long(opened, qtbot, path, tmp_path), opened.ui.examples
    view.comparison.train.click()
    qtbot.waitUntil(lambda: "was cancelled" in view.comparison.message.text(), timeout=WAIT_MS)
    assert desk.training.path.name in view.comparison.message.text()
    with RunReader(desk.training.path) as run:
        assert run.status == "stopped"
    assert desk.dense is None
    assert desk.training.process is None


def test_that_a_killed_child_is_told(opened, path, qtbot, tmp_path):
    desk, view = train_long(opened, qtbot, path, tmp_path), opened.ui.examples
    os.kill(desk.training.process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: "signal 9" in view.comparison.message.text(), timeout=WAIT_MS)
    assert not view.comparison.progress.isVisible()
    assert desk.training.process is None


def test_that_a_child_that_fails_is_told_with_its_own_words(opened, qtbot, tmp_path):
    desk, view = opened.examples, opened.ui.examples
    desk.training.start(opened.run.info.config.changed({"data.name": "mnist", "data.folder": str(tmp_path)}))
    qtbot.waitUntil(lambda: "failed: mnist:" in view.comparison.message.text(), timeout=WAIT_MS)
    assert "--data-dir" in view.comparison.message.text()
    assert reason("") == "it gave no reason"
    assert reason("sparseviz: no such thing\n  File mine.py, line 2\n    1 / 0") == "no such thing"


def test_that_closing_the_window_ends_the_child_in_good_order(opened, path, qtbot, tmp_path):
    desk = train_long(opened, qtbot, path, tmp_path)
    child = desk.training.process.processId()
    opened.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    with RunReader(desk.training.path) as run:
        assert run.status == "stopped"


def test_that_a_file_that_vanishes_is_told_and_the_window_lives_on(window, path, qtbot, tmp_path):
    copy = shutil.copy(path, tmp_path / "copy.h5")
    view = show_examples(window)
    window.open_run(type(path)(copy))
    (tmp_path / "copy.h5").unlink()
    qtbot.waitUntil(lambda: view.problem.isVisible() or view.answers is not None, timeout=WAIT_MS)
    assert "copy.h5: no such file" in view.problem.text()
    assert view.comparison.sparse.facts is None
    assert window.examples.sparse is None
    window.open_run(path)
    qtbot.waitUntil(lambda: view.answers is not None, timeout=WAIT_MS)


def test_that_ctrl_z_on_the_pad_undoes_the_stroke_and_not_the_configuration(window, qtbot):
    view = show_examples(window)
    window.ui.steering.set_config(window.ui.steering.config.changed({"seed": 7}), "seed")
    assert window.menu.undo.isEnabled()
    view.tabs.setCurrentIndex(1)
    view._pages.setCurrentWidget(view.body)
    QApplication.processEvents()
    view.pad.setFocus()
    middle = view.pad.rect().center()
    qtbot.mousePress(view.pad, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(view.pad, middle + QPoint(9, 9))
    qtbot.mouseRelease(view.pad, Qt.MouseButton.LeftButton, pos=middle + QPoint(9, 9))
    assert not view.pad.is_empty()
    qtbot.keyClick(view.pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert view.pad.is_empty()
    assert window.ui.steering.config.seed == 7
