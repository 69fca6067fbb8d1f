"""The gates view, read back from what it has drawn."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views import GatesView
from sparseviz.gui.views.gates.counts import brief
from sparseviz.gui.views.gates.strip import STRIP_COLUMNS, nearest_columns, whole
from sparseviz.values.history import History
from tests.helpers import histories
from tests.helpers.gui.gate_plots import FC1, counted, rulers
from tests.helpers.gui.pixels import painted, rgb

pytestmark = pytest.mark.qt_log_level_fail("WARNING")


def thresholds(plots):
    """Which pixels of the threshold's column in the histogram, and of its row in the strip, have its colour."""
    is_colour = (painted(plots) == rgb(plots._theme.warning)).all(axis=2)
    up, across, along, time = rulers(plots)
    rows = slice(int(up.bounds.top()) + 1, int(up.bounds.bottom()))
    columns = slice(int(time.bounds.left()) + 1, int(time.bounds.right()))
    column, row = int(across.place(plots.now.threshold)), int(along.place(plots.now.threshold))
    return is_colour[rows, column], is_colour[row, columns]


def is_now(plots):
    """Which columns of the strip are a line from top to bottom, in the colour of text."""
    is_colour = (painted(plots) == rgb(plots._theme.text)).all(axis=2)
    _, _, along, time = rulers(plots)
    found = is_colour[int(along.bounds.top()) + 2 : int(along.bounds.bottom()) - 2].all(axis=0)
    found[: int(time.bounds.left())] = False
    return found


def test_that_the_histogram_shows_the_counts_at_the_position_and_none_after_it(shown, run):
    view = shown(GatesView)
    for position in (12, 30, 3):
        view.draw(run, position)
        for row, layer in zip(view.rows, run[position].layers, strict=True):
            assert (counted(row.plots.bars.cut) + counted(row.plots.bars.kept) == layer.histogram).all()
            assert counted(row.plots.bars.kept).sum() == layer.kept


def test_that_the_threshold_is_dashed_where_it_stands_in_histogram_and_strip(shown, run):
    view = shown(GatesView)
    view.draw(run, 20)
    for row in view.rows:
        across, along = thresholds(row.plots)
        for line in (across, along):
            assert 0.3 < line.mean() < 0.9  # dashes


def test_that_a_method_without_gates_shows_its_own_quantity_and_no_threshold_before_a_cut(shown):
    view, run = shown(GatesView), histories.magnitude()
    view.draw(run, 1)
    row = view.rows[0]
    assert not (painted(row.plots) == rgb(view.theme.warning)).all(axis=2).any()
    assert "undecided" not in row.words.state.texts[0]
    assert all("|w| / std" in caption.texts[0] for caption in view.captions)
    view.draw(run, 4)
    assert row.plots.now.threshold == 1.0
    assert all(line.any() for line in thresholds(row.plots))


def test_that_the_strip_holds_every_snapshot_and_marks_now_unless_now_is_the_end(shown, run):
    view = shown(GatesView)
    view.draw(run, 10)
    row = view.rows[FC1]
    image = row.plots.image  # (HISTOGRAM_BINS, STRIP_COLUMNS)
    assert image.dtype == np.uint8
    for column, position in enumerate(nearest_columns(run.epochs(), *whole(run.epochs()))):
        assert ((image[:, column] > 0) == (run[position].layers[FC1].histogram > 0)).all()
    assert np.flatnonzero(is_now(row.plots)).tolist() == [int(rulers(row.plots)[3].place(run[10].epoch))]
    view.draw(run, len(run) - 1)
    assert not is_now(row.plots).any()


def test_that_the_strip_of_a_growing_history_equals_the_strip_of_the_whole(shown, run):
    growing, whole = shown(GatesView), shown(GatesView)
    history = History(run.parameters)
    for snapshot in run:
        history.append(snapshot)
        growing.draw(history, len(history) - 1)
    whole.draw(run, len(run) - 1)
    for one, other in zip(growing.rows, whole.rows, strict=True):
        assert (one.plots.image == other.plots.image).all()
        assert (painted(one.plots) == painted(other.plots)).all()


def test_that_uneven_times_stand_where_they_belong_in_the_strip():
    columns = nearest_columns(np.array([0.0, 1.0, 9.0, 10.0]), 0.0, 10.0)
    assert len(columns) == STRIP_COLUMNS
    assert columns[0] == 0
    assert columns[-1] == 3
    assert (np.diff(columns) >= 0).all()
    assert abs(np.mean(columns == 1) - 0.45) < 0.01  # from 0.5 to 5.0 of 10


def test_that_the_titles_name_kept_undecided_and_flips(shown, run):
    view = shown(GatesView, (1000, 700))
    view.draw(run, 20)
    layer, row = run[20].layers[FC1], view.rows[FC1]
    assert row.words.name.text() == f"fc1   {100 * layer.kept / 400_000:.1f} % kept"
    assert f"undecided {100 * layer.undecided_kept:.1f} % of kept" in row.words.state.text()
    assert row.words.state.text().endswith(f"flips {layer.flips:,}")
    assert f"{layer.kept:,} of 400,000" in row.toolTip()
    view.resize(430, 400)
    QApplication.processEvents()
    assert row.words.state.text().startswith("undecided")
    assert "of kept" not in row.words.state.text()


def test_that_no_title_is_cut_in_a_narrow_dock_and_four_layers_need_no_scroll_bar(shown, run):
    view = shown(GatesView, (340, 420))
    for position in (0, 20, len(run) - 1):
        view.draw(run, position)
        QApplication.processEvents()
        for row in view.rows:
            assert row.words.name.text() in row.words.name.texts
            assert row.words.state.text() in row.words.state.texts
            assert "flips" in row.words.state.text()
    assert not view.list.verticalScrollBar().isVisible()


def test_that_a_count_is_written_in_at_most_four_signs():
    written = {0: "0", 999: "999", 1000: "1.0k", 9_940: "9.9k", 9_960: "10k", 399_999: "400k", 12_345_678: "12M"}
    assert {count: brief(count) for count in written} == written


def test_that_the_wheel_scrolls_many_layers_and_draws_those_that_come_into_sight(shown):
    infos = [histories.info(f"layer{number}", (6, 8), 6) for number in range(12)]
    layers = tuple(histories.Layer(info, 0).snapshot() for info in infos)
    snapshot, history = histories.lenet5()[0], History(12 * 54)
    history.append(type(snapshot)(0, 0.0, 0.0, "train", dict(snapshot.scalars), layers))
    view = shown(GatesView, (500, 300))
    view.draw(history, 0)
    QApplication.processEvents()
    view.draw(history, 0)
    assert view.rows[-1].stale
    bar = view.list.verticalScrollBar()
    over = view.rows[0].mapTo(view.list.viewport(), QPoint(60, 50))
    wheel = QWheelEvent(
        QPointF(over),
        QPointF(view.list.viewport().mapToGlobal(over)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.list.viewport(), wheel)
    assert bar.value() > 0
    bar.setValue(bar.maximum())
    QApplication.processEvents()
    view.list.draw_rows()
    assert not view.rows[-1].stale
    assert counted(view.rows[-1].plots.bars.kept).sum() == 48
