"""The curves view, read back from what it has drawn."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from pyqtgraph import ScatterPlotItem
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from sparseviz.config import RunConfig
from sparseviz.gui.main_window import MainWindow
from sparseviz.gui.sources.references import references
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.gui.views import CurvesView
from sparseviz.gui.views.base import FittingLabel
from sparseviz.gui.views.curves.marks import event_marks, event_text, phase_marks
from sparseviz.gui.views.curves.tracks import Tracks
from sparseviz.gui.views.plots.landmarks import Reference
from sparseviz.values.history import History
from sparseviz.values.snapshot import SCALARS, Event
from tests.helpers import histories

pytestmark = pytest.mark.qt_log_level_fail("WARNING")


def tracks(history):
    taken = Tracks(history)
    taken.grow()
    return taken


def test_that_the_curves_hold_the_whole_history_and_a_line_marks_now(shown, run):
    view = shown(CurvesView)
    view.draw(run, 10)
    kept = view.right.lines.lines["parameters_kept"]
    assert (kept.epochs == run.epochs()).all()
    assert (kept.values == run.scalar("parameters_kept")).all()
    assert all(plot.now.isVisible() and plot.now.value() == run[10].epoch for plot in view.plots)
    view.draw(run, len(run) - 1)
    assert not any(plot.now.isVisible() for plot in view.plots)


def test_that_validation_error_is_joined_over_snapshots_without_one(shown, run):
    view = shown(CurvesView)
    view.draw(run, 0)
    errors = view.left.lines.lines["validation_error"]
    measured = np.isfinite(run.scalar("validation_error"))
    assert (errors.epochs == run.epochs()[measured]).all()
    assert np.isfinite(errors.values).all()
    assert errors.dots


def test_that_the_curves_differ_by_more_than_colour(shown):
    view = shown(CurvesView)
    styles = [view.left.lines.pens[name].style() for name in ("validation_error", "train_error", "loss")]
    assert len(set(styles)) == 3


def test_that_an_event_is_marked_at_its_epoch_with_its_values(shown, run):
    view = shown(CurvesView)
    view.draw(run, len(run) - 1)
    (mark,) = event_marks(tracks(run))
    (event,) = run.events()
    assert mark.text == "λ₂ 0.05 → 0.1"
    assert mark.epoch == pytest.approx(event.step / histories.STEPS_PER_EPOCH)
    for plot in view.plots:
        assert mark.epoch in [line.value() for line in plot.marks.lines]
    assert "λ₂ 0.05 → 0.1" in [line.label.format for line in view.right.marks.lines]


def test_that_changes_of_phase_are_marked(run):
    assert [mark.text for mark in phase_marks(tracks(run))] == ["train", "decide"]


def test_that_quick_moves_of_one_slider_become_one_mark(run):
    history = History(run.parameters)
    for snapshot in run:
        at = snapshot.step
        events = [Event(at, "penalty.lambda1", 0.1 * n, 0.1 * (n + 1)) for n in range(3)] if at else []
        events = events if len(history) == 5 else []
        kind = type(snapshot)
        history.append(
            kind(at, snapshot.epoch, 0.0, snapshot.phase, dict(snapshot.scalars), snapshot.layers, tuple(events))
        )
    assert [mark.text for mark in event_marks(tracks(history))] == ["λ₁ 0 → 0.3"]


def test_that_events_without_values_are_told_by_name():
    assert event_text(Event(3, "pause", math.nan, math.nan)) == "pause"
    assert event_text(Event(3, "optimizer.gate_rate", math.nan, 0.01)) == "gate rate 0.01"


def test_that_the_readout_follows_keys_and_pointer_and_returns_to_now(shown, run, qtbot):
    view = shown(CurvesView)
    view.draw(run, 20)
    assert f"step {run[20].step:,}" in view.readout.text()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert f"step {run[19].step:,}" in view.readout.text()
    assert "validation error" in view.readout.text()  # measured before, with the epoch where
    assert view.left.crosshair.value() == run[19].epoch
    view._point(QPointF(-5, -5))
    assert f"step {run[20].step:,}" in view.readout.text()
    middle = view.right.plot.getViewBox().mapViewToScene(QPointF(run[8].epoch, 5.0))
    view._point(middle)
    assert f"step {run[8].step:,}" in view.readout.text()
    assert f"parameters kept {run[8].scalars['parameters_kept']:,.0f}" in view.readout.text()


def test_that_a_growing_run_stays_in_sight_until_the_person_zooms(shown, run):
    view, history = shown(CurvesView), History(run.parameters)
    for number in range(10):
        history.append(run[number])
        view.draw(history, number)
    assert view.left.plot.viewRange()[0][1] > run[9].epoch
    view.left.plot.getViewBox().sigRangeChangedManually.emit([True, True])
    before = view.left.plot.viewRange()
    history.append(run[30])
    view.draw(history, 10)
    assert view.left.plot.viewRange() == before
    view.reset()
    assert view.left.plot.viewRange()[0][1] > run[30].epoch


def test_that_words_under_narrow_curves_shorten_before_they_are_cut(shown, run):
    view = shown(CurvesView, (360, 300))
    view.draw(run, 20)
    QApplication.processEvents()
    for label in (
        view.readout.moment,
        view.readout.values,
        *view.left.header.legends.currentWidget().findChildren(FittingLabel),
    ):
        assert label.text() in label.texts
    assert "valid. " in view.readout.values.text()
    assert "validation error" in view.readout.text()


@pytest.mark.parametrize("size", [(340, 260), (480, 300), (900, 400)])
def test_that_labels_of_marks_neither_overlap_nor_leave_the_plot(shown, run, size):
    view = shown(CurvesView, size)
    view.draw(run, len(run) - 1)
    view.grab()
    texts = [line.label for line in view.right.marks.lines if line.label.isVisible()]
    places = [label.mapRectToScene(label.boundingRect()).adjusted(3, 5, -3, -5) for label in texts]
    assert len(places) >= 2
    assert not any(one.intersects(other) for one, other in combinations(places, 2))
    whole = view.right.plot.getViewBox().sceneBoundingRect().adjusted(-3, -3, 3, 3)
    assert all(whole.contains(place) for place in places)


def choose(view, plot, title, qtbot):
    """Walk down the plot's choice with the keyboard to a group of curves."""
    choice = plot.header.choice
    choice.setFocus()
    qtbot.keyClick(choice, Qt.Key.Key_Home)
    while choice.currentText() != title:
        before = choice.currentIndex()
        qtbot.keyClick(choice, Qt.Key.Key_Down)
        assert choice.currentIndex() == before + 1
    QApplication.processEvents()


def drawn(plot):
    return {name for name, line in plot.lines.lines.items() if len(line.epochs)}


def warmed_up(run):
    """The run with both lambdas and penalties at 0 in its first ten snapshots."""
    history, zeros = History(run.parameters), dict.fromkeys(("lambda1", "lambda2", "penalty_bimodal"), 0.0)
    for number, snapshot in enumerate(run):
        scalars = dict(snapshot.scalars) | (zeros if number < 10 else {})
        history.append(replace(snapshot, scalars=scalars))
    return history


def place(view, plot, epoch):
    """A place of the canvas in the middle of a plot, at an epoch."""
    box = plot.plot.getViewBox()
    middle = sum(plot.plot.viewRange()[1]) / 2
    return view.canvas.mapFromScene(box.mapViewToScene(QPointF(epoch, middle)))


def test_that_each_plot_draws_what_is_chosen_by_keyboard_and_keeps_it_for_the_next_run(shown, run, qtbot):
    view = shown(CurvesView)
    view.draw(run, 20)
    assert drawn(view.left) == {"validation_error", "train_error", "loss"}
    assert drawn(view.right) == {"parameters_kept"}
    choose(view, view.left, "lambdas", qtbot)
    choose(view, view.right, "penalties, loss", qtbot)
    assert drawn(view.left) == {"lambda1", "lambda2"}
    assert (view.left.lines.lines["lambda2"].values == run.scalar("lambda2")).all()
    low, high = view.left.plot.viewRange()[1]
    assert low <= math.log10(0.001) <= math.log10(0.1) <= high
    assert "λ₂ 0.1" in view.readout.values.texts[0]
    assert "bimodal penalty 0.001" in view.readout.values.texts[0]
    view.clear()
    assert drawn(view.left) == set()
    view.draw(histories.magnitude(), 2)
    assert drawn(view.left) == {"lambda1", "lambda2"}
    assert drawn(view.right) == {"loss", "penalty_bimodal", "penalty_count"}


def test_that_every_scalar_of_a_snapshot_can_be_drawn_and_differs_from_its_neighbours_without_colour(shown):
    view = shown(CurvesView)
    assert {curve.scalar for group in view.scalars.groups for curve in group.curves} == set(SCALARS)
    for number, group in enumerate(view.scalars.groups):
        pens = [view.left.lines.pens[curve.scalar] for curve in group.curves]
        assert len({(pen.style(), pen.widthF()) for pen in pens}) == len(pens)
        samples = view.left.header.legends.widget(number).samples
        assert [sample.pen for sample in samples] == pens


def test_that_a_zero_is_a_gap_that_the_plot_and_the_readout_explain(shown, run, qtbot):
    view, history = shown(CurvesView), warmed_up(run)
    view.draw(history, 3)
    choose(view, view.left, "lambdas", qtbot)
    values = view.left.lines.lines["lambda1"].values
    assert np.isnan(values[:10]).all()
    assert (values[10:] == 0.001).all()
    assert "λ₁ 0 · λ₂ 0" in view.readout.text()
    assert [word.textItem.toPlainText() for word in view.left.landmarks.words] == ["no line where 0: λ₁, λ₂"]
    view.draw(run, 3)
    assert view.left.landmarks.words == []


def test_that_a_plot_of_zeros_alone_has_no_numbers_on_its_axis(shown, run, qtbot):
    view, history = shown(CurvesView), History(run.parameters)
    for snapshot in list(warmed_up(run))[:5]:
        history.append(snapshot)
    view.draw(history, 4)
    choose(view, view.left, "lambdas", qtbot)
    assert not view.left.plot.getAxis("left").style["showValues"]
    choose(view, view.left, "error %", qtbot)
    assert view.left.plot.getAxis("left").style["showValues"]


PAPER = Reference("paper, method 1", 0.81, 17_900)


@pytest.mark.parametrize("size", [(480, 300), (820, 420), (1900, 1000)])
def test_that_a_near_reference_is_a_line_whose_words_stand_beside_it_and_say_test(shown, run, size):
    view = shown(CurvesView, size)
    view.set_references([PAPER])
    view.draw(run, len(run) - 1)
    view.set_test_error(0.9)
    QApplication.processEvents()
    for plot, value in ((view.left, 0.81), (view.right, 17_900)):
        box = plot.plot.getViewBox()
        line, word = plot.landmarks.signs[0], plot.landmarks.words[0]
        at = box.mapFromView(QPointF(0, math.log10(value))).y()
        inside = word.mapRectToParent(word.boundingRect())
        assert 0 <= inside.left() < inside.right() <= box.width()
        if line.isVisible():
            assert line.value() == pytest.approx(math.log10(value))
            assert min(abs(inside.top() - at), abs(inside.bottom() - at)) < 6
    assert view.left.landmarks.signs[0].isVisible()
    text = view.left.landmarks.words[0].textItem.toPlainText()
    assert text.startswith("paper")
    assert "(test" in text
    assert text.endswith(": 0.81 %")
    places = [word.mapRectToParent(word.boundingRect()).adjusted(2, 2, -2, -2) for word in view.left.landmarks.words]
    assert len(places) == 3  # the reference, the test error, and the train error that ends at 0
    assert not any(one.intersects(other) for one, other in combinations(places, 2))


def test_that_a_far_reference_does_not_squash_the_curves_but_stands_at_the_edge_with_an_arrow(shown, run):
    view = shown(CurvesView)
    view.draw(run, len(run) - 1)
    before = view.right.plot.viewRange()[1]
    view.set_references([Reference("paper, method 9", None, 12)])
    assert view.right.plot.viewRange()[1] == before
    assert not view.right.landmarks.signs[0].isVisible()
    assert view.right.landmarks.words[0].textItem.toPlainText() == "↓ paper, method 9: 0.012k"
    assert all(landmark.value is None for landmark in view.left.landmarks.shown)  # it has no error
    view.set_references([Reference("paper, method 9", None, 70_000)])
    QApplication.processEvents()
    assert view.right.plot.viewRange()[1][0] < math.log10(70_000)
    assert view.right.landmarks.signs[0].isVisible()
    view.clear()
    view.draw(run, 3)
    assert view.right.landmarks.words == []


def test_that_the_presets_of_the_paper_have_its_rows_as_references_and_other_runs_have_none():
    assert references(RunConfig.load("lenet5-mnist-method1")) == (Reference("paper, method 1", 0.81, 17_900),)
    assert references(RunConfig.load("lenet5-mnist-method2")) == (Reference("paper, method 2", 0.67, 22_000),)
    for name in ("lenet5-digits", "lenet5-mnist-best", "lenet300-mnist-best"):
        assert references(RunConfig.load(name)) == ()


def test_that_the_test_error_is_one_point_with_words_at_the_end_and_goes_with_its_run(shown, run):
    view = shown(CurvesView)
    view.draw(run, len(run) - 1)
    view.set_test_error(0.9)
    (star,) = [sign for sign in view.left.landmarks.signs if isinstance(sign, ScatterPlotItem)]
    ((x, y),) = np.transpose(star.getData())
    assert (x, 10**y) == (run.epochs()[-1], pytest.approx(0.9))
    assert "test error 0.90 %" in [word.textItem.toPlainText() for word in view.left.landmarks.words]
    assert "test error 0.90 %" in view.readout.text()
    view._read(5)
    assert "test error" not in view.readout.text()
    view.clear()
    view.draw(run, len(run) - 1)
    assert "test error" not in view.readout.text()
    assert not any(isinstance(sign, ScatterPlotItem) for sign in view.left.landmarks.signs)


def test_that_both_plots_share_their_time_axis_and_tell_every_change_of_it(shown, run, qtbot):
    view = shown(CurvesView)
    view.draw(run, 5)
    for mover, other in ((view.left, view.right), (view.right, view.left)):
        for epochs in ([2.0, 7.0], [3.0, 9.0]):
            with qtbot.waitSignal(view.time_range_changed) as told:
                mover.plot.setXRange(*epochs, padding=0)
            assert told.args == pytest.approx(epochs)
            assert other.plot.viewRange()[0] == pytest.approx(epochs)
    with qtbot.waitSignal(view.time_range_changed) as told:
        qtbot.keyClick(view, Qt.Key.Key_Home)
    assert told.args[0] <= 0
    assert told.args[1] >= run[len(run) - 1].epoch


def test_that_the_wheel_zooms_both_plots_in_time(shown, run):
    view = shown(CurvesView)
    view.draw(run, 5)
    before = view.left.plot.viewRange()[0]
    at = place(view, view.right, 10.0)
    no_button, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    turned = QWheelEvent(
        QPointF(at),
        QPointF(view.canvas.viewport().mapToGlobal(at)),
        QPoint(),
        QPoint(0, 240),
        no_button,
        Qt.KeyboardModifier.NoModifier,
        phase,
        False,
    )
    QApplication.sendEvent(view.canvas.viewport(), turned)
    after = view.left.plot.viewRange()[0]
    assert after[1] - after[0] < before[1] - before[0]
    assert view.right.plot.viewRange()[0] == pytest.approx(after)


def test_that_a_click_or_enter_chooses_the_nearest_snapshot(shown, run, qtbot):
    view = shown(CurvesView)
    view.draw(run, 20)
    for plot in view.plots:
        with qtbot.waitSignal(view.time_chosen) as told:
            at = place(view, plot, run[8].epoch)
            qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert told.args == [8]
    view.setFocus()
    view._read(None)
    with qtbot.assertNotEmitted(view.time_chosen):
        qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    with qtbot.waitSignal(view.time_chosen) as told:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert told.args == [19]


@pytest.mark.parametrize("position", [20, 39])
def test_that_a_double_click_shows_all_and_leaves_the_time_where_it_was(shown, run, qtbot, position):
    view = shown(CurvesView)
    chosen: list[int] = []
    view.time_chosen.connect(chosen.append)
    view.time_chosen.connect(lambda at: view.draw(run, at))
    view.draw(run, position)
    view.left.plot.setXRange(2, 9, padding=0)
    at = place(view, view.left, run[8].epoch)
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)  # sends no release
    qtbot.mouseRelease(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.left.plot.viewRange()[0][1] > run[len(run) - 1].epoch
    assert chosen[0] == 8
    assert chosen[-1] == position


def test_that_the_table_has_a_row_a_snapshot_and_every_scalar_with_its_unit(shown, run):
    view = shown(CurvesView)
    assert view.table() == []
    view.draw(run, 5)
    head, *rows = view.table()
    assert len(rows) == len(run)
    assert head[:3] == ["step", "epoch", "phase"]
    assert len(head) == 3 + len(SCALARS) == len(set(head))
    assert "validation error %" in head
    column = head.index("validation error %")
    assert rows[0][column] == run[0].scalars["validation_error"]
    assert rows[1][column] == ""  # not measured there
    assert [row[0] for row in rows] == [snapshot.step for snapshot in run]


def test_that_tracks_agree_with_the_history_and_read_each_snapshot_once(run):
    class Counting(History):
        reads = 0

        def __getitem__(self, position):
            self.reads += 1
            return super().__getitem__(position)

    history = Counting(run.parameters)
    taken = Tracks(history)
    assert not taken.grow()
    for number, snapshot in enumerate(run):
        history.append(snapshot)
        if number % 3 == 0:
            assert taken.grow()
    taken.grow()
    assert history.reads == 2 * len(run) - 1  # itself, and as the one before the next
    for name in SCALARS:
        np.testing.assert_equal(taken.scalar(name), run.scalar(name))
    assert tuple(taken.events) == run.events()
    assert taken.newest("validation_error", 5) == 4


def test_that_a_click_in_the_curves_of_a_stored_run_moves_the_time_slider_and_its_test_error_is_marked(qtbot, gated):
    window = MainWindow()
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    window.open_run(gated.path)
    view = window.ui.curves
    qtbot.waitUntil(lambda: not view.is_empty() and bool(view.left.landmarks.words))
    assert isinstance(window.run, StoredRun)
    told = [word.textItem.toPlainText() for word in view.left.landmarks.words]
    assert f"test error {window.run.errors.test:.2f} %" in told
    history = window.run.history
    at = place(view, view.right, history[4].epoch)
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.ui.time.position() == 4
    qtbot.waitUntil(lambda: view.position == 4)
    assert view.right.now.isVisible()
    assert view.right.now.value() == history[4].epoch
