"""Three pictures of one layer: what the first run keeps, what the second keeps, and the difference."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont

from sparseviz.gui.compare.views import mask_image
from sparseviz.gui.qt.theme import Theme, small, style_canvas, style_plot
from sparseviz.gui.views.plots.matrix import AXIS_WIDTH, Matrix
from sparseviz.values.overlap import Kinds
from sparseviz.values.snapshot import LayerInfo

_CLOSEST = 4  # weights; zoom goes no nearer


class MaskPlots(Matrix):
    """All three show the same part."""

    def __init__(self) -> None:
        super().__init__()
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
        self.boxes = [plot.getViewBox() for plot in self.plots]
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

    def begin(self, info: LayerInfo, names: tuple[str, str]) -> None:
        """Another layer: nothing to draw yet, all of it in sight."""
        self.shape = info.rows, info.columns
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

    def draw(self, kinds: Kinds, block: int) -> None:
        """Draw these squares, each of so many weights a side."""
        self.kinds, self.block, self._drawn = kinds, block, [None] * 3
        self._fit()

    def set_titles(self, titles: tuple[str, str, str], theme: Theme, font: QFont) -> None:
        """What each picture is."""
        for plot, title in zip(self.plots, titles, strict=True):
            plot.setTitle(title, color=theme.text, size=f"{small(font).pointSizeF()}pt")

    def _follow(self, source: Any) -> None:
        """Let the other plots show what this one does; not setXLink, which lines them up by pixels."""
        if self._is_moving:
            return
        self._is_moving = True
        x, y = source.viewRange()
        for box in self.boxes:
            if box is not source:
                box.setRange(xRange=x, yRange=y, padding=0)
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

    def _place(self, place: QPointF) -> tuple[int, int] | None:
        return None if self.kinds is None else super()._place(place)

    def restyle(self, theme: Theme, font: QFont, numbers: tuple[int, int]) -> None:
        """Take on the theme's colours, and those of the two runs."""
        style_canvas(self.canvas, theme)
        table = np.zeros((256, 3), np.uint8)
        table[:5] = mask_image.colours(numbers, theme)
        for plot, item in zip(self.plots, self.items, strict=True):
            style_plot(plot, theme, small(font))
            item.setLookupTable(table)
