"""The heatmap's image, held against pyqtgraph's, which shows the same levels with the same colours."""

import gc
import weakref

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from sparseviz.gui.dialogs.view_file import svg
from sparseviz.gui.qt.theme import magnitude_colours, sign_colours, theme_of
from sparseviz.gui.views.weights.pooled_image import LevelsImage

SHAPE = 60, 90
PLACE = QRectF(20, 10, 270, 120)  # a cell is 3 wide and 2 high


def levels(seed):
    return np.random.default_rng(seed).integers(0, 256, SHAPE).astype(np.uint8)


def colours(qapp):
    return magnitude_colours(theme_of(qapp.palette()))


@pytest.fixture
def plot(qtbot):
    """A plot of nothing but a box, row 0 at the top, on a page."""
    page = QWidget()
    qtbot.addWidget(page)
    made = pg.GraphicsLayoutWidget(page)
    made.page = page
    made.ci.layout.setContentsMargins(3.4, 2.3, 5.7, 4.6)  # as in a heatmap, pixels at the edge are cut
    made.box = made.addViewBox(invertY=True)
    made.resize(431, 257)
    page.resize(431, 257)
    page.show()
    QApplication.processEvents()
    return made


def painted(plot, item):
    """What the plot shows with this item alone, (height, width, 3)."""
    plot.box.addItem(item)
    QApplication.processEvents()
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    plot.box.removeItem(item)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def ours(qapp, shown):
    item = LevelsImage()
    item.set_colours(colours(qapp))
    item.show_levels(shown, PLACE)
    return item


def pyqtgraphs(qapp, shown):
    item = pg.ImageItem(shown, axisOrder="row-major", levels=(0, 255), lut=colours(qapp))
    item.setRect(PLACE)
    return item


RANGES = {
    "all of it and more": ((0, 300), (0, 140)),
    "a part": ((41.3, 200.9), (33.7, 91.2)),
    "an edge": ((-100, 60), (100, 180)),
    "a few cells": ((80.5, 92.5), (50.2, 57.9)),
    "one cell": ((80, 83), (50, 52)),
    "within a cell": ((81.1, 81.2), (50.6, 50.7)),
}


@pytest.mark.parametrize("name", RANGES)
def test_that_each_pixel_is_that_of_pyqtgraph_s_image(qapp, plot, name):
    across, down = RANGES[name]
    plot.box.setRange(xRange=across, yRange=down, padding=0)
    expected = painted(plot, pyqtgraphs(qapp, levels(0)))
    found = painted(plot, ours(qapp, levels(0)))
    assert (expected != painted(plot, LevelsImage())).any()
    assert (found == expected).all()


def test_that_a_new_array_takes_the_place_of_the_old(qapp, plot):
    plot.box.setRange(xRange=(0, 300), yRange=(0, 140), padding=0)
    item = ours(qapp, levels(0))
    before = painted(plot, item)
    item.show_levels(levels(1), PLACE)
    after = painted(plot, item)
    assert (before != after).any()
    assert (after == painted(plot, ours(qapp, levels(1)))).all()


def test_that_nothing_is_painted_of_none_and_of_what_is_out_of_sight(qapp, plot):
    plot.box.setRange(xRange=(0, 300), yRange=(0, 140), padding=0)
    item = ours(qapp, levels(0))
    empty = painted(plot, LevelsImage())
    assert (painted(plot, item) != empty).any()
    item.clear()
    assert (painted(plot, item) == empty).all()
    item.show_levels(levels(0), PLACE.translated(500, 0))
    assert (painted(plot, item) == empty).all()


def test_that_other_colours_are_those_of_the_same_levels(qapp, plot):
    plot.box.setRange(xRange=(80, 83), yRange=(50, 52), padding=0)
    item = ours(qapp, levels(0))
    painted(plot, item)
    item.set_colours(sign_colours(theme_of(qapp.palette())))
    expected = sign_colours(theme_of(qapp.palette()))[levels(0)[20, 20]]
    assert (painted(plot, item)[100, 200] == expected).all()


def test_that_the_memory_of_an_array_is_free_once_another_is_shown_and_lives_as_long_as_it_is_painted(qapp, plot):
    plot.box.setRange(xRange=(0, 300), yRange=(0, 140), padding=0)
    item, shown = ours(qapp, levels(0)), levels(1)
    expected = painted(plot, ours(qapp, shown.copy()))
    item.show_levels(shown, PLACE)
    lives = weakref.ref(shown)
    del shown
    gc.collect()
    assert (painted(plot, item) == expected).all()
    item.show_levels(levels(2), PLACE)
    gc.collect()
    assert lives() is None


def test_that_an_svg_has_one_picture_of_the_cells(qapp, plot):
    plot.box.setRange(xRange=(80, 83), yRange=(50, 52), padding=0)
    assert svg(plot.page, "cells").count(b"<image") == 0
    plot.box.addItem(ours(qapp, levels(0)))
    assert svg(plot.page, "cells").count(b"<image") == 1
