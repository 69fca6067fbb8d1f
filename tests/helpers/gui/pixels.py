"""Colours: what is painted, and with what."""

import numpy as np
from PySide6.QtGui import QColor, QImage, QPalette


def painted(widget):
    """(height, width, 3) from 0 to 255."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def rgb(colour):
    return [colour.red(), colour.green(), colour.blue()]


def dark_palette():
    palette = QPalette(QColor("#2b2e36"), QColor("#1f2127"))
    for role, colour in (("Base", "#17181d"), ("Text", "#dcdfe4"), ("WindowText", "#dcdfe4")):
        palette.setColor(getattr(QPalette.ColorRole, role), QColor(colour))
    return palette
