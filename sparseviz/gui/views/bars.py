"""Bars beside a heatmap: what is kept in every row or column, and marks where nothing is."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtGui import QPen

from sparseviz.gui.theme import Theme
from sparseviz.gui.views.arrangement import Bars

MOST_BARS = 2000  # drawn at once: more than a screen has pixels; beyond, a bar is the longest of several
_DEAD_SHARE = 0.06  # of the longest bar: the marks' length, on the other side of zero


class KeptBars:
    """The bars of one side: `vertical` ones stand below columns, the others lie beside rows."""

    def __init__(self, plot: Any, *, vertical: bool) -> None:
        self.plot, self._vertical = plot, vertical
        self.kept, self.dead = (self._make() for _ in range(2))
        self._bars: Bars | None = None
        self._drawn: object = None
        for item in (self.dead, self.kept):
            plot.addItem(item)

    def _make(self) -> Any:
        none = np.zeros(0)
        if self._vertical:
            return pg.BarGraphItem(x0=none, y0=0, width=1, height=none, pen=None)
        return pg.BarGraphItem(x0=0, y0=none, width=none, height=1, pen=None)

    def set_bars(self, bars: Bars | None) -> None:
        """Take the counts; `fit` draws them."""
        self._bars, self._drawn = bars, None
        most = max(int(bars.kept.max(initial=0)), 1) if bars else 1
        axis = self.plot.getAxis("left" if self._vertical else "bottom")
        axis.setTicks([_few_ticks(most)])
        (self.plot.setYRange if self._vertical else self.plot.setXRange)(-_DEAD_SHARE * most, most, padding=0.02)

    def fit(self, low: float, high: float) -> None:
        """Draw those from `low` to `high`, in cells of the picture."""
        if self._bars is None:
            self._put(np.zeros(0), 1.0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
            return
        bars = self._bars
        first = max(int(low // bars.width), 0)
        last = min(math.ceil(high / bars.width), len(bars.kept))
        if len(bars.kept) <= MOST_BARS:
            first, last = 0, len(bars.kept)  # few enough to stay
        together = max(math.ceil((last - first) / MOST_BARS), 1)
        first -= first % together  # so that bars do not change while one pans
        if self._drawn == (first, last, together) or last <= first:
            return
        self._drawn = first, last, together
        starts = np.arange(first, last, together)
        longest = np.maximum.reduceat(bars.kept[:last], starts)
        shortest = np.minimum.reduceat(bars.kept[:last], starts)
        self._put(bars.start[starts], bars.width * together, longest, shortest == 0)

    def _put(self, start: npt.NDArray[Any], width: float, kept: npt.NDArray[Any], dead: npt.NDArray[Any]) -> None:
        mark = np.full(int(dead.sum()), -_DEAD_SHARE * max(int(kept.max(initial=0)), 1))
        if self._vertical:
            self.kept.setOpts(x0=start, width=width, height=kept)
            self.dead.setOpts(x0=start[dead], width=width, height=mark)
        else:
            self.kept.setOpts(y0=start, height=width, width=kept)
            self.dead.setOpts(y0=start[dead], height=width, width=mark)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self.kept.setOpts(brush=theme.accent)
        self.dead.setOpts(brush=theme.warning, pen=QPen(theme.warning))


def _few_ticks(most: int) -> list[tuple[float, str]]:
    """Zero, the greatest of 1, 2, 5, 10, 20 ... that leaves room for its own text, and a mark without words between."""
    power = 10 ** (len(str(most)) - 1)
    round_ones = [factor * power for factor in (5, 2, 1) if factor * power <= max(0.95 * most, 1)]
    top = round_ones[0] if round_ones else power // 2
    return [(0.0, "0"), (top / 2, ""), (float(top), f"{top:,}")]
