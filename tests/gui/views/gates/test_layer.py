"""One layer of the gates view large, read back from what it has drawn."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views import GatesView
from sparseviz.gui.views.gates.bins import fate
from sparseviz.values.snapshot import HISTOGRAM_BINS
from tests.helpers import histories
from tests.helpers.gui.gate_plots import FC1, counted
from tests.helpers.gui.pixels import dark_palette

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
SIZES = [(330, 600), (900, 420), (520, 900)]


def opened(view, run, position=20, layer=FC1):
    view.draw(run, position)
    view.show_layer(layer)
    QApplication.processEvents()
    return view.large


def at(large, plot, x, y):
    """Where values of a plot lie on the canvas."""
    return large.plots.canvas.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x, y)))


def point(qtbot, large, plot, x, y):
    viewport = large.plots.canvas.viewport()
    qtbot.mouseMove(viewport, QPoint(5, 5))
    qtbot.wait(50)  # pyqtgraph leaves out moves that follow each other more quickly than it can draw
    qtbot.mouseMove(viewport, at(large, plot, x, y))
    QApplication.processEvents()


def test_that_a_click_on_a_row_shows_its_layer_large_and_escape_shows_all_again(shown, run, qtbot):
    view = shown(GatesView)
    view.draw(run, 20)
    qtbot.mouseClick(view.rows[FC1], Qt.MouseButton.LeftButton, pos=QPoint(120, 70))
    assert view.is_large()
    assert view.large.isVisible()
    assert not view.list.isVisible()
    drawn = [counted(bars.opts["height"]) for bars in (view.large.plots.cut_bars, view.large.plots.kept_bars)]
    assert (sum(drawn) == run[20].layers[FC1].histogram).all()
    qtbot.keyClick(view.large, Qt.Key.Key_Escape)
    assert not view.is_large()
    assert view.rows[FC1].hasFocus()


def test_that_the_button_leads_back_and_what_was_drawn_meanwhile_is_in_the_rows(shown, run, qtbot):
    view = shown(GatesView)
    opened(view, run, 20)
    view.draw(run, 33)
    plots = view.rows[FC1].plots
    assert counted(plots.bars.kept).sum() == run[20].layers[FC1].kept  # what is not seen is not drawn
    qtbot.mouseClick(view.bar.back, Qt.MouseButton.LeftButton)
    assert not view.is_large()
    assert (counted(plots.bars.cut) + counted(plots.bars.kept) == run[33].layers[FC1].histogram).all()


def test_that_up_and_down_and_the_buttons_go_to_the_neighbour_and_stop_at_the_ends(shown, run, qtbot):
    view = shown(GatesView)
    large = opened(view, run)
    for key, number in ((Qt.Key.Key_Up, 1), (Qt.Key.Key_Up, 0), (Qt.Key.Key_Up, 0), (Qt.Key.Key_Down, 1)):
        qtbot.keyClick(large, key)
        assert large.number == number
        kept = run[20].layers[number].kept
        assert f"■ {kept:,}" in large.split.texts[0]
    qtbot.mouseClick(view.bar.next, Qt.MouseButton.LeftButton)
    assert large.number == 2
    assert view.bar.place.texts[0] == "layer 3 of 4"
    qtbot.mouseClick(view.bar.next, Qt.MouseButton.LeftButton)
    assert not view.bar.next.isEnabled()


@pytest.mark.parametrize("size", SIZES)
def test_that_pointing_at_the_histogram_reads_the_bin_now(shown, run, qtbot, size):
    view = shown(GatesView, size)
    large = opened(view, run)
    point(qtbot, large, large.plots.histogram, 0.99, 0.5)
    count = int(run[20].layers[FC1].histogram[-1])
    assert f"gate 0.984 to 1.000: {count:,} weights" in large.readout.texts[0]
    assert large.readout.texts[0].endswith("kept")
    assert large.plots.at_bin[0].isVisible()
    assert large.plots.at_bin[0].value() == pytest.approx(63.5 / 64)
    QApplication.sendEvent(large.plots.canvas.viewport(), QEvent(QEvent.Type.Leave))
    assert not large.plots.at_bin[0].isVisible()


@pytest.mark.parametrize("size", SIZES)
def test_that_pointing_at_the_strip_reads_the_bin_at_that_epoch(shown, run, qtbot, size):
    view = shown(GatesView, size)
    large = opened(view, run)
    position = 30
    point(qtbot, large, large.plots.strip, run[position].epoch, 31.5 / 64)
    count = int(run[position].layers[FC1].histogram[31])
    assert large.readout.texts[0].startswith(f"epoch {run[position].epoch:.4g} · gate 0.484 to 0.500: {count:,} weight")
    assert large.readout.texts[0].endswith("cut")
    assert large.plots.at_epoch.value() == run[position].epoch


def test_that_left_and_right_read_every_bin_without_a_pointer(shown, run, qtbot):
    view = shown(GatesView)
    large = opened(view, run)
    keys = [Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Home]
    for key, number in zip(keys, (0, 1, 63, 63, 62, 0), strict=True):
        qtbot.keyClick(large, key)
        count = int(run[20].layers[FC1].histogram[number])
        assert (
            f"{number / HISTOGRAM_BINS:.3f} to {(number + 1) / HISTOGRAM_BINS:.3f}: {count:,} weight"
            in (large.readout.texts[0])
        )
    view.draw(run, 25)
    assert f"{int(run[25].layers[FC1].histogram[0]):,} weight" in large.readout.texts[0]


def test_that_axes_are_named_and_a_method_without_gates_has_its_own_quantity(shown):
    view, run = shown(GatesView), histories.magnitude()
    large = opened(view, run, 1, 0)
    labels = [large.plots.strip.getAxis(side).labelText for side in ("left", "bottom")]
    assert labels == ["|w| / std", "epoch"]
    assert large.plots.histogram.getAxis("bottom").labelText == "|w| / std, now"
    assert large.plots.histogram.getAxis("left").labelText == "weights (log)"
    assert "nothing is cut yet" in large.split.texts[0]
    view.draw(run, 4)
    assert "cut below 1" in large.split.texts[0]


def test_that_cut_bars_are_hollow_and_kept_ones_full(shown, run):
    view = shown(GatesView)
    large = opened(view, run)
    assert large.plots.cut_bars.opts["brush"] is None
    assert large.plots.kept_bars.opts["brush"] is not None
    assert large.split.text().startswith("■")
    assert "□" in large.split.text()


@pytest.mark.parametrize("size", SIZES)
def test_that_nothing_is_cut_off_in_a_narrow_or_a_wide_view(shown, run, size):
    view = shown(GatesView, size)
    large = opened(view, run)
    for label in (large.words.name, large.words.state, large.split, large.readout, view.bar.place):
        assert label.text() in label.texts
    boxes = [plot.sceneBoundingRect() for plot in (large.plots.histogram, large.plots.strip, large.plots.scale)]
    assert all(box.width() > 40 and box.height() > 90 for box in boxes)
    assert not any(one.adjusted(1, 1, -1, -1).intersects(other) for one, other in pairwise(boxes))
    beside = boxes[1].top() < boxes[0].bottom()
    assert beside == (size[0] > 1.6 * size[1])


def test_that_a_layer_stays_large_when_the_next_run_has_the_same_layers_and_not_when_it_has_others(shown, run):
    view = shown(GatesView)
    opened(view, run)
    view.clear()
    view.draw(histories.lenet5(snapshots=1), 0)
    assert view.is_large()
    assert "400,000 kept" in view.large.split.texts[0]
    view.draw(histories.magnitude(), 4)
    assert not view.is_large()
    assert len(view.rows) == 1


def test_that_the_fate_of_a_bin_follows_the_threshold():
    assert fate(0.25, 0.5, 0.5) == "cut"
    assert fate(0.5, 0.75, 0.5) == "kept"
    assert fate(0.4, 0.6, 0.5) == "both"
    assert fate(0.0, 0.1, float("nan")) == "kept"


@pytest.mark.parametrize("dark", [True, False])
def test_that_the_crosshair_and_the_words_stand_out_from_the_background(shown, run, dark):
    view = shown(GatesView)
    if dark:
        view.setPalette(dark_palette())
    large = opened(view, run)
    base = view.palette().color(QPalette.ColorRole.Base).lightness()
    for line in (*large.plots.at_bin, large.plots.at_epoch):
        assert abs(line.pen.color().lightness() - base) > 50
    assert np.abs(large.plots.scale_image.image.astype(int)).max() == 255
