"""The lines of a plot as one item that is painted in pixels: an item a curve is told of every change of its range."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from pyqtgraph.graphicsItems.PlotCurveItem import arrayToLineSegments
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsObject

from sparseviz.values.snapshot import FloatArray

_DOT = 2.5  # pixels, the radius


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A curve on a log axis."""

    epochs: FloatArray  # (T,)
    values: FloatArray  # (T,); NaN leaves a gap
    dots: bool  # where its values are

    @property
    def powers(self) -> FloatArray:
        """Of ten, (T,)."""
        return np.log10(self.values)


class CurveLines(QGraphicsObject):
    """All lines of one ViewBox, below what else it has."""

    def __init__(self, box: Any) -> None:
        super().__init__(box)
        self._box = box
        self.lines: Mapping[str, Line] = {}  # by what they show
        self.pens: Mapping[str, QPen] = {}
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsToShape)
        self.setZValue(-50)
        box.sigResized.connect(self.prepareGeometryChange)
        box.sigRangeChanged.connect(self._follow)

    def show_lines(self, lines: Mapping[str, Line]) -> None:
        """Draw these and no others."""
        self.lines = lines
        self.update()

    def set_pens(self, pens: Mapping[str, QPen]) -> None:
        """Draw whatever is shown with these."""
        self.pens = pens
        self.update()

    def _follow(self) -> None:
        """The range has changed."""
        self.update()

    def boundingRect(self) -> QRectF:
        """All of the box."""
        return QRectF(0, 0, self._box.width(), self._box.height())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint the lines as PlotCurveItem does."""
        for name, line in self.lines.items():
            (x, y), pen = self._pixels(line), self.pens[name]
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            painter.setPen(pen)
            if pen.style() == Qt.PenStyle.SolidLine:  # one by one: faster than a path where they are wide
                segments = arrayToLineSegments(x, y, connect="finite", finiteCheck=True)  # to be kept until it is drawn
                painter.drawLines(*segments.drawargs())
            else:
                painter.strokePath(pg.functions.arrayToQPath(x, y, connect="finite"), pen)
            if line.dots:
                self._paint_dots(painter, pen.color(), x, y)

    def _pixels(self, line: Line) -> tuple[FloatArray, FloatArray]:
        (left, right), (low, high) = self._box.viewRange()
        x = (line.epochs - left) * (self._box.width() / (right - left))
        return x, (high - line.powers) * (self._box.height() / (high - low))

    def _paint_dots(self, painter: QPainter, colour: QColor, x: FloatArray, y: FloatArray) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        known = np.isfinite(y)
        for place in zip(x[known].tolist(), y[known].tolist(), strict=True):
            painter.drawEllipse(QPointF(*place), _DOT, _DOT)
