"""pyqtgraph's axis, painted by a `Ruler`: it looks the same, for a fraction of the time where a range often changes."""

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QFont, QPainter

from sparseviz.gui.views.plots.ruler import BEYOND, AxisLayout, Levels, Ruler, even_ticks

_SLACK = 15  # pixels by which numbers may reach beyond the ends, where the style lets them

Ticks = list[tuple[float | None, list[float]]]  # of each level, from the longest ticks on: the spacing and the values


class PaintedAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Left and right of a plot, of fixed width, or below it; without a grid."""

    picture: AxisLayout | None

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint what is laid out; pyqtgraph takes `picture` away when a range, a font or a size has changed."""
        if self.picture is None:
            self.picture = self._lay_out()
        if self.picture is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            painter.setFont(self._font())
            self.picture.paint(painter, self.textPen().color())

    def _font(self) -> QFont:
        return self.style["tickFont"] or QFont()

    def _lay_out(self) -> AxisLayout | None:
        bounds, (low, high) = self.mapRectFromParent(self.geometry()), self.range
        slack = 0 if self.style["hideOverlappingLabels"] else _SLACK
        ruler = Ruler(bounds, low, high, self.orientation, slack)
        if ruler.length <= 0 or low == high:
            return None
        levels = self.levels(min(low, high), max(low, high), ruler.length + BEYOND)
        laid = ruler.lay_out(levels, self._font(), with_numbers=self.style["showValues"])
        if laid.numbers and self.orientation == "bottom" and self.fixedHeight is None:
            self._updateMaxTextSize(max(room.height() for room, _ in laid.numbers))
        return laid

    def levels(self, low: float, high: float, pixels: float) -> Levels:
        """Ticks on this range and their texts."""
        values = self.tickValues(low, high, pixels)
        return [list(zip(some, self.tickStrings(some, 1.0, spacing), strict=True)) for spacing, some in values]

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        """The values of each level that no level before it has."""
        ticks: Ticks = []
        taken: set[int] = set()  # in tenths of the finest spacing, of which the others are whole numbers
        spacings = [spacing for spacing, _ in self.tickSpacing(low, high, size)]
        for spacing in spacings:
            step = round(10 * spacing / spacings[-1])
            numbers = range(math.ceil(low / spacing), math.floor(high / spacing) + 1)
            ticks.append((spacing, [number * spacing for number in numbers if number * step not in taken]))
            taken.update(number * step for number in numbers)
        return ticks


class EvenAxis(PaintedAxis):
    """A linear axis with few ticks, all of them with numbers."""

    def levels(self, low: float, high: float, pixels: float) -> Levels:
        """One level."""
        return [even_ticks(low, high, pixels)]
