"""Squares of two masks as pixels: pooled where they are many, with a glyph each where they have room."""

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from sparseviz.gui.compare.views.subject import sign_of
from sparseviz.gui.qt.theme import Theme, mix
from sparseviz.values.overlap import BOTH, FIRST, SECOND, Kinds, merge
from sparseviz.values.snapshot import ByteArray

NONE, ONE, OTHER, COMMON, SEVERAL = range(5)  # what a pixel shows
_LEAST_GLYPH, _MOST_GLYPH = 4, 14  # pixels of a square's side
_DIFFERENCE = np.array([NONE, ONE, OTHER, SEVERAL, COMMON, SEVERAL, SEVERAL, SEVERAL], np.uint8)
_IS_FIRST = np.array([ONE if kind & (FIRST | BOTH) else NONE for kind in range(8)], np.uint8)
_IS_SECOND = np.array([OTHER if kind & (SECOND | BOTH) else NONE for kind in range(8)], np.uint8)
PARTS = (_IS_FIRST, _IS_SECOND, _DIFFERENCE)  # of the first run, of the second, of both

Colours = npt.NDArray[np.uint8]


def image(kinds: Kinds, height: int, width: int, part: int) -> ByteArray:
    """Levels of `PARTS[part]` for these squares in no more pixels than this, (rows, columns)."""
    rows, columns = kinds.shape
    pooled = merge(kinds, min(rows, max(height, 1)), min(columns, max(width, 1)))
    levels: ByteArray = PARTS[part][pooled]
    sides = min(height // max(rows, 1), _MOST_GLYPH), min(width // max(columns, 1), _MOST_GLYPH)
    if pooled.shape != kinds.shape or min(sides) < _LEAST_GLYPH:
        return levels
    large = levels.repeat(sides[0], axis=0).repeat(sides[1], axis=1)
    if part < 2:
        return large
    down, right = (np.arange(count) % side for count, side in zip(large.shape, sides, strict=True))
    return np.where(_glyphs(sides)[large, down[:, None], right], large, np.uint8(NONE))


def _glyphs(sides: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which pixels of a square are inked, by level, (5, *sides): a triangle for one run alone, together a square."""
    down, right = ((np.arange(side) + 0.5) / side for side in sides)
    upper = down[:, None] + right[None, :] <= 1
    inked = np.ones((5, *sides), dtype=np.bool_)
    inked[ONE], inked[OTHER] = upper, ~upper
    inked[SEVERAL] = (np.arange(sides[0])[:, None] // 2 + np.arange(sides[1])[None, :] // 2) % 2 == 0
    return inked


def colours(numbers: tuple[int, int], theme: Theme) -> Colours:
    """The colour of each level for these two runs, (5, 3)."""
    one, other = (sign_of(number, theme).colour for number in numbers)
    if one == other:
        one, other = theme.accent, theme.warning
    several = mix(theme.text, theme.background, 0.45)
    parts = (theme.background, one, other, theme.text, several)
    return np.array([(part.red(), part.green(), part.blue()) for part in parts], np.uint8)


def paint_glyph(painter: QPainter, place: QRectF, level: int, colour: QColor) -> None:
    """The glyph of a level, as the picture has it."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    corners = [place.topLeft(), place.topRight(), place.bottomRight(), place.bottomLeft()]
    if level == ONE:
        painter.drawPolygon(QPolygonF([corners[0], corners[1], corners[3]]))
    elif level == OTHER:
        painter.drawPolygon(QPolygonF(corners[1:]))
    elif level == SEVERAL:
        part = place.width() / 4
        for down in range(4):
            for right in range(down % 2, 4, 2):
                painter.drawRect(QRectF(place.topLeft() + QPointF(right * part, down * part), place.size() / 4))
    elif level == COMMON:
        painter.drawRect(place)
    if level == NONE:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(colour)
        painter.drawRect(place)


def in_sight(view: list[list[float]], shape: tuple[int, ...], block: int) -> tuple[slice, slice]:
    """The squares in a view's range of columns and rows, in weights."""
    (left, right), (top, bottom) = view
    found = []
    for low, high, count in ((top, bottom, shape[0]), (left, right, shape[1])):
        first = min(max(math.floor(low / block), 0), count - 1)
        found.append(slice(first, min(max(math.ceil(high / block), first + 1), count)))
    return found[0], found[1]
