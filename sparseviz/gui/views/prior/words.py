"""Words above the curves of a plot, each at its place on the bottom axis, some with a line down through the curves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPen

from sparseviz.gui.qt.theme import Theme, small
from sparseviz.gui.views.plots.label_placement import choose_spots, dress, ground

MOST_ROWS = 3
_MARGIN = 4  # pixels on each side of a word, and from one row to the next
_OPAQUE = 210  # of 255: a word's ground


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the bottom axis, and its word."""

    name: str  # one of those that Words was made for
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a word stands: its row from the top, its left end in pixels, and which part of it is at its place."""

    row: int
    begin: float
    length: float
    anchor: float  # 0 where the word begins at its place, 1 where it ends there

    @property
    def rect(self) -> QRectF:
        """It, where rows are of height 1."""
        return QRectF(self.begin, self.row, self.length, 1)

    def crosses(self, places: Collection[float]) -> int:
        """How many of these places, in pixels, lie under the word."""
        return sum(self.begin + 1 < place < self.begin + self.length - 1 for place in places)


def spots(lengths: Sequence[float], places: Sequence[float], lined: Sequence[bool], width: float) -> list[Spot | None]:
    """For every word the highest row where it covers no other; None where no row has room for it; all in pixels.

    A word with a line stands beside it rather than on it.
    """
    words = []
    for length, place, line in zip(lengths, places, lined, strict=True):
        sides = [Spot(row, place - at * length, length, at) for row in range(MOST_ROWS) for at in (0.0, 1.0, 0.5)]
        inside = [spot for spot in sides if spot.begin >= 0 and spot.begin + length <= width]
        words.append(sorted(inside, key=lambda spot: (spot.row, (spot.anchor == 0.5) == line, spot.crosses(places))))
    found = choose_spots([[spot.rect for spot in word] for word in words])
    return [None if at is None else word[at] for word, at in zip(words, found, strict=True)]


class Words:
    """The words of one plot, kept from draw to draw; those named in `lined` have a line."""

    def __init__(self, plot: Any, names: Sequence[str], lined: Collection[str]) -> None:
        self._plot = plot
        self.places: tuple[Place, ...] = ()
        self.items = {name: pg.TextItem() for name in names}
        self.lines = {name: pg.InfiniteLine(angle=90) for name in lined}
        for item in (*self.lines.values(), *self.items.values()):
            item.setVisible(False)
            plot.addItem(item, ignoreBounds=True)
        self._font = QFont()

    def set_places(self, places: Sequence[Place]) -> None:
        """Show these places; the first ones choose first where their words stand."""
        self.places = tuple(places)
        at = {place.name: place.at for place in places}
        for name, line in self.lines.items():
            line.setVisible(name in at)
            line.setValue(at.get(name, 0.0))
        for place in places:
            self.items[place.name].setText(place.text)

    def arrange(self, low: float, high: float) -> None:
        """Give the plot a range in which what lies from `low` to `high` is clear of the words, and put them there."""
        box, metrics = self._plot.getViewBox(), QFontMetricsF(self._font)
        (left, right), width, height = box.viewRange()[0], box.width(), max(box.height(), 1.0)
        at = [(place.at - left) / (right - left) * width for place in self.places]
        lengths = [metrics.horizontalAdvance(place.text) + 2 * _MARGIN for place in self.places]
        found = spots(lengths, at, [place.name in self.lines for place in self.places], width)
        row = metrics.height() + _MARGIN
        rows = max((spot.row + 1 for spot in found if spot), default=0)
        free = max(height - rows * row, height / 3)  # pixels
        top = low + (high - low) * height / free
        self._plot.setYRange(low, top, padding=0)
        put = {place.name: spot for place, spot in zip(self.places, found, strict=True) if spot}
        for name, item in self.items.items():
            item.setVisible(name in put)
        for place in self.places:
            if place.name in put:
                spot = put[place.name]
                self.items[place.name].setAnchor((spot.anchor, 0.0))
                self.items[place.name].setPos(place.at, top - spot.row * row * (top - low) / height)

    def restyle(self, theme: Theme, font: QFont, pens: dict[str, QPen]) -> None:
        """Write each word in the colour of its pen, and draw its line with it."""
        self._font = small(font)
        for name, item in self.items.items():
            dress(item, pens[name].color(), ground(theme, _OPAQUE), self._font, _MARGIN / 2)
        for name, line in self.lines.items():
            line.setPen(pens[name])
