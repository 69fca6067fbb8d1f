"""pyqtgraph's axis, painted by a `Ruler`: it looks the same, for a fraction of the time where a range often changes."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QPainter

from sparseviz.gui.views.plots.ruler import Levels, Ruler, even_ticks

_BEYOND = 2  # pixels by which the line is longer than the axis
_SLACK = 15  # pixels by which numbers may reach beyond the ends, where the style lets them


class PaintedAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """On the left of a plot, or below it; without a grid."""

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint it at once: a picture of it would be made anew for most redraws."""
        if self.style["tickFont"]:
            painter.setFont(self.style["tickFont"])
        bounds, upright = self.mapRectFromParent(self.geometry()), self.orientation == "left"
        slack = 0 if self.style["hideOverlappingLabels"] else _SLACK
        low, high = self.range
        ruler = Ruler(bounds, low, high, upright=upright, slack=slack)
        if ruler.length <= 0:
            return
        levels = self.levels(low, high, ruler.length + _BEYOND)
        numbers = ruler.paint(painter, levels, self.textPen().color(), with_numbers=self.style["showValues"])
        if numbers:
            self._updateMaxTextSize(max(room.width() if upright else room.height() for room, _ in numbers))

    def levels(self, low: float, high: float, pixels: float) -> Levels:
        """Ticks on this range and their texts."""
        values = self.tickValues(low, high, pixels)
        return [list(zip(some, self.tickStrings(some, 1.0, spacing), strict=True)) for spacing, some in values]


class EvenAxis(PaintedAxis):
    """A linear axis with few ticks, all of them with numbers."""

    def levels(self, low: float, high: float, pixels: float) -> Levels:
        """One level."""
        return [even_ticks(low, high, pixels)]
