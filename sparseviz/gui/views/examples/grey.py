"""Images: of one channel in the colours of the theme, ink on paper, as text is; of three in their own."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter

from sparseviz.gui.qt.theme import Theme, mix
from sparseviz.values.examples import Float32Array


def ink_colours(theme: Theme) -> list[int]:
    """256 colours from the background of plots to the text's."""
    return [mix(theme.background, theme.text, level / 255).rgb() for level in range(256)]


def grey_image(pixels: Float32Array, colours: list[int]) -> QImage:
    """Pixels (h, w) from 0 to 1 as an image in these colours; it owns its memory."""
    levels = np.ascontiguousarray((pixels * 255).round(), dtype=np.uint8)
    height, width = levels.shape
    image = QImage(levels.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(colours)
    return image.copy()


def picture(pixels: Float32Array, colours: list[int]) -> QImage:
    """Pixels (C, h, w) from 0 to 1: in their own colours where they have three channels, else their mean as ink."""
    if len(pixels) != 3:
        return grey_image(pixels.mean(axis=0), colours)
    levels = np.ascontiguousarray((pixels.clip(0, 1) * 255).round().transpose(1, 2, 0), dtype=np.uint8)
    height, width, _ = levels.shape
    return QImage(levels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def paint_image(painter: QPainter, room: QRectF, image: QImage) -> None:
    """Paint an image as large as there is room: smaller smoothly, larger with its pixels seen as squares."""
    place = QRectF(QPointF(), QSizeF(image.size()).scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio))
    place.moveCenter(room.center())
    is_smaller = place.width() < image.width()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smaller)
    painter.drawImage(place, image.convertToFormat(QImage.Format.Format_RGB32) if is_smaller else image)
