"""The gates of many layers: filter, keys, scales of counts, the axis of time, and the table."""

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views import GatesView
from sparseviz.gui.views.gates.counts import heights, levels, linear_ticks, log_ticks, round_top, share_levels
from sparseviz.gui.views.layer_filter import matches
from sparseviz.values.snapshot import HISTOGRAM_BINS
from tests.helpers import histories
from tests.helpers.gui.gate_plots import rulers
from tests.helpers.gui.pixels import painted, rgb

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
FC1 = 2
MOST_S = 0.05  # for drawing the next of a hundred layers' snapshots; measured: 3 ms


@pytest.fixture
def deep(shown):
    view = shown(GatesView, (480, 700))
    view.draw(histories.deep(), 30)
    QApplication.processEvents()
    return view


def test_that_only_rows_in_sight_are_drawn_and_a_hundred_layers_at_once(deep):
    assert len(deep.rows) == 100
    drawn = [number for number, row in enumerate(deep.rows) if not row.stale]
    assert drawn == deep.list.in_sight()
    assert len(drawn) < 10
    started = time.perf_counter()
    for position in range(20, 30):
        deep.draw(histories.deep(), position)
    assert (time.perf_counter() - started) / 10 < MOST_S


def test_that_a_filter_shows_the_layers_with_the_text_in_their_names_and_says_how_many(deep, qtbot):
    qtbot.keyClick(deep.rows[0], Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert deep.bar.filter.hasFocus()
    qtbot.keyClicks(deep.bar.filter, "CONV")
    assert [deep.rows[number].info.name for number in deep.list.shown()] == [
        f"block{number}.conv{10 * number}" for number in range(10)
    ]
    assert deep.bar.place.texts[0] == "10 of 100 layers"
    assert not any(deep.rows[number].stale for number in deep.list.in_sight())
    qtbot.keyClick(deep.bar.filter, Qt.Key.Key_Escape)
    assert len(deep.list.shown()) == 100
    assert deep.bar.place.texts[0] == "100 layers"


def test_that_a_filter_that_nothing_passes_says_so_and_how_to_see_all(deep, qtbot):
    deep.bar.filter.setText("pool")
    assert deep.list.none.isVisible()
    assert "pool" in deep.list.none.text()
    assert "Esc shows all 100" in deep.list.none.text()
    assert not deep.overview.isVisible()
    assert len(deep.table()) == 1
    qtbot.keyClick(deep.bar.filter, Qt.Key.Key_Return)
    deep.bar.filter.clear()
    assert not deep.list.none.isVisible()


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("", "abc"), ("B", "b"), ("*", "abc"), ("a*", "a"), ("*1", "a"), ("A*C1*", "a"), ("[", ""), ("f*1", "")],
)
def test_that_a_star_stands_for_anything_and_case_is_one(pattern, names):
    layers = {"a": "a.fC1", "b": "layerB.2", "c": "x"}
    assert "".join(key for key, name in layers.items() if matches(name, pattern)) == names


def test_that_l_in_the_filter_is_a_letter_and_elsewhere_changes_the_scale(deep, qtbot):
    qtbot.keyClicks(deep.bar.filter, "l")
    assert deep.bar.log.isChecked()
    deep.bar.filter.clear()
    deep.list.go(0)
    qtbot.keyClick(deep.rows[0], Qt.Key.Key_L)
    assert not deep.bar.log.isChecked()


def test_that_the_keys_walk_the_rows_with_a_visible_outline_and_enter_opens_one(deep, qtbot):
    deep.setFocus()
    assert deep.rows[0].hasFocus()
    steps = ((Qt.Key.Key_Down, 1), (Qt.Key.Key_Down, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_End, 99), (Qt.Key.Key_Home, 0))
    for key, number in steps:
        qtbot.keyClick(QApplication.focusWidget(), key)
        assert deep.rows[number].hasFocus()
        QApplication.processEvents()
        assert number in deep.list.in_sight()
    qtbot.keyClick(deep.rows[0], Qt.Key.Key_PageDown)
    row = deep.rows[deep.list.current]
    assert deep.list.current > 1
    QApplication.processEvents()
    assert row.grab().toImage().pixelColor(1, 40) == deep.theme.accent
    assert deep.rows[1].grab().toImage().pixelColor(1, 40) != deep.theme.accent
    qtbot.keyClick(row, Qt.Key.Key_Return)
    assert deep.is_large()
    assert deep.large.number == deep.list.current


def test_that_tab_reaches_one_row_and_then_leaves_the_list(deep, qtbot):
    deep.bar.log.setFocus()
    reached = []
    for _ in range(3):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert reached[:2] == [deep.overview, deep.rows[0]]
    assert reached[2] not in deep.rows


def test_that_a_neighbour_is_one_of_those_that_pass_the_filter(deep, qtbot):
    deep.bar.filter.setText("conv")
    deep.show_layer(10)
    qtbot.keyClick(deep.large, Qt.Key.Key_Down)
    assert deep.large.number == 20
    assert deep.bar.place.texts[0] == "layer 3 of 10"


def test_that_the_linear_scale_shows_plain_counts_with_true_ticks_and_says_so(shown, run, qtbot):
    view = shown(GatesView)
    view.draw(run, 20)
    qtbot.keyClick(view.rows[0], Qt.Key.Key_L)
    plots, layer = view.rows[FC1].plots, run[20].layers[FC1]
    assert (plots.bars.cut + plots.bars.kept == layer.histogram).all()
    assert plots.bars.most == plots.bars.top == round_top(int(layer.histogram.max())) >= layer.histogram.max()
    assert "(linear)" in view.captions[0].texts[0]
    assert "(linear)" in view.captions[1].texts[0]
    linear = levels(layer.histogram, layer.info.weights, log=False)
    first = levels(run[0].layers[FC1].histogram, layer.info.weights, log=False)
    assert (plots.image[:, 0] == first).all()
    assert linear.max() < 255
    view.bar.log.click()
    assert "(log)" in view.captions[0].texts[0]
    assert plots.bars.kept.max() < 6


def test_that_heights_levels_and_ticks_of_both_scales_are_true():
    some = np.array([0, 1, 9, 999])
    assert heights(some, log=True) == pytest.approx([0, np.log10(2), 1, 3])
    assert heights(some, log=False).tolist() == [0, 1, 9, 999]
    for log in (True, False):
        drawn = levels(some, 999, log=log)
        assert drawn[0] == 0
        assert 0 < drawn[1] <= drawn[2] < drawn[3] == 255
    assert [round_top(most) for most in (0, 1, 7, 10, 11, 230, 999)] == [1, 1, 8, 10, 20, 300, 1000]
    assert linear_ticks(300, few=False)[0] == [(0.0, "0"), (100.0, "100"), (200.0, "200"), (300.0, "300")]
    assert linear_ticks(1, few=False)[0] == [(0.0, "0"), (1.0, "1")]
    assert log_ticks(1000, every=1)[0] == [
        (0.0, "0"),
        *((pytest.approx(np.log10(1 + count)), text) for count, text in ((10, "10"), (100, "100"), (1000, "1k"))),
    ]
    shares = share_levels(np.array([0, np.nan, 1e-6, 0.1, 1]), log=True).tolist()
    assert shares == [0, 0, 1, pytest.approx(170, abs=1), 255]


def test_that_every_strip_shows_the_epochs_that_it_is_given(shown, run):
    view = shown(GatesView)
    view.draw(run, 39)
    for low, high in ((5.0, 9.0), (-1.0, 30.0)):
        view.set_time_range(low, high)
        for number, row in enumerate(view.rows):
            time = rulers(row.plots)[3]
            assert (time.low, time.high) == (low, high)
            is_drawn = (painted(row.plots) != rgb(view.theme.background)).any(axis=2)
            along = rulers(row.plots)[2]
            top, upper = round(along.place(0.75)), slice(int(along.place(0.98)), int(along.place(0.55)))
            ends = [round(time.place(epoch)) for epoch in (max(low, 0.0), min(high, 20.0))]
            assert is_drawn[upper, ends[0] + 1].any() == (row.plots.image[36:, 0] > 0).any()
            assert is_drawn[upper, ends[1] - 2].any()
            assert not is_drawn[top, int(time.bounds.left()) + 6 : ends[0] - 1].any()
            assert not is_drawn[top, ends[1] + 1 : int(time.bounds.right())].any()
            for side, epoch in ((0, max(low, 0.0)), (-1, min(high, 20.0))):
                nearest = int(np.abs(run.epochs() - epoch).argmin())
                histogram = run[nearest].layers[number].histogram
                assert ((row.plots.image[:, side] > 0) == (histogram > 0)).all()
    view.show_layer(FC1)
    assert view.large.plots.strip.viewRange()[0] == pytest.approx([-1.0, 30.0])


def test_that_epochs_without_snapshots_leave_the_strip_empty_and_a_wrong_range_is_refused(shown, run):
    view = shown(GatesView)
    view.draw(run, 39)
    view.set_time_range(100.0, 110.0)
    assert view.rows[0].plots.image is None
    for low, high in ((2.0, 2.0), (3.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="low must be below high"):
            view.set_time_range(low, high)
    view.set_time_range(0.0, 20.0)
    assert view.rows[0].plots.image is not None


def test_that_the_table_has_a_row_for_every_bin_of_every_layer_that_is_shown(shown, run):
    view = shown(GatesView)
    assert view.table() == []
    view.draw(run, 20)
    heading, *rows = view.table()
    assert heading == ["layer", "quantity", "from", "to", f"weights at epoch {run[20].epoch:.6g}", "kept or cut"]
    assert len(rows) == 4 * HISTOGRAM_BINS
    for layer in run[20].layers:
        mine = [row for row in rows if row[0] == layer.info.name]
        assert [row[4] for row in mine] == layer.histogram.tolist()
        assert sum(row[4] for row in mine if row[5] == "kept") == layer.kept
        assert [row[2] for row in mine[1:]] == [row[3] for row in mine[:-1]]
    view.show_layer(FC1)
    assert {row[0] for row in view.table()[1:]} == {"fc1"}
    view.clear()
    assert view.table() == []


def test_that_the_lesson_is_two_sentences(shown):
    lesson = shown(GatesView).lesson()
    assert lesson.count(". ") == 1
    assert lesson.endswith(".")
