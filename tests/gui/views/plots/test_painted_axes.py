"""Axes and lines that are painted beside pyqtgraph's own, which are what they replace."""

from itertools import pairwise

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtWidgets import QApplication

from sparseviz.gui.qt.theme import small
from sparseviz.gui.views import CurvesView
from sparseviz.gui.views.plots.axis import EvenAxis
from sparseviz.gui.views.plots.log_axis import LogAxis
from tests.helpers.gui.pixels import painted

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
DECADES = [(-0.3, 0.4), (-4.02, 2.3), (3.9, 5.7), (-1.02, 9.03), (0.21, 0.52), (-12.0, 20.0)]


class TheirLogAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """pyqtgraph's, with our numbers."""

    def logTickStrings(self, values, scale, spacing):  # noqa: N802
        return LogAxis.logTickStrings(self, values, scale, spacing)


@pytest.fixture
def plots(qtbot):
    """A plot with our axes and one with pyqtgraph's, alike in all else."""
    canvases = []

    def make(x, powers, size):
        made = []
        for left, bottom in ((LogAxis, EvenAxis), (TheirLogAxis, pg.AxisItem)):
            canvas = pg.GraphicsLayoutWidget()
            qtbot.addWidget(canvas)
            canvases.append(canvas)
            canvas.resize(*size)
            axes = {"left": left("left"), "bottom": bottom("bottom")}
            plot = canvas.addPlot(0, 0, axisItems=axes, enableMenu=False)
            plot.hideButtons()
            plot.disableAutoRange()
            plot.setLogMode(x=False, y=True)
            plot.setRange(xRange=x, yRange=powers, padding=0)
            plot.setLabel("bottom", "epoch")
            axes["left"].setWidth(40)
            axes["bottom"].setStyle(maxTickLevel=0)
            for axis in axes.values():
                axis.autoSIPrefix, axis.autoSIPrefixScale = False, 1.0
                axis.setTickFont(small(canvas.font()))
            canvas.show()
            QApplication.processEvents()
            made.append(plot)
        return made

    return make


@pytest.mark.parametrize("powers", DECADES)
@pytest.mark.parametrize("size", [(220, 140), (640, 420)])
def test_that_a_log_axis_has_the_ticks_and_numbers_of_pyqtgraph(plots, powers, size):
    ours, theirs = (plot.getAxis("left") for plot in plots((0, 1), powers, size))
    for mine, other in zip(ours.tickValues(*powers, 300), theirs.tickValues(*powers, 300), strict=True):
        assert mine[0] == other[0]
        assert mine[1] == pytest.approx(other[1])


@pytest.mark.parametrize("powers", DECADES)
@pytest.mark.parametrize(
    ("x", "size"), [((-0.6, 20.6), (220, 140)), ((3.1, 4.2), (640, 420)), ((0, 36_000), (420, 300))]
)
def test_that_both_axes_look_as_pyqtgraph_s_do(plots, x, powers, size):
    ours, theirs = (painted(plot.getViewWidget()) for plot in plots(x, powers, size))
    assert (ours == theirs).all()


def test_that_lines_and_dots_are_painted_where_their_values_are(shown, run):
    view = shown(CurvesView)
    view.draw(run, len(run) - 1)
    QApplication.processEvents()
    for plot in view.plots:
        pixels, box = painted(view.canvas), plot.plot.getViewBox()
        for name, line in plot.lines.lines.items():
            colour = plot.lines.pens[name].color()
            known = np.flatnonzero(np.isfinite(line.values))
            found = 0
            for at in known:
                place = box.mapViewToScene(pg.Point(line.epochs[at], np.log10(line.values[at])))
                x, y = round(place.x()), round(place.y())
                near = pixels[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].reshape(-1, 3)
                found += (near == [colour.red(), colour.green(), colour.blue()]).all(axis=1).any()
            assert found >= 0.6 * len(known)  # other lines cross it, and dashes have gaps


def test_that_every_piece_of_a_line_is_painted_from_the_first_to_the_last(shown, run):
    view = shown(CurvesView)
    view.draw(run, len(run) - 1)
    plot = view.right
    line, colour = plot.lines.lines["parameters_kept"], plot.lines.pens["parameters_kept"].color()
    for _ in range(3):
        is_line = (painted(view.canvas) == [colour.red(), colour.green(), colour.blue()]).all(axis=2)
        for epochs, values in zip(pairwise(line.epochs), pairwise(np.log10(line.values)), strict=True):
            place = plot.plot.getViewBox().mapViewToScene(pg.Point(sum(epochs) / 2, sum(values) / 2))
            x, y = int(place.x()), int(place.y())
            assert is_line[y - 1 : y + 2, x - 1 : x + 2].any()


def test_that_a_gap_is_not_joined_and_a_path_is_not_filled(shown, run):
    view = shown(CurvesView)
    view.draw(run, len(run) - 1)
    plot = view.right
    pens = plot.lines.pens
    pixels = painted(view.canvas)
    kept = plot.lines.lines["parameters_kept"]
    values = kept.values.copy()
    values[10:30] = np.nan
    plot.lines.show_lines({"parameters_kept": type(kept)(kept.epochs, values, dots=True)})
    box = plot.plot.getViewBox()
    left, right = (int(box.mapViewToScene(pg.Point(kept.epochs[at], 0)).x()) for at in (9, 30))
    colour = pens["parameters_kept"].color()
    broken = (painted(view.canvas) == [colour.red(), colour.green(), colour.blue()]).all(axis=2)
    whole = (pixels == [colour.red(), colour.green(), colour.blue()]).all(axis=2)
    assert whole[:, left + 4 : right - 4].any(axis=0).all()
    assert not broken[:, left + 4 : right - 4].any()
    assert broken[:, : left - 4].sum() >= whole[:, : left - 4].sum()
