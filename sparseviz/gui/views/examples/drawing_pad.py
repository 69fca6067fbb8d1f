"""DrawingPad: a digit drawn with the mouse, as an image like those of the data set."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from sparseviz.gui.qt.theme import Theme, theme_of
from sparseviz.gui.views.examples.grey import grey_image, ink_colours, paint_image
from sparseviz.values.examples import Float32Array, framed, shrunk

CANVAS = 280  # pixels a side, on which strokes are drawn
PEN = 28  # pixels of the canvas: as thick as MNIST's strokes where a digit fills two thirds of the pad
LEAST = 84  # pixels a side of the pad on the screen


class DrawingPad(QWidget):
    """Strokes of an antialiased pen, on paper or on an image that was taken. Delete clears, Ctrl+Z takes back."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strokes: list[list[QPointF]] = []  # in pixels of the canvas
        self.taken: Float32Array | None = None  # (side, side), the image that lies below the strokes
        self._canvas = QImage(CANVAS, CANVAS, QImage.Format.Format_Grayscale8)
        self._canvas.fill(0)
        self.theme = theme_of(self.palette())
        self._colours = ink_colours(self.theme)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(LEAST, LEAST)
        self.setAccessibleName(self.tr("Drawing pad"))
        self.setAccessibleDescription(
            self.tr("Draw a digit with the mouse; Delete clears, Ctrl+Z takes back a stroke.")
        )

    def sizeHint(self) -> QSize:
        """As large as the canvas, where there is room."""
        return QSize(CANVAS, CANVAS)

    # What is drawn.

    def is_empty(self) -> bool:
        """Whether there is neither a stroke nor an image."""
        return self.taken is None and not self.strokes

    def ink(self) -> Float32Array:
        """The strokes (CANVAS, CANVAS), from 0 to 1."""
        rows = np.frombuffer(self._canvas.constBits(), np.uint8).reshape(CANVAS, self._canvas.bytesPerLine())
        return np.asarray(rows[:, :CANVAS] / np.float32(255), dtype=np.float32)

    def pixels(self, side: int, box: int) -> Float32Array | None:
        """The image (side, side) that a network gets; None where nothing is drawn.

        A drawing is framed as `values.examples.framed` says. An image that was taken is framed already: it stays
        as it is, and what is drawn on it is only shrunk.
        """
        if self.taken is None:
            return framed(self.ink(), side, box)
        return np.maximum(self.taken, shrunk(self.ink(), side, side)) if self.strokes else self.taken

    def take(self, image: Float32Array) -> None:
        """Begin anew with this image (side, side), from 0 to 1."""
        self.strokes, self.taken = [], image
        self._redraw()

    def clear(self) -> None:
        """Begin anew with nothing."""
        self.strokes, self.taken = [], None
        self._redraw()

    def undo(self) -> None:
        """Take back the last stroke, or else the image that was taken."""
        if self.strokes:
            self.strokes.pop()
        else:
            self.taken = None
        self._redraw()

    def _redraw(self) -> None:
        self._canvas.fill(0)
        for stroke in self.strokes:  # in the pieces in which they were drawn: soft edges add up where they overlap
            for end in range(1, len(stroke) + 1):
                self._draw(stroke[max(end - 2, 0) : end])
        self._tell()

    def _draw(self, points: list[QPointF]) -> None:
        painter = QPainter(self._canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(Qt.GlobalColor.white, PEN, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(points) if len(points) > 1 else painter.drawPoint(points[0])
        painter.end()

    def _tell(self) -> None:
        self.update()
        self.changed.emit()

    # The mouse and the keys.

    def square(self) -> QRectF:
        """Where the paper lies in the widget."""
        side = min(self.width(), self.height()) - 4
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def _on_canvas(self, event: QMouseEvent) -> QPointF:
        paper = self.square()
        return (event.position() - paper.topLeft()) * (CANVAS / paper.width())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.strokes.append([self._on_canvas(event)])
            self._draw(self.strokes[-1])
            self._tell()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the stroke."""
        if event.buttons() & Qt.MouseButton.LeftButton and self.strokes:
            self.strokes[-1].append(self._on_canvas(event))
            self._draw(self.strokes[-1][-2:])
            self._tell()

    def event(self, event: QEvent) -> bool:
        """Keep the key of undo, which is the window's elsewhere."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.setAccepted(event.matches(QKeySequence.StandardKey.Undo))
            return event.isAccepted()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear or undo, while the pad has the focus."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        else:
            super().keyPressEvent(event)

    # The screen.

    def restyle(self, theme: Theme) -> None:
        """Draw in the theme's colours."""
        self.theme, self._colours = theme, ink_colours(theme)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys belong to the pad."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that they do no more."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is small: all is painted
        """Paint the paper, what is drawn on it, and a frame."""
        painter, paper = QPainter(self), self.square()
        paint_image(painter, paper, grey_image(self._seen(), self._colours))
        painter.setPen(QPen(self.theme.accent if self.hasFocus() else self.theme.muted, 2 if self.hasFocus() else 1))
        painter.drawRect(paper)
        if self.is_empty():
            painter.setPen(self.theme.muted)
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            invitation = self.tr("Draw a digit here with the mouse")
            text = invitation if self.isEnabled() else self.tr("Drawings are gray; this network reads other images")
            painter.drawText(paper.adjusted(6, 6, -6, -6), int(words), text)

    def _seen(self) -> Float32Array:
        if self.taken is None:
            return self.ink()
        side = np.arange(CANVAS) * len(self.taken) // CANVAS
        return np.maximum(self.ink(), self.taken[side][:, side])
