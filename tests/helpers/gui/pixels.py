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


READABLE = 4.5  # to 1, WCAG 2 level AA


def contrast(one, other):
    """The contrast ratio of two colours, as WCAG 2 has it."""
    lights = sorted((luminance(one), luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour):
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3])
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
