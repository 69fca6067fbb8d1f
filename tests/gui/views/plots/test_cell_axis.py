"""The heatmap's axis, held against pyqtgraph's, which looks the same."""

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from sparseviz.gui.dialogs.view_file import svg
from sparseviz.gui.qt import appearance
from sparseviz.gui.qt.theme import style_canvas, style_plot, theme_of
from sparseviz.gui.views.plots.axis import PaintedAxis

SIZE = 613, 347


def canvas_with(axis_class):
    """A plot between two axes of this class, its first row at the top."""
    canvas = pg.GraphicsLayoutWidget()
    canvas.plot = canvas.addPlot(axisItems={side: axis_class(side) for side in ("left", "right", "bottom")})
    canvas.plot.showAxis("right")
    canvas.plot.invertY(True)
    canvas.plot.getAxis("left").setWidth(46)
    canvas.plot.getAxis("right").setWidth(44)
    canvas.plot.getAxis("bottom").setHeight(17)
    restyle(canvas)
    canvas.resize(*SIZE)
    canvas.show()
    return canvas


def restyle(canvas, points=8.5):
    theme, font = theme_of(QApplication.palette()), QFont(QApplication.font())
    font.setPointSizeF(points)
    style_canvas(canvas, theme)
    style_plot(canvas.plot, theme, font)


def painted(canvas):
    QApplication.processEvents()
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1).copy()


@pytest.fixture
def canvases(qtbot):
    """One with pyqtgraph's axes, and one with ours."""
    made = canvas_with(pg.AxisItem), canvas_with(PaintedAxis)
    for canvas in made:
        qtbot.addWidget(canvas)
    return made


RANGES = [(0, 1), (0, 25088), (12_000.5, 12_731.25), (7, 8), (3.23, 3.91), (99_000, 131_072), (0, 2_000_000), (0, 4)]


@pytest.mark.parametrize("size", [SIZE, (211, 130)])
@pytest.mark.parametrize("across", RANGES)
def test_that_each_pixel_is_that_of_pyqtgraph_s_axis(canvases, across, size):
    for canvas in canvases:
        canvas.resize(*size)
        canvas.plot.setRange(xRange=across, yRange=(across[0], 0.7 * across[0] + 0.3 * across[1]), padding=0)
    expected, found = map(painted, canvases)
    assert (found == expected).all()


def test_that_each_pixel_is_that_of_pyqtgraph_s_axis_wherever_one_pans_and_zooms(canvases):
    random = np.random.default_rng(0)
    for _ in range(60):
        low, length = random.uniform(0, 25_000), 10 ** random.uniform(-0.5, 4.4)
        for canvas in canvases:
            canvas.plot.setRange(xRange=(low, low + length), yRange=(low / 7, low / 7 + length / 3), padding=0)
        expected, found = map(painted, canvases)
        assert (found == expected).all(), (low, length)


def test_that_it_follows_the_theme_and_the_font(canvases, qapp):
    dark = theme_of(qapp.palette()).dark
    before = painted(canvases[1])
    appearance.apply(qapp, dark=not dark)
    for canvas in canvases:
        restyle(canvas)
    expected, found = map(painted, canvases)
    assert (found == expected).all()
    assert (found != before).any()
    for canvas in canvases:
        restyle(canvas, points=11)
    larger, found_larger = map(painted, canvases)
    assert (found_larger == larger).all()
    assert (larger != expected).any()


def test_that_it_has_no_numbers_where_none_are_wanted(canvases):
    for canvas in canvases:
        canvas.plot.getAxis("bottom").setStyle(showValues=False)
    expected, found = map(painted, canvases)
    assert (found == expected).all()


def test_that_each_value_is_in_the_first_level_that_has_it():
    axis = PaintedAxis("bottom")
    levels = axis.tickValues(0, 100, 300)
    for (spacing, values), (expected_spacing, expected) in zip(
        levels, pg.AxisItem("bottom").tickValues(0, 100, 300), strict=True
    ):
        assert spacing == expected_spacing
        assert values == pytest.approx(expected)


def test_that_its_numbers_stay_text_in_an_svg(qtbot):
    page, canvas = QWidget(), canvas_with(PaintedAxis)
    qtbot.addWidget(page)
    QVBoxLayout(page).addWidget(canvas)
    page.resize(*SIZE)
    page.show()
    canvas.plot.setRange(xRange=(0, 25088), yRange=(0, 4096), padding=0)
    QApplication.processEvents()
    written = svg(page, "axes").decode()
    assert ">20000</text>" in written
    assert ">4000</text>" in written
