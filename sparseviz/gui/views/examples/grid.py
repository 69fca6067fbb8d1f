"""ExampleGrid: images with the network's answers, the misread first, to be scrolled and chosen from."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractListModel, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sparseviz.gui.qt.item_model import NOWHERE, Index
from sparseviz.gui.qt.theme import Theme, small, theme_of
from sparseviz.gui.views.base import percent
from sparseviz.gui.views.examples.grey import ink_colours, paint_image, picture
from sparseviz.values.examples import Answers

MISREAD = -1  # in the place of a class: only images whose answer is not their label
PICTURE = 48  # pixels a side
GAP = 4  # pixels around the parts of a cell


class ExampleModel(QAbstractListModel):
    """The answers that pass the filter, in their order; a row is an image."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Answers | None = None
        self.rows: npt.NDArray[np.intp] = np.zeros(0, np.intp)  # indices of images
        self.wanted: int | None = None  # the only true class that is shown, MISREAD, or None for all

    def show_answers(self, answers: Answers | None) -> None:
        """Take answers, old or new."""
        self.answers = answers
        rows = np.zeros(0, np.intp) if answers is None else self._filtered(answers)
        if len(rows) == len(self.rows):
            self.rows = rows
            if len(rows):
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def _filtered(self, answers: Answers) -> npt.NDArray[np.intp]:
        rows: npt.NDArray[np.intp] = answers.order
        if self.wanted == MISREAD:
            rows = rows[answers.misread[rows]]
        elif self.wanted is not None and answers.labels is not None:
            rows = rows[answers.labels[rows] == self.wanted]
        return rows

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Images that pass the filter."""
        return 0 if parent.isValid() else len(self.rows)

    def lines(self, row: int) -> tuple[str, str, bool]:
        """A cell's two lines, and whether the image is misread."""
        assert self.answers is not None  # noqa: S101  # there would be no rows
        image, answers = int(self.rows[row]), self.answers
        answer = answers.classes[int(answers.answer[image])]
        confidence = f"{percent(float(answers.confidence[image]))} %"
        if answers.labels is None or not answers.misread[image]:
            return f"✓ {answer}", confidence, False
        return f"✗ {answers.classes[int(answers.labels[image])]} → {answer}", confidence, True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell in words."""
        if self.answers is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(self.lines(index.row())[:2])
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self._told(index.row())
        return None

    def _told(self, row: int) -> str:
        assert self.answers is not None  # noqa: S101  # there would be no rows
        image, answers = int(self.rows[row]), self.answers
        label = "?" if answers.labels is None else answers.classes[int(answers.labels[image])]
        answer, confidence = answers.classes[int(answers.answer[image])], percent(float(answers.confidence[image]))
        state = self.tr("misread") if answers.misread[image] else self.tr("read as it is")
        return self.tr("image {0}: label {1}, answer {2}, confidence {3} %, {4}").format(
            image, label, answer, confidence, state
        )


class ExampleCell(QStyledItemDelegate):
    """Paints a cell: the image, then label and answer, then the confidence."""

    def __init__(self, grid: "ExampleGrid") -> None:
        super().__init__(grid)
        self._grid = grid
        self.restyle(theme_of(grid.palette()))

    def restyle(self, theme: Theme) -> None:
        """Draw in the theme's colours."""
        self._theme, self._colours = theme, ink_colours(theme)
        self._font = small(self._grid.font())
        letters = QFontMetrics(self._bold())
        width = max(PICTURE, letters.horizontalAdvance("✗ 8 → 8"), letters.horizontalAdvance(">99.9 %"))
        self._size = QSize(width + 2 * GAP, PICTURE + 2 * letters.lineSpacing() + 2 * GAP)

    def _bold(self) -> QFont:
        font = QFont(self._font)
        font.setBold(True)
        return font

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002  # all are alike
        """The same for all."""
        return self._size

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        model = self._grid.examples
        if model.answers is None:
            return
        area, is_chosen = QRectF(option.rect), bool(option.state & QStyle.StateFlag.State_Selected)
        if is_chosen:
            painter.fillRect(area, option.palette.highlight())
        left = area.left() + (area.width() - PICTURE) / 2
        pixels = model.answers.images[model.rows[index.row()]]
        paint_image(painter, QRectF(left, area.top() + GAP, PICTURE, PICTURE), picture(pixels, self._colours))
        first, second, is_misread = model.lines(index.row())
        plain = option.palette.highlightedText().color() if is_chosen else self._theme.text
        painter.setPen(self._theme.warning if is_misread and not is_chosen else plain)
        painter.setFont(self._bold() if is_misread else self._font)
        words = area.adjusted(0, PICTURE + GAP, 0, -GAP)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), first)
        painter.setPen(plain)
        painter.setFont(self._font)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom), second)


class ExampleGrid(QListView):
    """Cells in rows; the arrow keys move, Enter or a double click takes an image as the drawing."""

    chosen = Signal(object)  # the image's index, or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.examples = ExampleModel()
        self._is_filling = False
        self.setModel(self.examples)
        self.cell = ExampleCell(self)
        self.setItemDelegate(self.cell)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(1)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(self.tr("Validation images, the misread first"))
        self.setAccessibleDescription(
            self.tr("A misread image says label → answer; Enter takes the chosen one as the drawing.")
        )
        self.selectionModel().currentChanged.connect(self._tell)

    def image(self) -> int | None:
        """The index of the chosen image."""
        row = self.currentIndex().row()
        return int(self.examples.rows[row]) if 0 <= row < len(self.examples.rows) else None

    def show_answers(self, answers: Answers | None) -> None:
        """Show answers, or the same under another filter; the chosen image stays chosen, and nothing scrolls."""
        image, at = self.image(), self.verticalScrollBar().value()
        self._is_filling = True
        self.examples.show_answers(answers)
        self._choose(image)
        self.verticalScrollBar().setValue(at)
        self._is_filling = False
        self._tell()

    def _choose(self, image: int | None) -> None:
        """Choose an image without scrolling to it; the first where it is not there."""
        places = np.flatnonzero(self.examples.rows == (-1 if image is None else image))
        self.setAutoScroll(False)
        self.setCurrentIndex(self.examples.index(int(places[0]) if len(places) else 0))
        self.setAutoScroll(True)

    def _tell(self) -> None:
        if not self._is_filling:
            self.chosen.emit(self.image())

    def restyle(self, theme: Theme) -> None:
        """Draw in the theme's colours."""
        self.cell.restyle(theme)
        self.viewport().update()
