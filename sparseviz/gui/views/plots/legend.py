"""A legend beside a plot, not on it: a sample of each line and its name."""

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from sparseviz.gui.views.base import FittingLabel

_SAMPLE = 20  # pixels


class Sample(QWidget):
    """A piece of a line, with a dot where its values are marked."""

    def __init__(self, *, dot: bool) -> None:
        super().__init__()
        self.pen, self._dot = QPen(), dot
        self.setFixedWidth(_SAMPLE)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is small: all is painted
        """Paint the line as the plot does."""
        painter, middle = QPainter(self), self.height() / 2
        painter.setPen(self.pen)
        painter.drawLine(QLineF(2, middle, _SAMPLE - 2, middle))
        if self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QBrush(self.pen.color()))
            painter.drawEllipse(QRectF(QPointF(_SAMPLE / 2 - 3, middle - 3), QPointF(_SAMPLE / 2 + 3, middle + 3)))


class Legend(QWidget):
    """A row of samples with names, each from the longest to the shortest."""

    def __init__(self, names: Sequence[tuple[str, ...]], dots: Sequence[bool]) -> None:
        super().__init__()
        self.samples = [Sample(dot=dot) for dot in dots]
        self._labels: list[FittingLabel] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 0, 0)
        row.setSpacing(3)
        for texts, sample in zip(names, self.samples, strict=True):
            label = FittingLabel()
            label.set_texts(*texts)
            self._labels.append(label)
            row.addWidget(sample)
            row.addWidget(label, len(texts[0]))

    def show_only(self, shown: Sequence[bool]) -> None:
        """Leave out the curves that there are not."""
        for sample, label, is_shown in zip(self.samples, self._labels, shown, strict=True):
            sample.setVisible(is_shown)
            label.setVisible(is_shown)

    def set_pens(self, pens: Sequence[QPen]) -> None:
        """Draw the samples with the pens of their curves."""
        for sample, pen in zip(self.samples, pens, strict=True):
            sample.pen = pen
            sample.update()
