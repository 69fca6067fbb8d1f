"""The plots of one layer large: axes with names, a scale of the strip's colours, and a crosshair."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont

from sparseviz.gui.theme import Theme, count_colours, small, style_plot
from sparseviz.gui.views import counts
from sparseviz.gui.views.gate_plots import GatePlots, settle
from sparseviz.gui.views.strip import Frame
from sparseviz.snapshot import HISTOGRAM_BINS, LayerInfo, Quantity

_AXIS_WIDTHS = 56, 50  # pixels: a name, and 100k or 0.25
_SCALE_WIDTH = 56  # pixels, of the colours with their axis
_FOOT = 34  # pixels of a bottom axis with a name
_WIDE = 1.6  # a canvas that is wider than so many times its height has the plots side by side


class LargePlots(GatePlots):
    """Kept bars are full and cut ones hollow."""

    def __init__(self) -> None:
        super().__init__(_AXIS_WIDTHS)
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
        self.at_bin = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0)
        self.at_epoch = pg.InfiniteLine(angle=90)
        self.histogram.addItem(self.at_bin[0])
        for line in (self.at_bin[1], self.at_epoch):
            self.strip.addItem(line)
        self._is_wide = True
        self.mark(None, None)

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

    def _tick_quantity(self, quantity: Quantity) -> None:
        """Ticks where pyqtgraph finds room."""

    def _tick_counts(self, top: int, *, log: bool) -> None:
        ticks = counts.log_ticks(top, every=1) if log else counts.linear_ticks(top, few=False)
        self.histogram.getAxis("left").setTicks(ticks)

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
        super().restyle(theme, font)
        style_plot(self.scale, theme, small(font))
        self.scale_image.setLookupTable(count_colours(theme))
        self.cut_bars.setOpts(brush=None, pen=pg.mkPen(theme.muted))
        for line in (*self.at_bin, self.at_epoch):
            line.setPen(pg.mkPen(theme.accent, style=Qt.PenStyle.DashDotLine))
