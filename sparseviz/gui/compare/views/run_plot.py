"""A plot with a line a run, and a star where its test error is; lines are kept from draw to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont

from sparseviz.gui.compare.views.subject import Subject, sign_of
from sparseviz.gui.qt.theme import Theme, small, style_canvas, style_plot
from sparseviz.gui.views.plots.log_axis import LogAxis, log_range
from sparseviz.values.snapshot import FloatArray

AXIS_WIDTH = 52  # pixels: a number, and the axis' name
_PADDING = 0.04
_SYMBOLS = 6  # along a line


@dataclass(frozen=True, slots=True, eq=False)
class RunLine:
    """A run's values; only finite ones, and positive ones on a log axis."""

    run: Subject
    x: FloatArray
    y: FloatArray
    star: tuple[float, float] | None = None  # where its test error is


class RunPlot:
    """Lines with symbols at a few places, the run's number at their ends, and stars; either axis may be log."""

    def __init__(self, *, marked: bool = True) -> None:
        self._marked = marked  # else the lines are thin and bare
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the view
        self.canvas.ci.layout.setContentsMargins(0, 6, 10, 0)
        self.axes = {side: LogAxis(side) for side in ("left", "bottom")}
        self.plot = self.canvas.addPlot(0, 0, axisItems=self.axes, enableMenu=False)
        self.box = self.plot.getViewBox()
        self.plot.disableAutoRange()
        self.plot.getAxis("left").setWidth(AXIS_WIDTH)
        self.crosshair = pg.InfiniteLine(angle=90)
        self.crosshair.setVisible(False)
        self.plot.addItem(self.crosshair, ignoreBounds=True)
        self.lines: tuple[RunLine, ...] = ()
        self.items: dict[int, Any] = {}  # by the run's number
        self.symbols, self.stars = pg.ScatterPlotItem(), pg.ScatterPlotItem(symbol="star", size=15)
        for item, height in ((self.symbols, 5), (self.stars, 10)):
            item.setZValue(height)
            self.plot.addItem(item)
        self.names: dict[int, Any] = {}
        self.log = (False, True)
        self._theme: Theme | None = None
        self._font = QFont()

    def show(self, lines: Sequence[RunLine], *, log: tuple[bool, bool]) -> None:
        """Draw these lines; `log` of x and of y."""
        self.lines, self.log = tuple(lines), log
        for name in set(self.items) - {line.run.number for line in lines}:
            self.plot.removeItem(self.items.pop(name))
        if self._theme is None:
            return
        for line in self.lines:
            if line.run.number not in self.items:
                item = self.items[line.run.number] = pg.PlotCurveItem(connect="finite")
                self.plot.addItem(item)
            item = self.items[line.run.number]
            item.setData(self.on_axis(line.x, 0), self.on_axis(line.y, 1))
            item.setPen(sign_of(line.run.number, self._theme).pen(1.8 if self._marked else 1))
        for side, is_log in zip(("bottom", "left"), log, strict=True):
            self.plot.getAxis(side).setLogMode(is_log)
        self._mark(self._theme)

    def on_axis(self, values: FloatArray, axis: int) -> FloatArray:
        """The values as the plot has them: powers of ten where the axis is log."""
        return np.log10(values) if self.log[axis] else values

    def _mark(self, theme: Theme) -> None:
        spots, stars = [], []
        for number in set(self.names) - {line.run.number for line in self.lines if len(line.x)}:
            self.plot.removeItem(self.names.pop(number))
        for line in self.lines if self._marked else ():
            sign = sign_of(line.run.number, theme)
            look = {"brush": sign.colour, "pen": pg.mkPen(theme.background)}
            x, y = self.on_axis(line.x, 0), self.on_axis(line.y, 1)
            if len(x):
                few = np.unique(np.linspace(0, len(x) - 1, _SYMBOLS + 2).round().astype(int)[1:])
                spots += [{"pos": (x[at], y[at]), "symbol": sign.symbol, "size": 9, **look} for at in few]
                self._name(line.run.number, (float(x[-1]), float(y[-1])))
            if line.star:
                place = [float(self.on_axis(np.array([value]), axis)[0]) for axis, value in enumerate(line.star)]
                stars.append({"pos": place, "size": 15, **look})
        self.symbols.setData(spots)
        self.stars.setData(stars)

    def _name(self, number: int, place: tuple[float, float]) -> None:
        """Write a run's number at the end of its line."""
        if number not in self.names:
            name = self.names[number] = pg.TextItem(str(number), anchor=(-0.4, 0.5))
            self.plot.addItem(name, ignoreBounds=True)
            self._colour(number)
        self.names[number].setPos(*place)

    def _colour(self, number: int) -> None:
        if self._theme is not None:
            self.names[number].setColor(sign_of(number, self._theme).colour)
            self.names[number].textItem.setFont(small(self._font))

    def fit(self, more: Mapping[str, Sequence[float]] | None = None) -> None:
        """Bring all values into sight, and those in `more` ("x", "y")."""
        extra = more or {}
        for axis, (values, name) in enumerate((([line.x for line in self.lines], "x"), (self._heights(), "y"))):
            self._fit_axis(axis, [*values, np.array(extra.get(name, ()), dtype=np.float64)])

    def _heights(self) -> list[FloatArray]:
        stars = [line.star[1] for line in self.lines if line.star]
        return [*(line.y for line in self.lines), np.array(stars, dtype=np.float64)]

    def _fit_axis(self, axis: int, values: Sequence[FloatArray]) -> None:
        found = log_range(values) if self.log[axis] else _range(values)
        low, high = found or (0.0, 1.0)
        do = self.plot.setYRange if axis else self.plot.setXRange
        do(low, high, padding=_PADDING)

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours."""
        self._theme, self._font = theme, font
        style_canvas(self.canvas, theme)
        style_plot(self.plot, theme, small(font))
        self.crosshair.setPen(pg.mkPen(theme.accent, style=Qt.PenStyle.DashDotLine))
        for number in self.names:
            self._colour(number)
        self.show(self.lines, log=self.log)


def _range(parts: Sequence[FloatArray]) -> tuple[float, float] | None:
    values = np.concatenate([np.zeros(0), *parts])
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)
