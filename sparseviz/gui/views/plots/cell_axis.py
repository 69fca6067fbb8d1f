"""An axis along the cells or the colours of a picture, laid out in a fraction of the time of pyqtgraph's own."""

import math
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

_TEXT_LIES = {  # numbers: to join flags at every painting takes as long as to paint a number
    "left": int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip),
    "right": int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip),
    "bottom": int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextDontClip),
}
_TEXT_HEIGHT = 0.8  # of the height of a line: digits leave the rest of it free

Ticks = list[tuple[float, list[float]]]  # of each level, from the longest ticks on: the spacing and the values


@dataclass(frozen=True, slots=True)
class _Layout:
    """What is painted, in the axis's own coordinates."""

    lines: list[tuple[QPen, list[QLineF]]]
    texts: list[tuple[QRectF, str]]


class CellAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Left, right or bottom, of fixed width or height, linear and without a grid: it looks as pyqtgraph's does."""

    picture: _Layout | None

    def __init__(self, side: str) -> None:
        self._sizes: dict[str, tuple[float, float]] = {}  # of texts in the font of the ticks
        self._is_upright = side != "bottom"
        super().__init__(side)

    def setTickFont(self, font: QFont | None) -> None:
        """Write the numbers in this font."""
        self._sizes.clear()
        super().setTickFont(font)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Ticks:  # noqa: N803  # pyqtgraph's names
        """The values of each level that no level before it has."""
        low, high = sorted((minVal, maxVal))
        ticks: Ticks = []
        taken: set[int] = set()  # in tenths of the finest spacing, of which the others are whole numbers
        spacings = [spacing for spacing, _ in self.tickSpacing(low, high, size)]
        for spacing in spacings:
            numbers, step = (
                range(math.ceil(low / spacing), math.floor(high / spacing) + 1),
                round(10 * spacing / spacings[-1]),
            )
            ticks.append((spacing, [number * spacing for number in numbers if number * step not in taken]))
            taken.update(number * step for number in numbers)
        return ticks

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint the line, the ticks and the numbers; pyqtgraph takes `picture` away when any of them has changed."""
        if self.picture is None:
            self.picture = self._lay_out()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        for pen, lines in self.picture.lines:
            painter.setPen(pen)
            painter.drawLines(lines)
        painter.setFont(self._font())
        painter.setPen(self.textPen())
        painter.setClipRect(self.boundingRect().toAlignedRect())
        lies = _TEXT_LIES[self.orientation]
        for place, text in self.picture.texts:
            painter.drawText(place, lies, text)

    def _font(self) -> QFont:
        return self.style["tickFont"] or QFont()

    def _lay_out(self) -> _Layout:
        bounds, (begin, end) = self.mapRectFromParent(self.geometry()), self.range
        length = bounds.height() if self._is_upright else bounds.width()
        if length <= 0 or begin == end:
            return _Layout([], [])
        levels = self.tickValues(begin, end, length + 2)  # of the line, which begins before and ends after
        scale = (-length if self._is_upright else length) / (end - begin)
        origin = begin * scale - (length if self._is_upright else 0.0)
        places = [[value * scale - origin for value in values] for _, values in levels]
        lines = [(self.pen(), [self._axis_line(bounds)]), *self._ticks(bounds, places)]
        return _Layout(lines, self._texts(bounds, levels, places) if self.style["showValues"] else [])

    def _outwards(self, bounds: QRectF) -> tuple[float, int]:
        """Where an upright axis meets its plot, and which way leads away from it."""
        return (bounds.right(), -1) if self.orientation == "left" else (bounds.left(), 1)

    def _axis_line(self, bounds: QRectF) -> QLineF:
        if self._is_upright:
            foot, outwards = self._outwards(bounds)
            return QLineF(foot + outwards, bounds.top() - 1, foot + outwards, bounds.bottom() + 1)
        return QLineF(bounds.left() - 1, bounds.top() + 1, bounds.right() + 1, bounds.top() + 1)

    def _ticks(self, bounds: QRectF, places: list[list[float]]) -> list[tuple[QPen, list[QLineF]]]:
        """Of each level shorter and fainter lines."""
        found: list[tuple[QPen, list[QLineF]]] = []
        pen, top, (foot, outwards) = self.tickPen(), bounds.top(), self._outwards(bounds)
        colour = pen.color()
        for level, each in enumerate(places):
            colour.setAlpha(255 // (level + 1))
            pen.setColor(colour)
            reach = self.style["tickLength"] / (level / 2 + 1)
            if self._is_upright:
                tip = foot + outwards * reach
                found.append((QPen(pen), [QLineF(foot, at, tip, at) for at in each]))
            else:
                found.append((QPen(pen), [QLineF(at, top, at, top + reach) for at in each]))
        return found

    def _texts(self, bounds: QRectF, levels: Ticks, places: list[list[float]]) -> list[tuple[QRectF, str]]:
        """The numbers of the longest ticks, and those of shorter ones as long as they leave enough room."""
        found: list[tuple[QRectF, str]] = []
        filled, room = 0.0, self.boundingRect()
        length = (bounds.height() if self._is_upright else bounds.width()) + 2
        for level, ((spacing, values), each) in enumerate(zip(levels, places, strict=True)):
            texts = self.tickStrings(values, 1.0, spacing)
            sizes = [self._size(text) for text in texts]
            filled += sum(height if self._is_upright else width for width, height in sizes)
            limits = self.style["textFillLimits"]
            if level > 0 and any(len(found) >= least and filled >= most * length for least, most in limits):
                break
            laid = [(self._place(bounds, at, size), text) for at, size, text in zip(each, sizes, texts, strict=True)]
            found += [(place, text) for place, text in laid if room.intersected(place) == place]
        return found

    def _place(self, bounds: QRectF, at: float, size: tuple[float, float]) -> QRectF:
        (width, height), (aside, below) = size, self.style["tickTextOffset"]
        if self.orientation == "left":
            return QRectF(bounds.right() - aside - width, at - height / 2, width, height)
        if self.orientation == "right":
            return QRectF(bounds.left() + aside, at - height / 2, width, height)
        return QRectF(at - width / 2, bounds.top() + below, width, height)

    def _size(self, text: str) -> tuple[float, float]:
        if text not in self._sizes:
            page = QRectF(0, 0, 100, 100)
            size = QFontMetricsF(self._font()).boundingRect(page, Qt.AlignmentFlag.AlignCenter, text)
            self._sizes[text] = size.width(), _TEXT_HEIGHT * size.height()
        return self._sizes[text]
