"""A widget that takes the keys, and shows that it has them."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

OUTLINE = 2  # pixels; a layout leaves so much room for it


class Focusable(QWidget):
    """An outline lies around it while it has the focus."""

    focused = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.outline = QColor()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show it."""
        super().focusInEvent(event)
        self.update()
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the outline away."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the outline."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(self.outline, OUTLINE))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
