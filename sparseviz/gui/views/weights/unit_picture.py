"""What one output unit sees of the input: where kept weights lead from a pixel to it."""

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, count_colours, mute, small, style_canvas
from sparseviz.gui.views.base import FittingLabel


class UnitPicture(QWidget):
    """A picture in the shape of the input, its channels added up."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.ci.layout.setContentsMargins(0, 4, 0, 0)
        self.canvas.setAccessibleName(self.tr("What the chosen unit sees of the input"))
        self.box = self.canvas.addViewBox(lockAspect=True, invertY=True, enableMouse=False)
        self.image = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self.box.addItem(self.image)
        self.captions = FittingLabel(), FittingLabel()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.canvas, 1)
        for caption in self.captions:
            column.addWidget(caption)

    def wait_for(self, layer: str, unit: int) -> None:
        """Say whose picture is asked for; the last one stays until it comes."""
        self._tell(self.tr("{0}, unit {1}").format(layer, unit), "…")

    def show_picture(self, layer: str, unit: int, picture: npt.NDArray[np.float32]) -> None:
        """Draw how strongly each input value reaches the unit, float32 (channels, height, width)."""
        strength = picture.reshape(-1, *picture.shape[-2:]).sum(axis=0)
        most = float(strength.max(initial=0)) or 1.0
        self.image.setImage(np.ceil(strength * (255 / most)).clip(0, 255).astype(np.uint8), levels=(0, 255))
        seen = int((strength > 0).sum())
        told = self.tr("sees {0:,} of {1:,} pixels").format(seen, strength.size)
        self._tell(self.tr("{0}, unit {1}").format(layer, unit), told if seen else self.tr("sees nothing: dead"))

    def _tell(self, *texts: str) -> None:
        for caption, text in zip(self.captions, texts, strict=True):
            caption.set_texts(text)
        self.canvas.setAccessibleDescription(", ".join(filter(None, texts)))

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        style_canvas(self.canvas, theme)
        self.box.setBorder(pg.mkPen(theme.muted))
        self.image.setLookupTable(count_colours(theme))
        for caption in self.captions:
            mute(caption, theme)
            caption.setFont(small(self.font()))
