"""pyqtgraph's axis, painted by a `Ruler`: it looks the same, for a fraction of the time where a range often changes."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QPainter, QPicture

from sparseviz.gui.views.ruler import Levels, Ruler, even_ticks

_BEYOND = 2  # pixels by which the line is longer than the axis
_SLACK = 15  # pixels by which numbers may reach beyond the ends, where the style lets them


class PaintedAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """On the left of a plot, or below it; without a grid."""

    picture: QPicture | None  # of the range that is shown

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint what was recorded for this range, or record it."""
        if self.picture is None:
            picture = QPicture()  # kept when it is whole: new room for the numbers would take it away
            recorder = QPainter(picture)
            self._record(recorder)
            recorder.end()
            self.picture = picture
        self.picture.play(painter)

    def _record(self, recorder: QPainter) -> None:
        if self.style["tickFont"]:
            recorder.setFont(self.style["tickFont"])
        bounds, upright = self.mapRectFromParent(self.geometry()), self.orientation == "left"
        slack = 0 if self.style["hideOverlappingLabels"] else _SLACK
        low, high = self.range
        ruler = Ruler(bounds, low, high, upright=upright, slack=slack)
        if ruler.length <= 0:
            return
        levels = self.levels(low, high, ruler.length + _BEYOND)
        numbers = ruler.paint(recorder, levels, self.textPen().color(), with_numbers=self.style["showValues"])
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
