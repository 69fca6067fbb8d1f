"""Heatmap: a matrix as a picture, with bars of what is kept in every row and column and a colour bar."""

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from sparseviz.gui.qt.theme import Colours, Theme, small, style_canvas, style_plot
from sparseviz.gui.views.plots.axis import PaintedAxis
from sparseviz.gui.views.plots.matrix import AXIS_WIDTH, Matrix
from sparseviz.gui.views.weights.bars import KeptBars
from sparseviz.gui.views.weights.cell_marks import CellMarks
from sparseviz.gui.views.weights.levels import CellLevels, Scale
from sparseviz.gui.views.weights.placement import Bars
from sparseviz.gui.views.weights.pooled_image import LevelsImage, PooledImage

SCALE_WIDTH = 58  # pixels, of the colour bar with its axis
BARS_SHARE = 0.16  # of the width that the row bars take, of the height that the column bars take
BARS_LIMITS = 42, 90  # pixels
FOOT = 17  # pixels of a bottom axis
CLOSEST = 1  # cell; zoom goes no nearer
_EDGES = ("xMin", "xMax", "yMin", "yMax")


class Heatmap(Matrix):
    """The matrix in colours, its bars and its colour bar; images keep their shape."""

    range_changed = Signal()
    fitted = Signal()  # drawn anew for another size of a pixel

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale: Scale | None = None  # that the colour bar shows
        self.canvas.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # it has a ground of its own
        self.canvas.ci.layout.setContentsMargins(0, 4, 6, 0)
        self.canvas.ci.layout.setSpacing(4)
        self._add_plots()
        self._add_items()
        self._arrange()
        self.box.sigResized.connect(self._fit)
        self.box.sigRangeChanged.connect(self._range_changed)

    def _add_plots(self) -> None:
        self.plot = self._add_plot(0, 0, "left", "bottom")
        self.box = self.plot.getViewBox()
        self.boxes = (self.box,)
        self.row_plot = self._add_plot(0, 1)
        self.column_plot = self._add_plot(1, 0, "bottom")
        self.scale_plot = self._add_plot(0, 2, "right")
        self.kept_label = self.canvas.addLabel(self.tr("kept"), 1, 1)
        for plot in (self.plot, self.row_plot):
            plot.invertY(True)
        self.row_plot.setYLink(self.plot)
        self.column_plot.setXLink(self.plot)
        self.row_plot.setMouseEnabled(x=False, y=True)
        self.column_plot.setMouseEnabled(x=True, y=False)
        self.scale_plot.setMouseEnabled(x=False, y=False)

    def _add_plot(self, row: int, column: int, *sides: str) -> Any:
        axes = {side: PaintedAxis(side) for side in sides}
        return self.canvas.addPlot(row, column, enableMenu=False, axisItems=axes)

    def _add_items(self) -> None:
        self.preview, self.cells = PooledImage(), PooledImage()
        self.cells.item.setZValue(1)
        self.scale_image = LevelsImage()
        self.marks = CellMarks()
        self.marks.setZValue(2)
        for item in (self.preview.item, self.cells.item, self.marks):
            self.plot.addItem(item)
        self.row_bars = KeptBars(self.row_plot, vertical=False)
        self.column_bars = KeptBars(self.column_plot, vertical=True)
        self.scale_plot.addItem(self.scale_image)

    def _arrange(self) -> None:
        """Fix the sizes of axes, so that the bars stand exactly beside their rows and columns."""
        layout = self.canvas.ci.layout
        layout.setColumnFixedWidth(2, SCALE_WIDTH)
        self._size_bars()
        for plot in (self.plot, self.row_plot, self.column_plot, self.scale_plot):
            plot.disableAutoRange()
        for plot in (self.plot, self.column_plot):
            plot.getAxis("left").setWidth(AXIS_WIDTH)
        for plot in (self.plot, self.row_plot):
            plot.getAxis("bottom").setHeight(FOOT)
        self.row_plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)  # else its 0 is left out
        self.row_plot.hideAxis("left")
        self.column_plot.setLabel("left", self.tr("kept"))
        self.scale_plot.showAxes((False, False, True, True), showValues=(False, False, True, False))
        self.scale_plot.getAxis("bottom").setHeight(FOOT)
        self.scale_plot.getAxis("bottom").setStyle(tickLength=0)
        self.column_plot.getAxis("bottom").setHeight(FOOT)
        self.column_plot.getAxis("bottom").setStyle(showValues=False)  # they stand above
        self.kept_label.setMaximumHeight(FOOT)
        layout.setAlignment(self.kept_label, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.scale_plot.getAxis("right").setWidth(SCALE_WIDTH - 14)
        for plot in (self.plot, self.row_plot, self.column_plot, self.scale_plot):
            for axis in (entry["item"] for entry in plot.axes.values()):
                if not axis.isVisible():
                    axis.unlinkFromView()  # else it follows every move unseen

    def _size_bars(self) -> None:
        layout, (least, most) = self.canvas.ci.layout, BARS_LIMITS
        shown = self.row_plot.isVisible()
        layout.setColumnFixedWidth(1, min(max(BARS_SHARE * self.width(), least), most) if shown else 0)
        layout.setRowFixedHeight(1, min(max(BARS_SHARE * self.height(), least), most) if shown else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the bars a small part of the whole."""
        super().resizeEvent(event)
        self._size_bars()

    def set_shape(
        self, shape: tuple[int, int], names: tuple[str, str], tile: tuple[int, int] | None, *, bars: bool
    ) -> None:
        """Begin with another picture, all of it in sight; `names` are those of its rows and columns."""
        rows, columns = self.shape = shape
        edges = {"xMin": 0, "xMax": columns, "yMin": 0, "yMax": rows} if bars else dict.fromkeys(_EDGES)
        self.box.setAspectLocked(not bars)  # images keep their shape
        self.box.setLimits(**edges, minXRange=CLOSEST, minYRange=CLOSEST)
        self.plot.setLabel("left", names[0])
        for plot, named in ((self.plot, not bars), (self.column_plot, bars)):
            plot.setLabel("bottom", names[1] if named else "")
            plot.showLabel("bottom", named)
        self.plot.getAxis("bottom").setHeight(FOOT if bars else 2 * FOOT)  # of numbers, and of a name
        for item in (self.row_plot, self.column_plot, self.kept_label):
            item.setVisible(bars)
        self.marks.set_shape(shape, tile)
        self.preview.clear()
        self.clear_cells()
        self._size_bars()
        self.reset()

    def visible(self) -> tuple[int, int, int, int]:
        """The cells in sight: row0, row1, column0, column1; the ends are not among them."""
        (left, right), (top, bottom) = self.box.viewRange()
        rows, columns = self.shape
        row0, column0 = max(math.floor(top), 0), max(math.floor(left), 0)
        return row0, max(min(math.ceil(bottom), rows), row0), column0, max(min(math.ceil(right), columns), column0)

    def set_preview(self, picture: CellLevels | None, cell: tuple[float, float] = (1.0, 1.0)) -> None:
        """Draw a preview; one level stands for `cell` rows and columns, and the last may reach over the edge."""
        if picture is None:
            self.preview.clear()
            return
        self.preview.show(picture, (0, 0), cell)
        self._fit()

    def set_cells(self, picture: CellLevels, corner: tuple[int, int], block: int) -> None:
        """Draw true cells, or blocks of them, over the preview."""
        self.cells.show(picture, corner, (block, block))
        self._fit()

    def clear_cells(self) -> None:
        """Take the true cells away."""
        self.cells.clear()
        self.marks.set_values(None)

    def _cells_per_pixel(self) -> tuple[float, float]:
        (left, right), (top, bottom) = self.box.viewRange()
        ratio = self.canvas.devicePixelRatioF()
        height, width = max(self.box.height() * ratio, 1), max(self.box.width() * ratio, 1)
        return (bottom - top) / height, (right - left) / width

    def _fit(self) -> None:
        rows, columns = self._cells_per_pixel()
        drawn = [image.fit(rows, columns) for image in (self.preview, self.cells)]
        (left, right), (top, bottom) = self.box.viewRange()
        self.row_bars.fit(top, bottom, rows)
        self.column_bars.fit(left, right, columns)
        if any(drawn):
            self.fitted.emit()

    def densest(self) -> float:
        """The share kept that the strongest colour of a density stands for."""
        return (self.preview if self.cells.is_empty() else self.cells).densest

    def set_bars(self, bars: tuple[Bars, Bars] | None) -> None:
        """Draw what is kept in each row and column."""
        for side, counts in zip((self.row_bars, self.column_bars), bars or (None, None), strict=True):
            side.set_bars(counts)
        self._fit()

    def set_colours(self, colours: Colours) -> None:
        """Set the colour of each level, (256, 3)."""
        for item in (self.preview.item, self.cells.item, self.scale_image):
            item.set_colours(colours)

    def set_scale(self, scale: Scale) -> None:
        """Draw the colour bar."""
        if scale == self._scale:
            return
        if self._scale is None or scale.label != self._scale.label:
            self.scale_plot.setLabel("right", scale.label)
        self._scale = scale
        levels = np.arange(scale.first, 256, dtype=np.uint8)[:, None]
        self.scale_image.show_levels(levels, QRectF(0, scale.low, 1, scale.high - scale.low))
        self.scale_plot.setRange(xRange=(0, 1), yRange=(scale.low, scale.high), padding=0)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours, those of the levels left out."""
        style_canvas(self.canvas, theme)
        self.marks.restyle(theme, small(self.font()))
        for plot in (self.plot, self.row_plot, self.column_plot, self.scale_plot):
            style_plot(plot, theme, small(self.font()))
        self.kept_label.setText(self.tr("kept"), color=theme.muted, size=f"{small(self.font()).pointSizeF()}pt")
        for bars in (self.row_bars, self.column_bars):
            bars.restyle(theme)

    def _range_changed(self) -> None:
        self._fit()
        self.range_changed.emit()
