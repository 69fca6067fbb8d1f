"""Words beside the points of a plot: each where it covers least of the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.plots.label_placement import choose_spots, dress, ground
from sparseviz.values.snapshot import FloatArray

_GAP, _POINT = 8.0, 7.0  # pixels between a point and its words; half a point's side
_REACH = (1.0, 2.2, 3.4)  # of the words' height, that they may stand above or below their point

Named = tuple[float, float, str]  # a place in the plot's own units, and the words there


class PointNames:
    """The words of one plot, placed anew when its range or its size changes."""

    def __init__(self, plot: Any) -> None:
        self._box = plot.getViewBox()
        self._named: tuple[Named, ...] = ()
        self._avoided: FloatArray = np.zeros((0, 2))
        self._font = QFont()
        self._look: object = None  # what the words were made for
        self.words: list[Any] = []
        self._box.sigRangeChanged.connect(self.arrange)
        self._box.sigResized.connect(self.arrange)

    def show(self, named: Sequence[Named], avoided: FloatArray, theme: Theme, font: QFont) -> None:
        """Write these; `avoided` are points, (N, 2), that no word is to cover."""
        look = tuple(text for _, _, text in named), theme, font
        self._named, self._avoided, self._font = tuple(named), avoided, font
        if look != self._look:
            self._look = look
            self._write(theme, font)
        self.arrange()

    def _write(self, theme: Theme, font: QFont) -> None:
        """Make the words anew."""
        for word in self.words:
            word.scene().removeItem(word)
        self.words = [pg.TextItem(text) for _, _, text in self._named]
        for word in self.words:
            dress(word, theme.text, ground(theme), font, margin=0)
            word.setParentItem(self._box)  # in pixels
            word.setZValue(20)

    def arrange(self) -> None:
        """Place every word; one whose point is out of sight, or that has no place, is not shown."""
        metrics = QFontMetricsF(self._font)
        points = [self._pixel(x, y) for x, y in self._avoided.tolist()]
        taken = [QRectF(p.x() - _POINT, p.y() - _POINT, 2 * _POINT, 2 * _POINT) for p in points]
        whole = QRectF(0, 0, self._box.width(), self._box.height())
        ats, width, height = [self._pixel(x, y) for x, y, _ in self._named], metrics.horizontalAdvance, metrics.height()
        labels = [_spots(at, width(text) + 2, height) for at, (_, _, text) in zip(ats, self._named, strict=True)]
        labels = [[spot for spot in spots if whole.contains(spot)] for spots in labels]
        found = choose_spots(labels, taken)
        for at, spots, choice, word in zip(ats, labels, found, self.words, strict=True):
            word.setVisible(choice is not None and whole.contains(at))
            if choice is not None:
                word.setPos(spots[choice].topLeft())

    def hidden(self) -> list[str]:
        """The words that have no place."""
        return [text for (_, _, text), word in zip(self._named, self.words, strict=True) if not word.isVisible()]

    def _pixel(self, x: float, y: float) -> QPointF:
        (left, right), (low, high) = self._box.viewRange()
        return QPointF((x - left) / (right - left) * self._box.width(), (high - y) / (high - low) * self._box.height())


def _spots(at: QPointF, width: float, height: float) -> list[QRectF]:
    """Where words may stand: right, left, then above and below, nearer first."""
    beside = [(at.x() + _GAP, at.y() - height / 2), (at.x() - _GAP - width, at.y() - height / 2)]
    for reach in _REACH:
        for left in (at.x() - width / 2, at.x() + _GAP, at.x() - _GAP - width):
            beside += [(left, at.y() - reach * height - _GAP / 2), (left, at.y() + (reach - 1) * height + _GAP / 2)]
    return [QRectF(left, top, width, height) for left, top in beside]
