"""Heatmap: a matrix as a picture, with bars of what is kept in every row and column and a colour bar."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sparseviz.gui.theme import Colours, Theme, small, style_canvas, style_plot
from sparseviz.gui.views.levels import Scale, pool
from sparseviz.snapshot import ByteArray, IntArray

AXIS_WIDTH = 46
SCALE_WIDTH = 58  # pixels, of the colour bar with its axis
BARS_SHARE = 0.16  # of the width that the row bars take, of the height that the column bars take
BARS_LIMITS = 42, 90  # pixels
FOOT = 17  # pixels of a bottom axis
CLOSEST = 4  # cells; zoom goes no nearer


class PooledImage:
    """An image of levels in which cells finer than a screen pixel become one, and no kept cell vanishes."""

    def __init__(self) -> None:
        self.item = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self._levels: ByteArray | None = None
        self._rest = 0  # the level of a cell that is not there
        self._corner = (0, 0)  # row and column of the first level
        self._cell = (1.0, 1.0)  # rows and columns of the matrix that one level stands for
        self._size = (0, 0)  # of what is drawn; 0 is nothing

    def show(self, levels: ByteArray, rest: int, corner: tuple[int, int], cell: tuple[float, float]) -> None:
        """Take levels; `fit` draws them."""
        self._levels, self._rest, self._corner, self._cell = levels, rest, corner, cell
        self._size = (0, 0)

    def clear(self) -> None:
        """Show nothing."""
        self._levels = None
        self.item.clear()

    def fit(self, rows_per_pixel: float, columns_per_pixel: float) -> None:
        """Draw for a screen pixel of this size in cells, if that differs from what is drawn."""
        if self._levels is None:
            return
        height, width = (
            max(min(count, math.floor(count * cell / pixel + 0.01)), 1)
            for count, cell, pixel in zip(
                self._levels.shape, self._cell, (rows_per_pixel, columns_per_pixel), strict=True
            )
        )
        if self._size == (height, width):
            return
        self._size = height, width
        self.item.setImage(pool(self._levels, height, width, self._rest), levels=(0, 255), autoLevels=False)
        rows, columns = (count * cell for count, cell in zip(self._levels.shape, self._cell, strict=True))
        self.item.setRect(self._corner[1], self._corner[0], columns, rows)


class Heatmap(QWidget):
    """Units are cells of the matrix; row 0 is at the top. Wheel: zoom; drag: move; double click: all of it."""

    pointed = Signal(int, int)  # row and column under the pointer; -1, -1 where there is none
    range_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shape = (1, 1)  # of the matrix
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the view
        self.canvas.ci.layout.setContentsMargins(0, 4, 6, 0)
        self.canvas.ci.layout.setSpacing(4)
        self._add_plots()
        self._add_items()
        self._arrange()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self.canvas.scene().sigMouseMoved.connect(self._point)
        self.canvas.scene().sigMouseClicked.connect(self._click)
        self.canvas.viewport().installEventFilter(self)
        self.box.sigResized.connect(self._fit)
        self.box.sigRangeChanged.connect(self._range_changed)

    def _add_plots(self) -> None:
        self.plot = self.canvas.addPlot(0, 0)
        self.box = self.plot.getViewBox()
        self.row_plot = self.canvas.addPlot(0, 1)
        self.column_plot = self.canvas.addPlot(1, 0)
        self.scale_plot = self.canvas.addPlot(0, 2)
        self.kept_label = self.canvas.addLabel(self.tr("kept"), 1, 1)
        for plot in (self.plot, self.row_plot):
            plot.invertY(True)
        self.row_plot.setYLink(self.plot)
        self.column_plot.setXLink(self.plot)
        self.row_plot.setMouseEnabled(x=False, y=True)
        self.column_plot.setMouseEnabled(x=True, y=False)
        self.scale_plot.setMouseEnabled(x=False, y=False)

    def _add_items(self) -> None:
        self.preview, self.cells = PooledImage(), PooledImage()
        self.cells.item.setZValue(1)
        self.scale_image = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self.row_bars = pg.BarGraphItem(x0=0, y0=[0], width=[0], height=1, pen=None)
        self.column_bars = pg.BarGraphItem(x0=[0], y0=0, width=1, height=[0], pen=None)
        self.plot.addItem(self.preview.item)
        self.plot.addItem(self.cells.item)
        self.row_plot.addItem(self.row_bars)
        self.column_plot.addItem(self.column_bars)
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

    def _size_bars(self) -> None:
        layout, (least, most) = self.canvas.ci.layout, BARS_LIMITS
        layout.setColumnFixedWidth(1, min(max(BARS_SHARE * self.width(), least), most))
        layout.setRowFixedHeight(1, min(max(BARS_SHARE * self.height(), least), most))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the bars a small part of the whole."""
        super().resizeEvent(event)
        self._size_bars()

    def set_matrix(self, rows: int, columns: int, row_name: str, column_name: str) -> None:
        """Begin with another matrix, all of it in sight."""
        self.shape = (rows, columns)
        self.box.setLimits(
            xMin=0, xMax=columns, yMin=0, yMax=rows, minXRange=min(CLOSEST, columns), minYRange=min(CLOSEST, rows)
        )
        self.plot.setLabel("left", row_name)
        self.column_plot.setLabel("bottom", column_name)
        self.clear_cells()
        self.reset()

    def reset(self) -> None:
        """Bring all of the matrix into sight."""
        self.box.setRange(QRectF(0, 0, self.shape[1], self.shape[0]), padding=0)

    def zoom(self, factor: float) -> None:
        """Zoom about the middle; below 1 is nearer."""
        self.box.scaleBy((factor, factor))

    def move_by(self, right: float, down: float) -> None:
        """Move by these shares of what is in sight."""
        (left, far), (top, bottom) = self.box.viewRange()
        self.box.translateBy(x=right * (far - left), y=down * (bottom - top))

    def visible(self) -> tuple[int, int, int, int]:
        """The cells in sight: row0, row1, column0, column1; the ends are not among them."""
        (left, right), (top, bottom) = self.box.viewRange()
        rows, columns = self.shape
        row0, column0 = max(math.floor(top), 0), max(math.floor(left), 0)
        return row0, max(min(math.ceil(bottom), rows), row0), column0, max(min(math.ceil(right), columns), column0)

    def set_preview(self, levels: ByteArray | None, rest: int, cell: tuple[float, float] = (1.0, 1.0)) -> None:
        """Draw a preview; one level stands for `cell` rows and columns, and the last may reach over the edge."""
        if levels is None:
            self.preview.clear()
            return
        self.preview.show(levels, rest, (0, 0), cell)
        self.preview.fit(*self._cells_per_pixel())

    def set_cells(self, levels: ByteArray, rest: int, row: int, column: int) -> None:
        """Draw true cells over the preview."""
        self.cells.show(levels, rest, (row, column), (1, 1))
        self.cells.fit(*self._cells_per_pixel())

    def clear_cells(self) -> None:
        """Take the true cells away."""
        self.cells.clear()

    def _cells_per_pixel(self) -> tuple[float, float]:
        (left, right), (top, bottom) = self.box.viewRange()
        ratio = self.canvas.devicePixelRatioF()
        height, width = max(self.box.height() * ratio, 1), max(self.box.width() * ratio, 1)
        return (bottom - top) / height, (right - left) / width

    def _fit(self) -> None:
        for image in (self.preview, self.cells):
            image.fit(*self._cells_per_pixel())

    def set_bars(self, row_kept: IntArray, column_kept: IntArray) -> None:
        """Draw what is kept in each row and column."""
        rows, columns = len(row_kept), len(column_kept)
        self.row_bars.setOpts(y0=np.arange(rows), width=row_kept)
        self.column_bars.setOpts(x0=np.arange(columns), height=column_kept)
        most = max(int(row_kept.max()), 1), max(int(column_kept.max()), 1)
        self.row_plot.setXRange(0, most[0], padding=0.02)
        self.row_plot.getAxis("bottom").setTicks([_few_ticks(most[0])])
        self.column_plot.setYRange(0, most[1], padding=0.02)
        self.column_plot.getAxis("left").setTicks([_few_ticks(most[1])])

    def set_colours(self, colours: Colours) -> None:
        """Set the colour of each level, (256, 3)."""
        for item in (self.preview.item, self.cells.item, self.scale_image):
            item.setLookupTable(colours)

    def set_scale(self, scale: Scale) -> None:
        """Draw the colour bar."""
        self.scale_image.setImage(np.arange(scale.first, 256, dtype=np.uint8)[:, None], levels=(0, 255))
        self.scale_image.setRect(0, scale.low, 1, scale.high - scale.low)
        self.scale_plot.setRange(xRange=(0, 1), yRange=(scale.low, scale.high), padding=0)
        self.scale_plot.setLabel("right", scale.label)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours, those of the levels left out."""
        style_canvas(self.canvas, theme)
        for plot in (self.plot, self.row_plot, self.column_plot, self.scale_plot):
            style_plot(plot, theme, small(self.font()))
        self.kept_label.setText(self.tr("kept"), color=theme.muted, size=f"{small(self.font()).pointSizeF()}pt")
        for bars in (self.row_bars, self.column_bars):
            bars.setOpts(brush=theme.accent)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self.pointed.emit(-1, -1)
        return super().eventFilter(watched, event)

    def _point(self, place: QPointF) -> None:
        at = self.box.mapSceneToView(place)
        row, column = math.floor(at.y()), math.floor(at.x())
        inside = self.box.sceneBoundingRect().contains(place)
        inside = inside and 0 <= row < self.shape[0] and 0 <= column < self.shape[1]
        self.pointed.emit(*((row, column) if inside else (-1, -1)))

    def _range_changed(self) -> None:
        self._fit()
        self.range_changed.emit()

    def _click(self, event: Any) -> None:
        if event.double():
            self.reset()


def _few_ticks(most: int) -> list[tuple[float, str]]:
    """Zero, the greatest of 1, 2, 5, 10, 20 ... that leaves room for its own text, and a mark without words between."""
    power = 10 ** (len(str(most)) - 1)
    round_ones = [factor * power for factor in (5, 2, 1) if factor * power <= max(0.95 * most, 1)]
    top = round_ones[0] if round_ones else power // 2
    return [(0.0, "0"), (top / 2, ""), (float(top), f"{top:,}")]
