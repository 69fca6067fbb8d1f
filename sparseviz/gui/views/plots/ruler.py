"""The axis of a plot, painted: a line, ticks that reach into the plot, and numbers, all where pyqtgraph has them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from sparseviz.values.snapshot import FloatArray

FOOT = 18  # pixels of a bottom axis without a name
TICK = 5  # pixels of the longest ticks
_GAP_LEFT, _GAP_BOTTOM = 5, 2  # pixels between the line and the numbers
_CROWDED = ((0, 0.8), (2, 0.6), (4, 0.4), (6, 0.2))  # minor numbers: none, where so many stand and so much is taken
_LESS = 0.8  # of a text's height is ink
_ANYWHERE, _CENTRED = QRectF(0, 0, 100, 100), Qt.AlignmentFlag.AlignCenter
_LEFT = (Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value | Qt.TextFlag.TextDontClip.value
_BOTTOM = (Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop).value | Qt.TextFlag.TextDontClip.value

Numbers = list[tuple[QRectF, str]]
Levels = Sequence[Sequence[tuple[float, str]]]  # ticks, the most important first: where, and with which text
Value = TypeVar("Value", float, FloatArray)


@dataclass(frozen=True)
class Ruler:
    """An axis on the left of a plot, or below it."""

    bounds: QRectF  # beside the plot
    low: float
    high: float  # above `low`
    upright: bool  # on the left
    slack: int  # pixels by which numbers may reach beyond its ends

    @cached_property
    def length(self) -> float:
        """In pixels."""
        return self.bounds.height() if self.upright else self.bounds.width()

    @cached_property
    def _scale(self) -> float:
        """Pixels of a step of 1; upwards they grow fewer."""
        return self.length / (self.high - self.low) * (-1 if self.upright else 1)

    @cached_property
    def _zero(self) -> float:
        """Where 0 stands, or would."""
        return (self.bounds.bottom() if self.upright else self.bounds.left()) - self.low * self._scale

    def place(self, value: Value) -> Value:
        """Where a value stands, in pixels from the top or from the left."""
        return self._zero + value * self._scale

    def paint(self, painter: QPainter, levels: Levels, ink: QColor, *, with_numbers: bool = True) -> Numbers:
        """Paint ticks, each level shorter and fainter than that before, and in the painter's font the numbers there."""
        painter.setPen(ink)
        painter.drawLine(self._line())
        shown = [
            [(self.place(value), text) for value, text in ticks if self.low <= value <= self.high] for ticks in levels
        ]
        for number, ticks in enumerate(shown):
            colour = QColor(ink)
            colour.setAlpha(255 // (number + 1))
            painter.setPen(colour)
            painter.drawLines(self._ticks([at for at, _ in ticks], TICK / (number * 0.5 + 1)))
        painter.setPen(ink)
        numbers = self._numbers(painter, shown) if with_numbers else []
        flags = _LEFT if self.upright else _BOTTOM
        for room, text in numbers:
            painter.drawText(room, flags, text)
        return numbers

    def _line(self) -> QLineF:
        edge = self.bounds
        if self.upright:
            return QLineF(edge.right() - 1, edge.top() - 1, edge.right() - 1, edge.bottom() + 1)
        return QLineF(edge.left() - 1, edge.top() + 1, edge.right() + 1, edge.top() + 1)

    def _ticks(self, places: list[float], length: float) -> list[QLineF]:
        if self.upright:
            edge = self.bounds.right()
            return [QLineF(edge, at, edge + length, at) for at in places]
        edge = self.bounds.top()
        return [QLineF(at, edge, at, edge - length) for at in places]

    def _numbers(self, painter: QPainter, levels: Levels) -> Numbers:
        """At these places, where there is room: those of the first level, and those of others unless it is crowded."""
        found: Numbers = []
        taken, reach, font = 0.0, self._reach(), painter.font().toString()
        for number, ticks in enumerate(levels):
            rooms = [(self._room(at, _size(text, font)), text) for at, text in ticks if text]
            taken += sum(room.height() if self.upright else room.width() for room, _ in rooms)
            if number and any(len(found) >= least and taken >= share * self.length for least, share in _CROWDED):
                break
            found += [(room, text) for room, text in rooms if reach & room == room]
        return found

    def _reach(self) -> QRectF:
        if self.upright:
            return self.bounds.adjusted(0, -self.slack, TICK, self.slack)
        return self.bounds.adjusted(-self.slack, -TICK, self.slack, 0)

    def _room(self, at: float, size: tuple[float, float]) -> QRectF:
        width, height = size
        if self.upright:
            return QRectF(self.bounds.right() - _GAP_LEFT - width, at - height / 2, width, height)
        return QRectF(at - width / 2, self.bounds.top() + _GAP_BOTTOM, width, height)


@lru_cache(maxsize=1000)
def _size(text: str, font: str) -> tuple[float, float]:
    """Width and height of a text in pixels, in a font as QFont writes it."""
    written = QFont()
    written.fromString(font)
    found = QFontMetricsF(written).boundingRect(_ANYWHERE, _CENTRED.value, text)
    return found.width(), _LESS * found.height()


def padded(low: float, high: float, share: float) -> tuple[float, float]:
    """A range with a share of it as room at each end."""
    room = share * (high - low)
    return low - room, high + room


@lru_cache(maxsize=64)
def even_ticks(low: float, high: float, pixels: float) -> tuple[tuple[float, str], ...]:
    """Round numbers from `low` to `high`, at least two and more where there is room for them."""
    most = (high - low) / (2.25 * max(1, math.sqrt(pixels / 300)))
    unit = 10.0 ** math.floor(math.log10(most))
    step = unit * (5 if 5 * unit <= most else 2 if 2 * unit <= most else 1)
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    places = max(0, math.ceil(-math.log10(step)))
    return tuple((number * step, _written(number * step, places)) for number in numbers)


def _written(value: float, places: int) -> str:
    return f"{value:g}" if abs(value) < 1e-3 or abs(value) >= 10_000 else f"{value:.{places}f}"
