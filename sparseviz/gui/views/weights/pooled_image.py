"""A picture of levels whose cells become one where they are finer than a screen pixel; no kept cell vanishes."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QTransform, qRgb

from sparseviz.gui.qt.theme import Colours
from sparseviz.gui.views.weights.levels import CellLevels
from sparseviz.values.snapshot import ByteArray

_GREYS = [qRgb(level, level, level) for level in range(256)]


class LevelsImage(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """Levels, uint8 (rows, columns), as a picture over a part of the plot; row 0 is at its top edge.

    The colours are looked up once for every array: pixels of 32 bits are painted in a quarter of the time of 8 with a
    table. They lie as RGBX, for which Qt takes its exact way to scale: its quicker one for RGB32 is up to a pixel off.
    """

    def __init__(self) -> None:
        super().__init__()
        self.levels: ByteArray | None = None
        self._place = QRectF()
        self._table = _GREYS
        self._image: QImage | None = None  # made when it is painted

    def show_levels(self, levels: ByteArray, place: QRectF) -> None:
        """Show an array, which is not copied, over a part of the plot."""
        if place != self._place:
            self.prepareGeometryChange()
            self._place = place
        self.levels = levels
        self._forget()

    def clear(self) -> None:
        """Show nothing."""
        self.levels = None
        self._forget()

    def set_colours(self, colours: Colours) -> None:
        """Set the colour of each level, (256, 3)."""
        self._table = [qRgb(*colour) for colour in colours.tolist()]
        self._forget()

    def _forget(self) -> None:
        self._image = None
        self.update()

    def boundingRect(self) -> QRectF:
        """The part of the plot."""
        return QRectF(self._place)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint the cells in sight alone: Qt scales in 16 bits after the point, too few for all of a large picture."""
        seen = self._place & self.viewRect()
        if self.levels is None or not self.levels.size or seen.isEmpty():
            return
        if self._image is None:
            self._image = self._rendered(self.levels)
        place, (height, width) = self._place, self.levels.shape
        rows = _in_sight(seen.top() - place.top(), seen.bottom() - place.top(), place.height() / height, height)
        columns = _in_sight(seen.left() - place.left(), seen.right() - place.left(), place.width() / width, width)
        part = QRectF(columns.start, rows.start, len(columns), len(rows))
        cells = QTransform.fromTranslate(*place.topLeft().toTuple()).scale(
            place.width() / width, place.height() / height
        )
        painter.drawImage(cells.mapRect(part), self._image, part)

    def _rendered(self, levels: ByteArray) -> QImage:
        (height, width), memory = levels.shape, np.ascontiguousarray(levels)
        borrowed = QImage(memory.data, width, height, width, QImage.Format.Format_Indexed8)
        borrowed.setColorTable(self._table)
        return borrowed.convertToFormat(QImage.Format.Format_RGBX8888)  # a copy


def _in_sight(low: float, high: float, size: float, count: int) -> range:
    """Which of so many cells of this size are in sight, and one more on each side: a pixel at the edge is theirs."""
    return range(max(int(low / size) - 1, 0), min(math.ceil(high / size) + 1, count))


class PooledImage:
    """A picture with the item that draws it, in no more cells than the screen has pixels for them."""

    def __init__(self) -> None:
        self.item = LevelsImage()
        self.densest = 1.0  # the share that the strongest colour stands for
        self._picture: CellLevels | None = None
        self._corner = (0.0, 0.0)  # row and column of the first level
        self._cell = (1.0, 1.0)  # rows and columns of the picture that one level stands for
        self._size = (0, 0)  # of what is drawn; 0 is nothing

    def show(self, picture: CellLevels, corner: tuple[float, float], cell: tuple[float, float]) -> None:
        """Take a picture; `fit` draws it."""
        self._picture, self._corner, self._cell = picture, corner, cell
        self._size = (0, 0)

    def clear(self) -> None:
        """Show nothing."""
        self._picture = None
        self.item.clear()

    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self._picture is None

    def fit(self, rows_per_pixel: float, columns_per_pixel: float) -> bool:
        """Draw for a screen pixel of this size in cells, if that differs from what is drawn; whether it did."""
        if self._picture is None:
            return False
        shape = self._picture.values.shape
        height, width = (
            max(min(count, math.floor(count * cell / pixel + 0.01)), 1)
            for count, cell, pixel in zip(shape, self._cell, (rows_per_pixel, columns_per_pixel), strict=True)
        )
        if self._size == (height, width):
            return False
        self._size = height, width
        levels, self.densest = self._picture.fitted(height, width)
        rows, columns = (count * cell for count, cell in zip(shape, self._cell, strict=True))
        self.item.show_levels(levels, QRectF(self._corner[1], self._corner[0], columns, rows))
        return True
