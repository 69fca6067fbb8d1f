"""AnswerBars: the probability of every class, as a bar and as a number."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from sparseviz.gui.qt.theme import Theme, mix, small, theme_of
from sparseviz.gui.views.base import percent
from sparseviz.values.examples import Float32Array

ROW = 24  # pixels, of a row where there is room
FAINT = 0.55  # share of the background in a bar: the number on it stays readable
WIDEST = ">99.9 %"
MARK = "▸"  # beside the true class


class AnswerBars(QWidget):
    """A row a class: its name, a bar, its percentage. The answer is bold; the true class, if known, has a mark."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.theme = theme_of(self.palette())
        self.classes: tuple[str, ...] = ()
        self.probabilities: Float32Array | None = None  # (classes,)
        self.label: int | None = None
        self.setAccessibleName(name)

    def show_answer(self, classes: tuple[str, ...], probabilities: Float32Array | None, label: int | None) -> None:
        """Show these probabilities (classes,), or only the classes' names."""
        if classes != self.classes:
            self.classes = classes
            self.updateGeometry()
        self.probabilities, self.label = probabilities, label
        self.setAccessibleDescription(self.text())
        self.update()

    def text(self) -> str:
        """The probabilities in words, the largest first."""
        if self.probabilities is None:
            return ""
        order = self.probabilities.argsort()[::-1]
        parts = [f"{self.classes[place]}: {percent(float(self.probabilities[place]))} %" for place in order]
        return ", ".join(parts)

    def minimumSizeHint(self) -> QSize:
        """As small as can be read."""
        letters, number = QFontMetricsF(small(self.font())), QFontMetricsF(self._bold())
        width = self._name_end(letters) + number.horizontalAdvance(WIDEST) + 2
        return QSize(round(width), round((letters.ascent() + 2) * max(len(self.classes), 10)))

    def sizeHint(self) -> QSize:
        """The same; it takes all the room that is left."""
        return self.minimumSizeHint()

    def _bold(self) -> QFont:
        font = small(self.font())
        font.setBold(True)
        return font

    def _name_end(self, letters: QFontMetricsF) -> float:
        """Pixels of the mark and the longest name: where bars begin."""
        longest = max((letters.horizontalAdvance(each) for each in self.classes), default=8)
        return letters.horizontalAdvance(MARK) + longest + 7

    def restyle(self, theme: Theme) -> None:
        """Draw in the theme's colours."""
        self.theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is small: all is painted
        """Paint every row."""
        painter = QPainter(self)
        best = None if self.probabilities is None else int(self.probabilities.argmax())
        height = min(self.height() / max(len(self.classes), 1), ROW)
        for place in range(len(self.classes)):
            self._paint_row(painter, QRectF(0, place * height, self.width(), height), place, is_answer=place == best)

    def _paint_row(self, painter: QPainter, row: QRectF, place: int, *, is_answer: bool) -> None:
        letters = QFontMetricsF(small(self.font()))
        painter.setFont(self._bold() if is_answer else small(self.font()))
        painter.setPen(self.theme.text)
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        if place == self.label:
            painter.drawText(row, middle, MARK)
        painter.drawText(row.adjusted(letters.horizontalAdvance(MARK) + 2, 0, 0, 0), middle, self.classes[place])
        if self.probabilities is not None:
            share, bars = float(self.probabilities[place]), row.adjusted(self._name_end(letters), 0, 0, 0)
            self._paint_bar(painter, bars, share, is_answer=is_answer)

    def _paint_bar(self, painter: QPainter, row: QRectF, share: float, *, is_answer: bool) -> None:
        """The number stands behind the bar, or on it where there is no room behind."""
        bar, text = max(row.width() * share, 1), f"{percent(share)} %"
        painter.fillRect(
            QRectF(row.left(), row.top() + 1.5, bar, row.height() - 3),
            mix(self.theme.accent if is_answer else self.theme.text, self.theme.background, FAINT),
        )
        room = row.width() - painter.fontMetrics().horizontalAdvance(text)
        place = row.adjusted(min(bar + 3, room), 0, 0, 0)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
