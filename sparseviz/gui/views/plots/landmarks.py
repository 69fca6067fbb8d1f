"""Words in a plot: published values at dotted lines, the test error at a point, a note in a corner."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from sparseviz.gui.qt.theme import Theme, small
from sparseviz.gui.views.plots.curve_lines import Line
from sparseviz.gui.views.plots.label_placement import choose_spots, dress, ground
from sparseviz.values.snapshot import FloatArray, IntArray

_MARGIN = 3  # pixels around a word, and between it and its line
_ROOM = 0.88  # of the plot's width that a word may take
_REACH = 0.5  # of the range of the curves: a landmark farther beyond it is told at the edge
_LEAST_REACH = 0.15  # decades
_STAR = 15  # pixels
_COLUMNS = 48  # places under a word at which the curves are looked at


@dataclass(frozen=True, slots=True)
class Reference:
    """A published network that a run is to be compared with."""

    name: str  # "paper, method 1"
    error_percent: float | None  # on the test images
    parameters_kept: float | None  # as published: without biases

    @property
    def brief(self) -> str:
        """Its name where there is little room: what stands before the comma."""
        return self.name.partition(",")[0]


@dataclass(frozen=True, slots=True)
class Landmark:
    """A value on a log axis and its words; or words alone, which stand in a corner."""

    value: float | None
    texts: tuple[str, ...]  # from long to short
    epoch: float | None = None  # of a point; a line goes through all epochs

    @property
    def power(self) -> float:
        """Its place on the axis; NaN for words alone, minus infinity for 0."""
        if self.value is None:
            return math.nan
        return math.log10(self.value) if self.value > 0 else -math.inf


class Landmarks:
    """The landmarks of one plot; each word stands where it covers least of the curves."""

    def __init__(self, plot: Any) -> None:
        self._box = plot.getViewBox()
        self.shown: tuple[Landmark, ...] = ()
        self.signs: list[Any] = []  # lines and points
        self.words: list[Any] = []
        self._curves: Sequence[tuple[FloatArray, FloatArray]] = ()  # epochs, powers of ten; no NaN
        self._theme: Theme | None = None
        self._font = QFont()
        self._is_arranged = True
        self._box.sigRangeChanged.connect(self._disarrange)
        self._box.sigResized.connect(self._disarrange)
        plot.scene().sigPrepareForPaint.connect(self._arrange_again)

    def show(self, landmarks: Sequence[Landmark]) -> None:
        """Show these and no others."""
        if self.shown == tuple(landmarks):
            return
        for sign, word in zip(self.signs, self.words, strict=True):
            self._box.removeItem(sign)
            word.scene().removeItem(word)
        self.shown = tuple(landmarks)
        self.signs = [_sign(landmark) for landmark in self.shown]
        self.words = [pg.TextItem() for _ in self.shown]
        for sign, word in zip(self.signs, self.words, strict=True):
            self._box.addItem(sign, ignoreBounds=True)
            word.setParentItem(self._box)  # in pixels
            word.setZValue(20)
        self._colour()

    def keep_clear_of(self, curves: Iterable[Line]) -> None:
        """The curves that words are not to cover."""
        parts = [(curve.epochs, curve.powers) for curve in curves]
        self._curves = [
            (epochs[known], powers[known]) for epochs, powers in parts if (known := np.isfinite(powers)).any()
        ]
        self._disarrange()

    def _disarrange(self) -> None:
        """The words are to be arranged before they are painted, once, whatever else changes until then."""
        self._is_arranged = False

    def _arrange_again(self) -> None:
        if not self._is_arranged:
            self.arrange()

    def extend(self, low: float, high: float) -> tuple[float, float]:
        """The range in powers of ten, with the landmarks that are near it."""
        reach = max(_REACH * (high - low), _LEAST_REACH)
        near = [mark.power for mark in self.shown if low - reach <= mark.power <= high + reach]
        return min([low, *near]), max([high, *near])

    def arrange(self) -> None:
        """Put every word beside its sign, or at the edge beyond which its value lies, with an arrow."""
        self._is_arranged = True
        low, high = self._box.viewRange()[1]
        labels = []
        for landmark, sign, word in zip(self.shown, self.signs, self.words, strict=True):
            place = landmark.power
            sign.setVisible(low <= place <= high)
            arrow = "↓ " if place < low else "↑ " if place > high else ""
            text, width, height = self._fit(landmark, arrow)
            word.setText(text)
            spots = [QRectF(*spot, width, height) for spot in self._spots(landmark, width, height)]
            labels.append([spots[at] for at in np.argsort(self._covered(spots), kind="stable")])
        for word, spots, at in zip(self.words, labels, choose_spots(labels, crowded=True), strict=True):
            word.setPos(spots[at or 0].topLeft())

    def _fit(self, landmark: Landmark, arrow: str) -> tuple[str, float, float]:
        """The longest text that leaves some of the width free, and its size in pixels."""
        metrics, room = QFontMetricsF(self._font), _ROOM * self._box.width()
        texts = [arrow + text for text in landmark.texts]
        text = next((text for text in texts if metrics.horizontalAdvance(text) <= room), texts[-1])
        return text, metrics.horizontalAdvance(text) + 2 * _MARGIN, metrics.height() + 2

    def _spots(self, landmark: Landmark, width: float, height: float) -> list[tuple[float, float]]:
        """Where a word may begin, in pixels: beside its point, or at either end of its line, below or above it."""
        (left, right), (low, high) = self._box.viewRange()
        most = QPointF(self._box.width() - width - _MARGIN, self._box.height() - height - _MARGIN)
        if landmark.value is None:
            return [(end, top) for top in (most.y(), _MARGIN, most.y() / 2) for end in (_MARGIN, most.x())]
        at = (high - min(max(landmark.power, low), high)) / (high - low) * self._box.height()
        ends, gap = [_MARGIN, most.x()], 1.0
        if landmark.epoch is not None:
            x = (landmark.epoch - left) / (right - left) * self._box.width()
            ends, gap = [min(max(x - width - share * _STAR, 0), most.x()) for share in (0.6, 2.0)], _STAR / 2
        inside = [top for top in (at + gap, at - gap - height) if 0 <= top <= most.y()]
        tops = inside or [min(max(at, 0), most.y())]
        return [(end, top) for end in ends for top in tops]

    def _covered(self, spots: Sequence[QRectF]) -> IntArray:
        """How much of the curves lies under a word at each of these, (len(spots),)."""
        (left, right), (low, high) = self._box.viewRange()
        wide, tall = (right - left) / max(self._box.width(), 1), (high - low) / max(self._box.height(), 1)
        begins, ends, tops, bottoms = np.array([(at.left(), at.right(), at.top(), at.bottom()) for at in spots]).T
        columns = left + wide * np.linspace(begins, ends, _COLUMNS)  # (_COLUMNS, len(spots))
        covered = np.zeros(len(spots), dtype=np.int64)
        for epochs, powers in self._curves:
            heights = np.interp(columns, epochs, powers, left=np.inf, right=np.inf)
            covered += ((heights >= high - tall * bottoms) & (heights <= high - tall * tops)).sum(axis=0)
        return covered

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours and the font of marks."""
        self._theme, self._font = theme, small(font)
        self._colour()

    def _colour(self) -> None:
        if self._theme is None:
            return
        for landmark, sign, word in zip(self.shown, self.signs, self.words, strict=True):
            colour = _colour(landmark, self._theme)
            if landmark.epoch is None:
                sign.setPen(pg.mkPen(colour, style=Qt.PenStyle.DotLine))
            else:
                sign.setPen(pg.mkPen(self._theme.background))
                sign.setBrush(colour)
            dress(word, colour, ground(self._theme), self._font, margin=1)
        self.arrange()


def _colour(landmark: Landmark, theme: Theme) -> QColor:
    if landmark.value is None:
        return theme.muted
    return theme.warning if landmark.epoch is None else theme.text


def _sign(landmark: Landmark) -> Any:
    place = landmark.power if math.isfinite(landmark.power) else 0.0
    if landmark.epoch is None:
        return pg.InfiniteLine(place, angle=0)
    star = pg.ScatterPlotItem([landmark.epoch], [place], symbol="star", size=_STAR)
    star.setZValue(15)
    return star
