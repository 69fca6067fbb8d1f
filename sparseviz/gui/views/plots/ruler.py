"""The axis of a plot, painted: a line, ticks that reach into the plot, and numbers, all where pyqtgraph has them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeVar

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from sparseviz.values.snapshot import FloatArray

FOOT = 18  # pixels of a bottom axis without a name
TICK = 5  # pixels of the longest ticks
BEYOND = 2  # pixels by which the line is longer than the axis
_GAP_ASIDE, _GAP_BELOW = 5, 2  # pixels between the line and the numbers
_CROWDED = ((0, 0.8), (2, 0.6), (4, 0.4), (6, 0.2))  # minor numbers: none, where so many stand and so much is taken
_LESS = 0.8  # of a text's height is ink
_ANYWHERE, _CENTRED = QRectF(0, 0, 100, 100), Qt.AlignmentFlag.AlignCenter
_TEXT_LIES = {  # numbers: to join flags at every painting takes as long as to paint a number
    "left": (Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value | Qt.TextFlag.TextDontClip.value,
    "right": (Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value | Qt.TextFlag.TextDontClip.value,
    "bottom": (Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop).value | Qt.TextFlag.TextDontClip.value,
}

Side = Literal["left", "right", "bottom"]
Numbers = list[tuple[QRectF, str]]
Levels = Sequence[Sequence[tuple[float, str]]]  # ticks, the most important first: where, and with which text
Value = TypeVar("Value", float, FloatArray)


@dataclass(frozen=True, slots=True)
class AxisLayout:
    """An axis laid out: lines and texts, and where they are painted."""

    line: QLineF
    ticks: list[list[QLineF]]  # of each level, from the longest on
    numbers: Numbers
    side: Side

    def paint(self, painter: QPainter, ink: QColor) -> None:
        """Paint it in the painter's font, the ticks of each level fainter than those before."""
        painter.setPen(ink)
        painter.drawLine(self.line)
        for number, ticks in enumerate(self.ticks):
            colour = QColor(ink)
            colour.setAlpha(255 // (number + 1))
            painter.setPen(colour)
            painter.drawLines(ticks)
        painter.setPen(ink)
        lies = _TEXT_LIES[self.side]
        for room, text in self.numbers:
            painter.drawText(room, lies, text)


@dataclass(frozen=True)
class Ruler:
    """An axis beside a plot, or below it; `low` and `high` differ."""

    bounds: QRectF  # beside the plot
    low: float  # at its bottom or its left end
    high: float
    side: Side
    slack: int  # pixels by which numbers may reach beyond its ends

    @cached_property
    def upright(self) -> bool:
        """Whether it stands beside the plot."""
        return self.side != "bottom"

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

    @cached_property
    def _foot(self) -> tuple[float, int]:
        """Where it meets its plot, in pixels, and which way leads away from the plot."""
        edge = self.bounds
        return {"left": (edge.right(), -1), "right": (edge.left(), 1), "bottom": (edge.top(), 1)}[self.side]

    def place(self, value: Value) -> Value:
        """Where a value stands, in pixels from the top or from the left."""
        return self._zero + value * self._scale

    def paint(self, painter: QPainter, levels: Levels, ink: QColor) -> None:
        """Paint ticks, and in the painter's font the numbers there."""
        self.lay_out(levels, painter.font()).paint(painter, ink)

    def lay_out(self, levels: Levels, font: QFont, *, with_numbers: bool = True) -> AxisLayout:
        """Lay ticks out, each level shorter than that before, and in this font the numbers there."""
        (least, most), scale, zero = sorted((self.low, self.high)), self._scale, self._zero
        shown = [[(zero + value * scale, text) for value, text in ticks if least <= value <= most] for ticks in levels]
        lines = [self._ticks([at for at, _ in ticks], TICK / (level * 0.5 + 1)) for level, ticks in enumerate(shown)]
        return AxisLayout(self._line(), lines, self._numbers(font, shown) if with_numbers else [], self.side)

    def _line(self) -> QLineF:
        edge, (foot, outwards) = self.bounds, self._foot
        if self.upright:
            return QLineF(foot + outwards, edge.top() - 1, foot + outwards, edge.bottom() + 1)
        return QLineF(edge.left() - 1, foot + outwards, edge.right() + 1, foot + outwards)

    def _ticks(self, places: list[float], length: float) -> list[QLineF]:
        foot, outwards = self._foot
        tip = foot - outwards * length
        if self.upright:
            return [QLineF(foot, at, tip, at) for at in places]
        return [QLineF(at, foot, at, tip) for at in places]

    def _numbers(self, font: QFont, levels: Levels) -> Numbers:
        """At these places, where there is room: those of the first level, and those of others unless it is crowded."""
        found: Numbers = []
        taken, reach, written = 0.0, self._reach(), font.toString()
        length = self.length + BEYOND
        for number, ticks in enumerate(levels):
            sizes = [(at, _size(text, written), text) for at, text in ticks if text]
            taken += sum(height if self.upright else width for _, (width, height), _ in sizes)
            if number and any(len(found) >= least and taken >= share * length for least, share in _CROWDED):
                break
            rooms = [(self._room(at, size), text) for at, size, text in sizes]
            found += [(room, text) for room, text in rooms if reach & room == room]
        return found

    def _reach(self) -> QRectF:
        """Where numbers may stand; the ticks reach into the plot."""
        if self.side == "left":
            return self.bounds.adjusted(0, -self.slack, TICK, self.slack)
        if self.side == "right":
            return self.bounds.adjusted(-TICK, -self.slack, 0, self.slack)
        return self.bounds.adjusted(-self.slack, -TICK, self.slack, 0)

    def _room(self, at: float, size: tuple[float, float]) -> QRectF:
        width, height = size
        if self.side == "left":
            return QRectF(self.bounds.right() - _GAP_ASIDE - width, at - height / 2, width, height)
        if self.side == "right":
            return QRectF(self.bounds.left() + _GAP_ASIDE, at - height / 2, width, height)
        return QRectF(at - width / 2, self.bounds.top() + _GAP_BELOW, width, height)


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
