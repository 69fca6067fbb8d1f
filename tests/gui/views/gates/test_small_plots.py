"""The plots of a layer among many: bars, strip and axes, read back from the pixels, and beside pyqtgraph's own axes."""

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QPainter, QPicture
from PySide6.QtWidgets import QApplication

from sparseviz.gui.dialogs.view_file import svg
from sparseviz.gui.qt.theme import count_colours
from sparseviz.gui.views import GatesView
from sparseviz.gui.views.gates.counts import linear_ticks, log_ticks
from sparseviz.gui.views.plots.ruler import Ruler, even_ticks
from tests.helpers.gui.gate_plots import FC1, rulers
from tests.helpers.gui.pixels import dark_palette, painted, rgb

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
RANGES = [(0.0, 1.0), (0.0, 20.0), (-0.6, 20.6), (3.2, 3.9), (0.0, 0.0015), (12.0, 98_000.0), (-1e-4, 2e-4), (7.0, 7.5)]


@pytest.fixture
def axis(qtbot):
    """An axis of a plot of pyqtgraph's of this range on a canvas of this size."""
    canvases = []

    def make(side, low, high, size):
        canvas = pg.GraphicsLayoutWidget()
        canvases.append(canvas)
        qtbot.addWidget(canvas)
        canvas.resize(*size)
        plot = canvas.addPlot(0, 0, enableMenu=False)
        plot.disableAutoRange()
        plot.setRange(xRange=(low, high), yRange=(low, high), padding=0)
        made = plot.getAxis(side)
        made.autoSIPrefix, made.autoSIPrefixScale = False, 1.0
        made.setStyle(hideOverlappingLabels=False, maxTickLevel=0)
        canvas.show()
        QApplication.processEvents()
        return made

    return make


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("pixels", [90, 217.5, 640])
def test_that_even_ticks_are_those_of_pyqtgraph(axis, low, high, pixels):
    theirs = axis("bottom", low, high, (300, 200))
    ((spacing, values),) = theirs.tickValues(low, high, pixels)
    ours = even_ticks(low, high, pixels)
    assert [value for value, _ in ours] == pytest.approx(values, abs=1e-9 * (high - low))
    assert [text for _, text in ours] == theirs.tickStrings([value for value, _ in ours], 1.0, spacing)


@pytest.mark.parametrize("size", [(180, 120), (420, 260)])
@pytest.mark.parametrize(
    "levels", [log_ticks(400_000, every=2), linear_ticks(400_000, few=True), log_ticks(25, every=1)]
)
def test_that_a_ruler_has_line_ticks_and_numbers_where_pyqtgraph_has_them(axis, levels, size):
    for side in ("left", "bottom"):
        theirs = axis(side, -0.1, levels[0][-1][0] * 1.1, size)
        theirs.setTicks(levels)
        picture = QPicture()
        recorder = QPainter(picture)
        theirs.style["tickFont"] = recorder.font()
        (_, begin, end), ticks, texts = theirs.generateDrawSpecs(recorder)
        bounds = theirs.mapRectFromParent(theirs.geometry())
        low, high = theirs.range
        ours = Ruler(bounds, low, high, side, slack=15)
        numbers = ours.lay_out(levels, recorder.font()).numbers
        recorder.end()
        assert (ours._line().p1(), ours._line().p2()) == (begin, end)
        places = [tick[1].y() if side == "left" else tick[1].x() for tick in ticks]
        shown = [value for level in levels for value, _ in level if low <= value <= high]
        assert [ours.place(value) for value in shown] == pytest.approx(places)
        assert [text for _, text in numbers] == [text for _, _, text in texts]
        for (room, _), (other, _, _) in zip(numbers, texts, strict=True):
            assert room.getRect() == pytest.approx(other.getRect(), abs=1e-6)


@pytest.mark.parametrize("dark", [True, False])
def test_that_each_bar_has_its_height_and_the_colour_of_its_fate(shown, run, dark):
    view = shown(GatesView)
    if dark:
        view.setPalette(dark_palette())
    view.draw(run, 20)
    plots = view.rows[FC1].plots
    pixels, (up, across, _, _) = painted(plots), rulers(plots)
    for heights, colour in ((plots.bars.cut, view.theme.pale), (plots.bars.kept, view.theme.accent)):
        is_bar = (pixels == rgb(colour)).all(axis=2)[: int(up.place(0.0)), : int(across.bounds.right()) + 1]
        for number in np.flatnonzero(heights):
            middle = int(across.place(sum(plots.bars.edges[number : number + 2]) / 2))
            assert is_bar[:, middle].sum() == pytest.approx(up.place(0.0) - up.place(heights[number]), abs=1.5)
        assert is_bar.any()


def test_that_the_strip_is_painted_in_the_colours_of_its_levels_with_low_values_below(shown, run):
    view = shown(GatesView)
    view.draw(run, len(run) - 1)
    plots = view.rows[FC1].plots
    pixels, (_, _, along, time) = painted(plots), rulers(plots)
    colours, length = count_colours(view.theme), along.place(0.0) - along.place(1.0)
    for row in (int(along.place(value)) for value in (0.11, 0.8, 0.93)):
        for column in (int(time.place(epoch)) for epoch in (5.0, 15.0)):
            value = (along.place(0.0) - row - 0.5) / length
            epoch = (column + 0.5 - time.place(0.0)) / time.length
            level = plots.image[int(64 * value), int(512 * epoch)]
            assert pixels[row, column].tolist() == colours[level].tolist()


def test_that_axes_are_painted_anew_for_another_scale_size_or_theme(shown, run):
    view = shown(GatesView)
    view.draw(run, 20)
    plots = view.rows[FC1].plots
    first = painted(plots)
    view.bar.log.click()
    left = slice(0, 34)
    assert (painted(plots)[:, left] != first[:, left]).any()
    view.bar.log.click()
    assert (painted(plots) == first).all()
    view.setPalette(dark_palette())
    assert (painted(plots)[:, left] == rgb(view.theme.muted)).all(axis=2).any()
    view.resize(700, 800)
    QApplication.processEvents()
    up = rulers(plots)[0]
    line = painted(plots)[int(up.bounds.top()) + 2 : int(up.bounds.bottom()) - 2, int(up.bounds.right()) - 1]
    assert (line == rgb(view.theme.muted)).all()


def test_that_numbers_stay_text_in_an_svg(shown, run):
    view = shown(GatesView)
    view.draw(run, 20)
    content = svg(view, "Gates").decode()
    for text in (">10k<", ">0.5<", ">15<"):
        assert content.count(text) >= 1


def test_that_nothing_but_the_ground_is_painted_before_a_history_and_after_it(shown, run):
    view = shown(GatesView)
    view.draw(run, 20)
    plots = view.rows[0].plots
    view.list.forget()
    plots.update()
    assert (painted(plots) == rgb(view.theme.background)).all()


def test_that_a_number_that_does_not_fit_is_left_out():
    levels = [[(0.0, "0"), (1.0, "a long number")], [(0.4, "0.4"), (0.5, "0.5"), (0.6, "0.6")]]
    narrow = Ruler(QRectF(0, 0, 60, 18), 0.0, 1.0, "bottom", slack=15)
    assert [text for _, text in narrow.lay_out(levels, QFont()).numbers] == ["0"]
    wide = Ruler(QRectF(0, 0, 600, 18), 0.0, 1.0, "bottom", slack=60)
    assert len(wide.lay_out(levels, QFont()).numbers) == 5
