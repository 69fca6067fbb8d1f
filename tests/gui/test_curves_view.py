"""The curves view, read back from what it has drawn."""

import math
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views import CurvesView
from sparseviz.gui.views.base import FittingLabel
from sparseviz.gui.views.marks import event_marks, event_text, phase_marks
from sparseviz.gui.views.tracks import Tracks
from sparseviz.snapshot import Event, History
from tests.gui import histories

pytestmark = [pytest.mark.qt_log_level_fail("WARNING"), pytest.mark.qt_log_ignore("propagateSizeHints")]


def tracks(history):
    taken = Tracks(history)
    taken.grow()
    return taken


def test_that_the_curves_hold_the_whole_history_and_a_line_marks_now(shown, run):
    view = shown(CurvesView)
    view.draw(run, 10)
    epochs, kept = view.right.items["parameters_kept"].getOriginalDataset()
    assert (epochs == run.epochs()).all()
    assert (kept == run.scalar("parameters_kept")).all()
    assert all(plot.now.isVisible() and plot.now.value() == run[10].epoch for plot in view.plots)
    view.draw(run, len(run) - 1)
    assert not any(plot.now.isVisible() for plot in view.plots)


def test_that_validation_error_is_joined_over_snapshots_without_one(shown, run):
    view = shown(CurvesView)
    view.draw(run, 0)
    epochs, errors = view.left.items["validation_error"].getOriginalDataset()
    measured = np.isfinite(run.scalar("validation_error"))
    assert (epochs == run.epochs()[measured]).all()
    assert np.isfinite(errors).all()
    assert view.left.items["validation_error"].opts["symbol"] == "o"


def test_that_the_curves_differ_by_more_than_colour(shown):
    view = shown(CurvesView)
    styles = [view.left.items[name].opts["pen"].style() for name in ("validation_error", "train_error", "loss")]
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
