"""Three pictures of one layer: what the first run keeps, what the second keeps, and the difference."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont

from sparseviz.gui.compare.views import mask_image
from sparseviz.gui.qt.theme import Theme, small, style_canvas, style_plot
from sparseviz.values.overlap import Kinds
from sparseviz.values.snapshot import LayerInfo

AXIS_WIDTH = 46
_CLOSEST = 4  # weights; zoom goes no nearer


class MaskPlots(QObject):
    """All show the same part; wheel: zoom, drag: move, double click: all of it."""

    pointed = Signal(int, int)  # row and column under the pointer; -1, -1 where there is none

    def __init__(self) -> None:
        super().__init__()
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.plots = [
            self.canvas.addPlot(0, 0, enableMenu=False),
            self.canvas.addPlot(0, 1, enableMenu=False),
            self.canvas.addPlot(1, 0, colspan=2, enableMenu=False),
        ]
        self.canvas.ci.layout.setRowStretchFactor(0, 2)
        self.canvas.ci.layout.setRowStretchFactor(1, 3)
        self.items = [pg.ImageItem(axisOrder="row-major", levels=(0, 255)) for _ in self.plots]
        self.kinds: Kinds | None = None
        self.block = 1
        self._shape = (1, 1)  # of the matrix, in weights
        self._drawn: list[object] = [None] * 3
        self._is_moving = False
        self._set_up()

    def _set_up(self) -> None:
        for plot, item in zip(self.plots, self.items, strict=True):
            plot.addItem(item)
            plot.invertY(True)
            plot.disableAutoRange()
            plot.getAxis("left").setWidth(AXIS_WIDTH)
            box = plot.getViewBox()
            box.sigRangeChanged.connect(self._follow)
            box.sigResized.connect(self._fit)
        self.canvas.scene().sigMouseMoved.connect(self._point)
        self.canvas.scene().sigMouseClicked.connect(lambda event: self.reset() if event.double() else None)
        self.canvas.viewport().installEventFilter(self)

    def begin(self, info: LayerInfo, names: tuple[str, str]) -> None:
        """Another layer: nothing to draw yet, all of it in sight."""
        self._shape = info.rows, info.columns
        self.clear()
        for plot in self.plots:
            limits = {"xMin": 0, "xMax": info.columns, "yMin": 0, "yMax": info.rows}
            plot.getViewBox().setLimits(**limits, minXRange=min(_CLOSEST, info.columns), minYRange=1)
            plot.setLabel("left", names[0])
            plot.setLabel("bottom", names[1])
        self.reset()

    def clear(self) -> None:
        """Draw nothing."""
        self.kinds = None
        for item in self.items:
            item.clear()

    def show(self, kinds: Kinds, block: int) -> None:
        """Draw these squares, each of so many weights a side."""
        self.kinds, self.block, self._drawn = kinds, block, [None] * 3
        self._fit()

    def set_titles(self, titles: tuple[str, str, str], theme: Theme, font: QFont) -> None:
        """What each picture is."""
        for plot, title in zip(self.plots, titles, strict=True):
            plot.setTitle(title, color=theme.text, size=f"{small(font).pointSizeF()}pt")

    def reset(self) -> None:
        """Bring all of the layer into sight."""
        rows, columns = self._shape
        self.plots[2].getViewBox().setRange(QRectF(0, 0, columns, rows), padding=0)

    def zoom(self, factor: float) -> None:
        """Zoom about the middle; below 1 is nearer."""
        self.plots[2].getViewBox().scaleBy((factor, factor))

    def move_by(self, right: float, down: float) -> None:
        """Move by these shares of what is in sight."""
        box = self.plots[2].getViewBox()
        (left, far), (top, bottom) = box.viewRange()
        box.translateBy(x=right * (far - left), y=down * (bottom - top))

    def _follow(self, source: Any) -> None:
        """Let the other plots show what this one does; not setXLink, which lines them up by pixels."""
        if self._is_moving:
            return
        self._is_moving = True
        x, y = source.viewRange()
        for plot in self.plots:
            if plot.getViewBox() is not source:
                plot.getViewBox().setRange(xRange=x, yRange=y, padding=0)
        self._is_moving = False
        self._fit()

    def _fit(self) -> None:
        """Draw what is in sight for the pixels there are."""
        if self.kinds is None or self._is_moving:
            return
        for number, (plot, item) in enumerate(zip(self.plots, self.items, strict=True)):
            box, ratio = plot.getViewBox(), self.canvas.devicePixelRatioF()
            rows, columns = mask_image.in_sight(box.viewRange(), self.kinds.shape, self.block)
            size = max(int(box.height() * ratio), 1), max(int(box.width() * ratio), 1)
            wanted = (rows, columns, size)
            if wanted == self._drawn[number]:
                continue
            self._drawn[number] = wanted
            levels = mask_image.image(self.kinds[rows, columns], *size, number)
            item.setImage(levels, levels=(0, 255), autoLevels=False)
            left, top = columns.start * self.block, rows.start * self.block
            item.setRect(left, top, columns.stop * self.block - left, rows.stop * self.block - top)

    def at(self, row: int, column: int) -> int:
        """What the square with this weight holds."""
        assert self.kinds is not None  # noqa: S101  # the pointer is over what is drawn
        return int(self.kinds[row // self.block, column // self.block])

    def _point(self, place: QPointF) -> None:
        for plot in self.plots:
            box = plot.getViewBox()
            if self.kinds is not None and box.sceneBoundingRect().contains(place):
                at = box.mapSceneToView(place)
                row, column = math.floor(at.y()), math.floor(at.x())
                if 0 <= row < self._shape[0] and 0 <= column < self._shape[1]:
                    self.pointed.emit(row, column)
                    return
        self.pointed.emit(-1, -1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self.pointed.emit(-1, -1)
        return super().eventFilter(watched, event)

    def restyle(self, theme: Theme, font: QFont, numbers: tuple[int, int]) -> None:
        """Take on the theme's colours, and those of the two runs."""
        style_canvas(self.canvas, theme)
        table = np.zeros((256, 3), np.uint8)
        table[:5] = mask_image.colours(numbers, theme)
        for plot, item in zip(self.plots, self.items, strict=True):
            style_plot(plot, theme, small(font))
            item.setLookupTable(table)
