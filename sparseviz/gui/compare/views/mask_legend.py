"""The kinds of weights in two masks: a glyph, words and a number each."""

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sparseviz.gui.compare.views import mask_image
from sparseviz.gui.qt.theme import theme_of

_GLYPH = 10  # pixels


class MaskLegend(QWidget):
    """The four kinds of weights with their glyphs, and how many there are of each."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[tuple[int, str]] = []
        self._numbers = (1, 2)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_kinds(self, texts: list[tuple[int, str]], numbers: tuple[int, int]) -> None:
        """Levels and their words, for these two runs."""
        self._texts, self._numbers = texts, numbers
        self.setAccessibleName("; ".join(text for _, text in texts) or self.tr("Legend: no masks"))
        self.setToolTip(self.accessibleName())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Two rows where one has no room."""
        return QSize(100, 2 * (self.fontMetrics().height() + 3))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is small: all is painted
        """Paint glyphs and words."""
        painter, theme, metrics = QPainter(self), theme_of(self.palette()), self.fontMetrics()
        table, left, row = mask_image.colours(self._numbers, theme), 6, 0
        for level, text in self._texts:
            width = metrics.horizontalAdvance(text)
            if left > 6 and left + _GLYPH + 6 + width > self.width():
                left, row = 6, row + 1
            top = row * (metrics.height() + 3)
            colour = theme.muted if level == mask_image.NONE else QColor(*table[level].tolist())
            place = QRectF(left, top + (metrics.height() - _GLYPH) / 2, _GLYPH, _GLYPH)
            mask_image.paint_glyph(painter, place, level, colour)
            painter.setPen(theme.text)
            painter.drawText(left + _GLYPH + 6, top + metrics.ascent(), text)
            left += _GLYPH + width + 24
