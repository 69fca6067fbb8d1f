"""Heatmap: a matrix as a picture, with bars of what is kept in every row and column and a colour bar."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sparseviz.gui.theme import Colours, Theme, small, style_canvas, style_plot
from sparseviz.gui.views.levels import Scale, pool
from sparseviz.snapshot import ByteArray, IntArray

AXIS_WIDTH = 50
BAR_SIDE = 78  # pixels: width of the row bars, height of the column bars
CLOSEST = 4  # cells; zoom goes no nearer


class PooledImage:
    """An image of levels in which blocks of cells finer than a screen pixel become one, and no kept cell vanishes."""

    def __init__(self) -> None:
        self.item = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self._levels: ByteArray | None = None
        self._rest = 0  # the level of a cell that is not there
        self._corner = (0, 0)  # row and column of the first pixel
        self._cell = (1, 1)  # rows and columns of the matrix in one pixel
        self._blocks = (0, 0)  # pixels pooled to one; 0 is nothing drawn

    def show(self, levels: ByteArray, rest: int, corner: tuple[int, int], cell: tuple[int, int]) -> None:
        """Take levels; `fit` draws them."""
        self._levels, self._rest, self._corner, self._cell = levels, rest, corner, cell
        self._blocks = (0, 0)

    def clear(self) -> None:
        """Show nothing."""
        self._levels = None
        self.item.clear()

    def fit(self, rows_per_pixel: float, columns_per_pixel: float) -> None:
        """Draw for a screen pixel of this size in cells, if that differs from what is drawn."""
        pixel = (rows_per_pixel, columns_per_pixel)
        blocks = [max(math.ceil(size / cell - 0.05), 1) for size, cell in zip(pixel, self._cell, strict=True)]
        if self._levels is None or self._blocks == (blocks[0], blocks[1]):
            return
        self._blocks = blocks[0], blocks[1]
        pooled = pool(self._levels, *self._blocks, self._rest)
        height, width = (
            count * block * cell for count, block, cell in zip(pooled.shape, blocks, self._cell, strict=True)
        )
        self.item.setImage(pooled, levels=(0, 255), autoLevels=False)
        self.item.setRect(self._corner[1], self._corner[0], width, height)


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
        layout.setColumnFixedWidth(1, BAR_SIDE)
        layout.setColumnFixedWidth(2, AXIS_WIDTH + 18)
        layout.setRowFixedHeight(1, BAR_SIDE)
        for plot in (self.plot, self.row_plot, self.column_plot, self.scale_plot):
            plot.disableAutoRange()
            for side in ("left", "right", "bottom"):
                plot.getAxis(side).enableAutoSIPrefix(False)
        for plot in (self.plot, self.column_plot):
            plot.getAxis("left").setWidth(AXIS_WIDTH)
        for plot in (self.plot, self.row_plot):
            plot.getAxis("bottom").setHeight(18)
        self.row_plot.hideAxis("left")
        self.column_plot.setLabel("left", self.tr("kept"))
        self.scale_plot.showAxes((False, False, True, True), showValues=(False, False, True, False))
        self.scale_plot.getAxis("bottom").setHeight(18)
        self.scale_plot.getAxis("bottom").setStyle(tickLength=0)
        self.column_plot.getAxis("bottom").setHeight(34)
        self.kept_label.setMaximumHeight(18)
        layout.setAlignment(self.kept_label, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.scale_plot.getAxis("right").setWidth(AXIS_WIDTH)

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

    def set_preview(self, levels: ByteArray | None, rest: int) -> None:
        """Draw a preview: its pixels are whole blocks of cells, and the last may reach over the edge."""
        if levels is None:
            self.preview.clear()
            return
        block = [math.ceil(cells / pixels) for pixels, cells in zip(levels.shape, self.shape, strict=True)]
        self.preview.show(levels, rest, (0, 0), (block[0], block[1]))
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
        return (bottom - top) / max(self.box.height(), 1), (right - left) / max(self.box.width(), 1)

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
        self.row_plot.getAxis("bottom").setTicks([_two_ticks(most[0]), []])
        self.column_plot.setYRange(0, most[1], padding=0.02)
        self.column_plot.getAxis("left").setTicks([_two_ticks(most[1]), []])

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


def _two_ticks(most: int) -> list[tuple[int, str]]:
    """Zero, and the greatest of 1, 2, 5, 10, 20 ... that leaves room for its own text."""
    power = 10 ** (len(str(most)) - 1)
    round_ones = [factor * power for factor in (5, 2, 1) if factor * power <= max(0.9 * most, 1)]
    top = round_ones[0] if round_ones else power // 2
    return [(0, "0"), (top, f"{top:,}")]
