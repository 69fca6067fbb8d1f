"""What is drawn over a heatmap: lines between kernels, the chosen row, and each weight's value once it has room."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from sparseviz.gui.qt.theme import Theme

_LEAST_TILE = 8  # pixels of a tile between which lines are drawn
_MARGIN = 4  # pixels around a value
WIDEST = "\N{MINUS SIGN}0.123"

Values = Callable[[int, int], str]  # a place in the picture to what is written there


class CellMarks(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """Painted in the picture's own coordinates, one unit a cell; only what is in sight."""

    def __init__(self) -> None:
        super().__init__()
        self._shape = (1, 1)
        self.tile: tuple[int, int] | None = None
        self.chosen: QRectF | None = None  # outlined
        self._values: Values | None = None
        self._font = QFont()
        self._line, self._accent, self._ground, self._text = (QColor() for _ in range(4))
        self.written = 0  # values in the last painting

    def set_shape(self, shape: tuple[int, int], tile: tuple[int, int] | None) -> None:
        """Begin with another picture."""
        self.prepareGeometryChange()
        self._shape, self.tile, self.chosen, self._values = shape, tile, None, None

    def set_values(self, values: Values | None) -> None:
        """What each cell says, where there is room; None: nothing."""
        self._values = values
        self.update()

    def choose(self, place: QRectF | None) -> None:
        """Outline a part of the picture."""
        self.chosen = place
        self.update()

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours."""
        self._font, self._line, self._accent = font, theme.muted, theme.warning
        self._ground, self._text = QColor(theme.background), theme.text
        self._ground.setAlpha(190)
        self.update()

    def boundingRect(self) -> QRectF:
        """All of the picture."""
        return QRectF(0, 0, self._shape[1], self._shape[0])

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint what has room."""
        box = self.getViewBox()
        self.written = 0
        if box is None:
            return
        (left, right), (top, bottom) = box.viewRange()
        pixel = (right - left) / max(box.width(), 1), (bottom - top) / max(box.height(), 1)  # in cells
        seen = QRectF(left, top, right - left, bottom - top) & self.boundingRect()
        if self.tile and min(self.tile[0] / pixel[1], self.tile[1] / pixel[0]) >= _LEAST_TILE:
            self._paint_lines(painter, seen, self.tile)
        if self.chosen is not None:
            painter.setPen(pg.mkPen(self._accent, width=2))
            painter.drawRect(self.chosen)
        if self._values and self._has_room(pixel):
            self._paint_values(painter, seen, pixel, self._values)

    def _has_room(self, pixel: tuple[float, float]) -> bool:
        """Whether a value can be written into a cell, given the size of a pixel in cells."""
        metrics, width, height = QFontMetricsF(self._font), 1 / pixel[0] - _MARGIN, 1 / pixel[1] - _MARGIN
        return metrics.horizontalAdvance(WIDEST) <= width and metrics.height() <= height

    def _paint_lines(self, painter: QPainter, seen: QRectF, tile: tuple[int, int]) -> None:
        across = np.arange(np.ceil(seen.left() / tile[1]), seen.right() / tile[1] + 1e-9) * tile[1]
        down = np.arange(np.ceil(seen.top() / tile[0]), seen.bottom() / tile[0] + 1e-9) * tile[0]
        lines = [QLineF(x, seen.top(), x, seen.bottom()) for x in across]
        lines += [QLineF(seen.left(), y, seen.right(), y) for y in down]
        for colour, width in ((self._ground, 3), (self._line, 1)):  # seen on every colour, and on none
            painter.setPen(pg.mkPen(colour, width=width))
            painter.drawLines(lines)

    def _paint_values(self, painter: QPainter, seen: QRectF, pixel: tuple[float, float], values: Values) -> None:
        painter.save()
        painter.setFont(self._font)
        painter.setPen(self._text)
        painter.scale(*pixel)  # text is written in pixels
        for row in range(int(seen.top()), int(np.ceil(seen.bottom()))):
            for column in range(int(seen.left()), int(np.ceil(seen.right()))):
                text = values(row, column)
                if text:
                    cell = QRectF(column / pixel[0], row / pixel[1], 1 / pixel[0], 1 / pixel[1])
                    self._write(painter, cell, text)
                    self.written += 1
        painter.restore()

    def _write(self, painter: QPainter, cell: QRectF, text: str) -> None:
        """On a ground of its own, so that it is read on every colour."""
        place = painter.boundingRect(cell, Qt.AlignmentFlag.AlignCenter, text).adjusted(-2, 0, 2, 0)
        painter.fillRect(place, self._ground)
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)
