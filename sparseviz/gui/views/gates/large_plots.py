"""The plots of one layer large: its histogram now, the strip of it over time, the strip's colours, and a crosshair."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont

from sparseviz.gui.qt.theme import Theme, count_colours, small, style_canvas, style_plot
from sparseviz.gui.views.gates import counts
from sparseviz.gui.views.gates.bins import Bars
from sparseviz.gui.views.gates.strip import Frame, Strip
from sparseviz.gui.views.plots.ruler import FOOT
from sparseviz.values.history import History
from sparseviz.values.snapshot import HISTOGRAM_BINS, FloatArray, LayerInfo, LayerSnapshot

_AXIS_WIDTHS = 56, 50  # pixels: a name, and 100k or 0.25
_SCALE_WIDTH = 56  # pixels, of the colours with their axis
_FOOT = 34  # pixels of a bottom axis with a name
_WIDE = 1.6  # a canvas that is wider than so many times its height has the plots side by side


class LargePlots:
    """Kept bars are full and cut ones hollow."""

    def __init__(self) -> None:
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.edges: FloatArray = np.zeros(HISTOGRAM_BINS + 1)  # of the histogram's bins
        self._info: LayerInfo | None = None
        self._strip = Strip()
        self._drawn: tuple[History, int, int, bool, tuple[float, float]] | None = None  # what the strip shows
        self._top: tuple[int, bool] | None = None  # what the axis of counts shows: its end and scale
        self._add_histogram()
        self._add_strip()
        self._add_scale()
        self._add_crosshair()
        self._is_wide = True

    def _add_histogram(self) -> None:
        self.histogram = self.canvas.addPlot(0, 0, enableMenu=False)
        none = np.zeros(HISTOGRAM_BINS)
        bars = {"x0": none, "width": none, "height": none, "pen": None}
        self.cut_bars, self.kept_bars = pg.BarGraphItem(**bars), pg.BarGraphItem(**bars)
        self.threshold = pg.InfiniteLine(angle=90)
        for item in (self.cut_bars, self.kept_bars, self.threshold):
            self.histogram.addItem(item)
        settle(self.histogram, _AXIS_WIDTHS[0])

    def _add_strip(self) -> None:
        self.strip = self.canvas.addPlot(0, 1, enableMenu=False)
        self.image = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self.halo = pg.InfiniteLine(angle=0)  # the threshold would be lost on colours like its own
        self.strip_threshold = pg.InfiniteLine(angle=0)
        self.now = pg.InfiniteLine(angle=90)
        for item in (self.image, self.halo, self.strip_threshold, self.now):
            self.strip.addItem(item)
        self.strip.getAxis("bottom").setStyle(maxTickLevel=0)
        settle(self.strip, _AXIS_WIDTHS[1])

    def _add_scale(self) -> None:
        self.scale = self.canvas.addPlot(0, 2, enableMenu=False)
        self.scale_image = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self.scale.addItem(self.scale_image)
        settle(self.scale, 0)
        self.scale.showAxes((False, False, True, True), showValues=(False, False, True, False))
        self.scale.setMinimumWidth(_SCALE_WIDTH)
        self.scale.setMaximumWidth(_SCALE_WIDTH)
        self.scale.getAxis("bottom").setStyle(tickLength=0)
        for plot in (self.histogram, self.strip, self.scale):
            plot.getAxis("bottom").setHeight(_FOOT)

    def _add_crosshair(self) -> None:
        self.at_bin = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0)
        self.at_epoch = pg.InfiniteLine(angle=90)
        self.histogram.addItem(self.at_bin[0])
        for line in (self.at_bin[1], self.at_epoch):
            self.strip.addItem(line)
        self.mark(None, None)

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
        self.edges = quantity.bin_edges
        for bars in (self.cut_bars, self.kept_bars):
            bars.setOpts(x0=self.edges[:-1], width=self.edges[1] - self.edges[0])
        self.histogram.setXRange(quantity.low, quantity.high, padding=0.02)
        self.strip.setYRange(quantity.low, quantity.high, padding=0.02)

    def _draw_histogram(self, now: LayerSnapshot, *, log: bool) -> None:
        bars = Bars.of(now, log=log)
        self.cut_bars.setOpts(height=bars.cut)
        self.kept_bars.setOpts(height=bars.kept)
        for line in (self.threshold, self.strip_threshold, self.halo):
            line.setVisible(not math.isnan(now.threshold))
            if not math.isnan(now.threshold):
                line.setValue(now.threshold)
        if (bars.most, log) != self._top:
            self._top = bars.most, log
            self.histogram.setYRange(0, bars.top, padding=0.02)
            ticks = counts.log_ticks(bars.most, every=1) if log else counts.linear_ticks(bars.most, few=False)
            self.histogram.getAxis("left").setTicks(ticks)

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

    def arrange(self, width: int, height: int) -> None:
        """Put the plots side by side, or the strip below the histogram, whichever gives them more room."""
        if (width > _WIDE * height) == self._is_wide:
            return
        self._is_wide = not self._is_wide
        grid = self.canvas.ci
        for plot in (self.histogram, self.strip, self.scale):
            grid.removeItem(plot)
        places = ((0, 0, 1), (0, 1, 1), (0, 2, 1)) if self._is_wide else ((0, 0, 2), (1, 0, 1), (1, 1, 1))
        for plot, (row, column, span) in zip((self.histogram, self.strip, self.scale), places, strict=True):
            grid.addItem(plot, row, column, 1, span)

    def name_axes(self, frame: Frame, info: LayerInfo) -> None:
        """Say what the axes are."""
        weights = self.canvas.tr("weights (log)") if frame.log else self.canvas.tr("weights (linear)")
        self.histogram.setLabel("left", weights)
        self.histogram.setLabel("bottom", self.canvas.tr("{0}, now").format(info.quantity.name))
        self.strip.setLabel("left", info.quantity.name)
        self.strip.setLabel("bottom", self.canvas.tr("epoch"))
        self.scale.setLabel("right", weights)
        self._draw_scale(info.weights, log=frame.log)

    def _draw_scale(self, top: int, *, log: bool) -> None:
        """Draw the colours of the strip beside the counts that they stand for."""
        height = float(counts.heights(np.array(top), log=log))
        quarters = [(top * part / 4, counts.written(round(top * part / 4))) for part in range(5)]
        self.scale_image.setImage(np.arange(256, dtype=np.uint8)[:, None], levels=(0, 255))
        self.scale_image.setRect(0, 0, 1, height)
        self.scale.setRange(xRange=(0, 1), yRange=(0, height), padding=0)
        self.scale.getAxis("right").setTicks(counts.log_ticks(top, every=1) if log else [quarters])

    def mark(self, number: int | None, epoch: float | None) -> None:
        """Lay the crosshair on a bin, and in the strip on an epoch."""
        for line in self.at_bin:
            line.setVisible(number is not None)
            if number is not None:
                line.setValue((self.edges[number] + self.edges[number + 1]) / 2)
        self.at_epoch.setVisible(epoch is not None)
        if epoch is not None:
            self.at_epoch.setValue(epoch)

    def bin_at(self, place: QPointF) -> tuple[int, float | None] | None:
        """The bin at a place of the canvas and, in the strip, the epoch."""
        for plot in (self.histogram, self.strip):
            if plot.getViewBox().sceneBoundingRect().contains(place):
                at = plot.getViewBox().mapSceneToView(place)
                value = at.x() if plot is self.histogram else at.y()
                number = int(np.searchsorted(self.edges, value, side="right")) - 1
                return min(max(number, 0), HISTOGRAM_BINS - 1), None if plot is self.histogram else at.x()
        return None

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours."""
        style_canvas(self.canvas, theme)
        for plot in (self.histogram, self.strip, self.scale):
            style_plot(plot, theme, small(font))
        self.kept_bars.setOpts(brush=theme.accent)
        self.cut_bars.setOpts(brush=None, pen=pg.mkPen(theme.muted))
        for line in (self.threshold, self.strip_threshold):
            line.setPen(pg.mkPen(theme.warning, style=Qt.PenStyle.DashLine))
        halo = QColor(theme.background)
        halo.setAlpha(170)
        self.halo.setPen(pg.mkPen(halo, width=3))
        self.now.setPen(pg.mkPen(theme.text))
        for image in (self.image, self.scale_image):
            image.setLookupTable(count_colours(theme))
        for line in (*self.at_bin, self.at_epoch):
            line.setPen(pg.mkPen(theme.accent, style=Qt.PenStyle.DashDotLine))


def settle(plot: Any, width: int) -> None:
    """Fix a plot's ranges and the room of its axes."""
    plot.setMouseEnabled(x=False, y=False)
    plot.disableAutoRange()
    plot.getAxis("left").setWidth(width)
    plot.getAxis("bottom").setHeight(FOOT)
    plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)
