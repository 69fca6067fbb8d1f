"""Bars beside a heatmap: what is kept in every row or column, and marks where nothing is."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.weights.placement import Bars

_DEAD_SHARE = 0.06  # of the longest bar: the marks' length, on the other side of zero
_SPARE = 0.25  # of what is in sight, drawn beyond it on each side


class _Bars(pg.BarGraphItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Bars somewhere in a part of the plot; pyqtgraph's own would measure the screen's pixels at every painting."""

    def __init__(self, **options: Any) -> None:
        self.part = QRectF()
        super().__init__(**options)

    def boundingRect(self) -> QRectF:
        """The part of the plot."""
        return QRectF(self.part)


class KeptBars:
    """The bars of one side: `vertical` ones stand below columns, the others lie beside rows."""

    def __init__(self, plot: Any, *, vertical: bool) -> None:
        self.plot, self._vertical = plot, vertical
        self.kept, self.dead = (self._make() for _ in range(2))
        self._bars: Bars | None = None
        self._most = 0  # kept in one of them; 0 before the first
        self._together = 0  # bars of the counts in one that is drawn; 0: none is
        self._drawn = 0.0, 0.0  # from where to where
        for item in (self.dead, self.kept):
            plot.addItem(item)

    def _make(self) -> Any:
        none = np.zeros(0)
        if self._vertical:
            return _Bars(x0=none, y0=0, width=1, height=none, pen=None)
        return _Bars(x0=0, y0=none, width=none, height=1, pen=None)

    def set_bars(self, bars: Bars | None) -> None:
        """Take the counts; `fit` draws them."""
        self._bars, self._together = bars, 0
        most = max(int(bars.kept.max(initial=0)), 1) if bars else 1
        if most != self._most:
            self._most = most
            self.plot.getAxis("left" if self._vertical else "bottom").setTicks([_few_ticks(most)])
            set_range = self.plot.setYRange if self._vertical else self.plot.setXRange
            set_range(-_DEAD_SHARE * most, most, padding=0.02)
        self._reach()
        if bars is None:
            self._put(np.zeros(0), 1.0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))

    def _length(self) -> float:
        """In cells of the picture."""
        return len(self._bars.kept) * self._bars.width if self._bars else 0.0

    def _reach(self) -> None:
        """Say where bars can be, with room for the pen of the marks."""
        length, low, high = self._length(), -2 * _DEAD_SHARE * self._most, (1 + 2 * _DEAD_SHARE) * self._most
        part = QRectF(0, low, length, high - low) if self._vertical else QRectF(low, 0, high - low, length)
        for item in (self.kept, self.dead):
            if item.part != part:
                item.prepareGeometryChange()
                item.part = part

    def fit(self, low: float, high: float, pixel: float) -> None:
        """Draw those from `low` to `high`; where they are finer than a pixel, each is the longest of several.

        All are in cells of the picture. What lies a little beyond is drawn too, so that one can pan over it.
        """
        if self._bars is None:
            return
        bars, spare = self._bars, _SPARE * (high - low)
        together = max(int(pixel / bars.width), 1)
        if together == self._together and self._drawn[0] <= max(low, 0) and min(high, self._length()) <= self._drawn[1]:
            return
        step = bars.width * together
        first = max(int((low - spare) // step), 0) * together
        last = min(math.ceil((high + spare) / step) * together, len(bars.kept))
        if last <= first:
            return
        self._together, self._drawn = together, (first * bars.width, last * bars.width)
        starts = np.arange(first, last, together)
        longest = np.maximum.reduceat(bars.kept[:last], starts)
        shortest = np.minimum.reduceat(bars.kept[:last], starts)
        self._put(bars.start[starts], step, longest, shortest == 0)

    def _put(self, start: npt.NDArray[Any], width: float, kept: npt.NDArray[Any], dead: npt.NDArray[Any]) -> None:
        runs = np.flatnonzero(np.diff(dead, prepend=False, append=False)).reshape(-1, 2)  # neighbours are one mark
        begins, lengths = start[runs[:, 0]], width * (runs[:, 1] - runs[:, 0])
        mark = -_DEAD_SHARE * self._most
        if self._vertical:
            self.kept.setOpts(x0=start, width=width, height=kept)
            self.dead.setOpts(x0=begins, width=lengths, height=mark)
        else:
            self.kept.setOpts(y0=start, height=width, width=kept)
            self.dead.setOpts(y0=begins, height=lengths, width=mark)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self.kept.setOpts(brush=theme.accent)
        self.dead.setOpts(brush=theme.warning, pen=pg.mkPen(theme.warning))  # a pixel, however small


def _few_ticks(most: int) -> list[tuple[float, str]]:
    """Zero, the greatest of 1, 2, 5, 10, 20 ... that leaves room for its own text, and a mark without words between."""
    power = 10 ** (len(str(most)) - 1)
    round_ones = [factor * power for factor in (5, 2, 1) if factor * power <= max(0.95 * most, 1)]
    top = round_ones[0] if round_ones else power // 2
    return [(0.0, "0"), (top / 2, ""), (float(top), f"{top:,}")]
