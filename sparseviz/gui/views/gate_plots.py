"""The two plots of one layer: the histogram of its decisive quantity now, and the strip of it over time."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont

from sparseviz.gui.theme import Theme, count_colours, small, style_canvas, style_plot
from sparseviz.gui.views import counts
from sparseviz.gui.views.strip import Frame, Strip
from sparseviz.snapshot import HISTOGRAM_BINS, FloatArray, History, LayerInfo, LayerSnapshot, Quantity

AXIS_WIDTHS = 34, 30  # pixels, of the histogram and of the strip: room for 100k and for 0.5
FOOT = 18  # pixels of a bottom axis


class GatePlots:
    """Histogram and strip side by side on one canvas."""

    def __init__(self, widths: tuple[int, int] = AXIS_WIDTHS) -> None:
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.edges: FloatArray = np.zeros(HISTOGRAM_BINS + 1)  # of the histogram's bins
        self._info: LayerInfo | None = None
        self._strip = Strip()
        self._drawn: tuple[History, int, int, bool, tuple[float, float]] | None = None  # what the strip shows
        self._top: tuple[int, bool] | None = None  # what the axis of counts shows: its end and scale
        self._add_histogram(widths[0])
        self._add_strip(widths[1])

    def _add_histogram(self, width: int) -> None:
        self.histogram = self.canvas.addPlot(0, 0, enableMenu=False)
        none = np.zeros(HISTOGRAM_BINS)
        bars = {"x0": none, "width": none, "height": none, "pen": None}
        self.cut_bars, self.kept_bars = pg.BarGraphItem(**bars), pg.BarGraphItem(**bars)
        self.threshold = pg.InfiniteLine(angle=90)
        for item in (self.cut_bars, self.kept_bars, self.threshold):
            self.histogram.addItem(item)
        settle(self.histogram, width)

    def _add_strip(self, width: int) -> None:
        self.strip = self.canvas.addPlot(0, 1, enableMenu=False)
        self.image = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self.halo = pg.InfiniteLine(angle=0)  # the threshold would be lost on colours like its own
        self.strip_threshold = pg.InfiniteLine(angle=0)
        self.now = pg.InfiniteLine(angle=90)
        for item in (self.image, self.halo, self.strip_threshold, self.now):
            self.strip.addItem(item)
        self.strip.getAxis("bottom").setStyle(maxTickLevel=0)
        settle(self.strip, width)

    def draw(self, frame: Frame, layer: int) -> None:
        """Draw a layer as it is now; the strip shows all that the frame's times do."""
        now = frame.layer(layer)
        if now.info != self._info:
            self._begin(now.info)
        self._draw_histogram(now, log=frame.log)
        self._draw_strip(frame, layer)
        self.now.setVisible(frame.is_past)
        self.now.setValue(frame.now.epoch)

    def forget(self) -> None:
        """Let the history go."""
        self._drawn = None
        self._strip.forget()

    def _begin(self, info: LayerInfo) -> None:
        """Set what depends on the layer alone."""
        quantity, self._info, self._top = info.quantity, info, None
        self.edges = np.linspace(quantity.low, quantity.high, HISTOGRAM_BINS + 1)
        for bars in (self.cut_bars, self.kept_bars):
            bars.setOpts(x0=self.edges[:-1], width=self.edges[1] - self.edges[0])
        self.histogram.setXRange(quantity.low, quantity.high, padding=0.02)
        self.strip.setYRange(quantity.low, quantity.high, padding=0.02)
        self._tick_quantity(quantity)

    def _tick_quantity(self, quantity: Quantity) -> None:
        for axis in (self.histogram.getAxis("bottom"), self.strip.getAxis("left")):
            axis.setTicks(_ends_and_middle(quantity))

    def _tick_counts(self, top: int, *, log: bool) -> None:
        ticks = counts.log_ticks(top, every=2) if log else counts.linear_ticks(top, few=True)
        self.histogram.getAxis("left").setTicks(ticks)

    def _draw_histogram(self, now: LayerSnapshot, *, log: bool) -> None:
        heights = counts.heights(now.histogram, log=log)
        cut = (self.edges[:-1] + self.edges[1:]) / 2 < now.threshold  # nothing is, where the threshold is NaN
        self.cut_bars.setOpts(height=np.where(cut, heights, 0))
        self.kept_bars.setOpts(height=np.where(cut, 0, heights))
        for line in (self.threshold, self.strip_threshold, self.halo):
            line.setVisible(not math.isnan(now.threshold))
            if not math.isnan(now.threshold):
                line.setValue(now.threshold)
        top = now.info.weights if log else counts.round_top(int(now.histogram.max()))
        if (top, log) != self._top:
            self._top = top, log
            self.histogram.setYRange(0, counts.heights(np.array(top), log=log), padding=0.02)
            self._tick_counts(top, log=log)

    def _draw_strip(self, frame: Frame, layer: int) -> None:
        shown = frame.history, len(frame.epochs), layer, frame.log, frame.times
        if shown == self._drawn:
            return
        self._drawn = shown
        begin, end = frame.part()
        self.image.setVisible(begin < end)
        if begin < end:
            quantity = frame.layer(layer).info.quantity
            self.image.setImage(self._strip.image(frame, layer), levels=(0, 255))
            self.image.setRect(begin, quantity.low, end - begin, quantity.high - quantity.low)
        self.strip.setXRange(*frame.times, padding=0.0)

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours."""
        style_canvas(self.canvas, theme)
        for plot in (self.histogram, self.strip):
            style_plot(plot, theme, small(font))
        self.kept_bars.setOpts(brush=theme.accent)
        self.cut_bars.setOpts(brush=theme.pale)
        for line in (self.threshold, self.strip_threshold):
            line.setPen(pg.mkPen(theme.warning, style=Qt.PenStyle.DashLine))
        halo = QColor(theme.background)
        halo.setAlpha(170)
        self.halo.setPen(pg.mkPen(halo, width=3))
        self.now.setPen(pg.mkPen(theme.text))
        self.image.setLookupTable(count_colours(theme))


def settle(plot: Any, width: int) -> None:
    """Fix a plot's ranges and the room of its axes."""
    plot.setMouseEnabled(x=False, y=False)
    plot.disableAutoRange()
    plot.getAxis("left").setWidth(width)
    plot.getAxis("bottom").setHeight(FOOT)
    plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)


def _ends_and_middle(quantity: Quantity) -> counts.Ticks:
    """The ticks of an axis of the decisive quantity: 0, 0.5, 1 for a gate."""
    middle = (quantity.low + quantity.high) / 2
    return [[(value, f"{value:g}") for value in (quantity.low, middle, quantity.high)]]
