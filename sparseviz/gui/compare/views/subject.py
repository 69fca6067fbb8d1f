"""A run among others: what is told of it, and the sign by which it is known in every view."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.plots.landmarks import Reference
from sparseviz.values.history import History
from sparseviz.values.snapshot import Errors, LayerSnapshot, Totals, totals

# Hues of Okabe and Ito's set, at a lightness that is read on a dark and on a light ground.
_COLOURS = {
    True: ("#58aeff", "#ffb454", "#3ecf9a", "#e29be0", "#f0e442", "#ff7f6e", "#7fd9ff", "#c9c9c9"),
    False: ("#1a68c7", "#ad5600", "#00785a", "#8f2d8f", "#7a6a00", "#b8321f", "#006d9c", "#555555"),
}
_DASHES = ((), (7, 3), (2, 2), (9, 3, 2, 3), (5, 2, 1, 2, 1, 2))  # in widths of the line; none: drawn through
_SYMBOLS = ("o", "s", "t", "d", "p", "t1", "h")  # as many as have no factor with the colours or dashes
_WIDTH = 1.8


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One of the runs that are compared, as plain data."""

    number: int  # from 1; its own as long as it is among them
    name: str
    network: str
    data: str
    method: str
    status: str
    history: History  # not empty
    errors: Errors  # at the end, percent; NaN where not read
    settings: Mapping[str, str] = field(default_factory=dict)  # by dotted name, as they are written
    anchors: tuple[Reference, ...] = ()  # all that is published on this network and data

    @property
    def label(self) -> str:
        """Number and name."""
        return f"{self.number} {self.name}"

    def layer(self, name: str, position: int) -> LayerSnapshot | None:
        """A layer at a snapshot; None where the network has none of this name."""
        return next((layer for layer in self.history[position].layers if layer.info.name == name), None)

    def totals(self) -> Totals:
        """Sizes at the end."""
        return totals(self.history[-1], self.history.parameters)


@dataclass(frozen=True, slots=True)
class Sign:
    """How a run is told from the others: by colour, by dashes and by a symbol."""

    colour: QColor
    dash: tuple[int, ...]
    symbol: str

    def pen(self, width: float = _WIDTH) -> QPen:
        """For its lines."""
        pen: QPen = pg.mkPen(self.colour, width=width)
        if self.dash:
            pen.setDashPattern([float(part) for part in self.dash])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen

    def paint(self, painter: QPainter, place: QRectF) -> None:
        """A piece of its line with its symbol."""
        middle = place.center().y()
        painter.setPen(self.pen())
        painter.drawLine(QPointF(place.left(), middle), QPointF(place.right(), middle))
        painter.save()
        painter.translate(place.center())
        painter.scale(8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour)
        painter.drawPath(pg.graphicsItems.ScatterPlotItem.Symbols[self.symbol])
        painter.restore()


def sign_of(number: int, theme: Theme) -> Sign:
    """The sign of the run with this number; no two of the first 280 are alike."""
    colours = _COLOURS[theme.dark]
    at = number - 1
    colour = QColor(colours[at % len(colours)])
    return Sign(colour, _DASHES[at % len(_DASHES)], _SYMBOLS[at % len(_SYMBOLS)])
