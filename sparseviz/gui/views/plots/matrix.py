"""A matrix drawn as one picture or several: zoom, move, and the cell under the pointer."""

import math
from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

AXIS_WIDTH = 46  # pixels on the left of every picture


class Matrix(QWidget):
    """Units are cells of the matrix; row 0 is at the top. Wheel: zoom; drag: move; double click: all of it."""

    pointed = Signal(int, int)  # row and column under the pointer; -1, -1 where there is none
    clicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shape = (1, 1)
        self.boxes: Sequence[Any] = ()  # of the pictures; all show the same part
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the view
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self.canvas.scene().sigMouseMoved.connect(self._point)
        self.canvas.scene().sigMouseClicked.connect(self._click)
        self.canvas.viewport().installEventFilter(self)

    def reset(self) -> None:
        """Bring all of the matrix into sight."""
        self.boxes[-1].setRange(QRectF(0, 0, self.shape[1], self.shape[0]), padding=0)

    def zoom(self, factor: float) -> None:
        """Zoom about the middle; below 1 is nearer."""
        self.boxes[-1].scaleBy((factor, factor))

    def move_by(self, right: float, down: float) -> None:
        """Move by these shares of what is in sight."""
        (left, far), (top, bottom) = self.boxes[-1].viewRange()
        self.boxes[-1].translateBy(x=right * (far - left), y=down * (bottom - top))

    def _place(self, place: QPointF) -> tuple[int, int] | None:
        """The cell at a place of the scene."""
        for box in self.boxes:
            if box.sceneBoundingRect().contains(place):
                at = box.mapSceneToView(place)
                row, column = math.floor(at.y()), math.floor(at.x())
                return (row, column) if 0 <= row < self.shape[0] and 0 <= column < self.shape[1] else None
        return None

    def _point(self, place: QPointF) -> None:
        self.pointed.emit(*(self._place(place) or (-1, -1)))

    def _click(self, event: Any) -> None:
        if event.double():
            self.reset()
        elif event.button() == Qt.MouseButton.LeftButton and (place := self._place(event.scenePos())):
            self.clicked.emit(*place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self.pointed.emit(-1, -1)
        return super().eventFilter(watched, event)
