"""What the views of several runs share: one way in, an empty state, and a legend that is part of the picture."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sparseviz.gui.compare.views.subject import Subject, sign_of
from sparseviz.gui.qt.theme import Theme, theme_of
from sparseviz.gui.views.base import Inviting

_SAMPLE, _GAP, _MARGIN = 26, 5, 6  # pixels
_MOST_NAME = 220  # pixels of a name


class CompareView(Inviting):
    """Draws the runs it is given; a variant builds its widgets into `body` and fills `_draw` and `_restyle`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs: tuple[Subject, ...] = ()

    def least(self) -> int:
        """How many runs it needs."""
        return 1

    def show_runs(self, runs: Sequence[Subject]) -> None:
        """Draw these runs, in this order."""
        self.runs = tuple(runs)
        self._pages.setCurrentWidget(self.body if len(self.runs) >= self.least() else self.empty)
        self._draw()

    def _draw(self) -> None:
        """Draw `runs`, which may be fewer than are needed."""
        raise NotImplementedError


class RunLegend(QWidget):
    """Every run's sign and name, in as many rows as it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[Subject, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Legend: no runs"))

    def show_runs(self, runs: Sequence[Subject]) -> None:
        """Name these runs."""
        self.runs = tuple(runs)
        self.setAccessibleName(self.tr("Legend: {0}").format(", ".join(run.label for run in runs)))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the rows anew."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """All rows."""
        places = self._places()
        rows = 1 + max((row for row, _, _, _ in places), default=0)
        return QSize(100, rows * self._row_height() + 4)

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 2

    def _fit(self) -> None:
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def _places(self) -> list[tuple[int, int, int, str]]:
        """For every run its row, its left edge, the width of its text, and the text."""
        metrics, row, left, places = self.fontMetrics(), 0, _MARGIN, []
        for run in self.runs:
            text = metrics.elidedText(run.label, Qt.TextElideMode.ElideMiddle, _MOST_NAME)
            width = metrics.horizontalAdvance(text)
            if left > _MARGIN and left + _SAMPLE + _GAP + width > self.width():
                row, left = row + 1, _MARGIN
            places.append((row, left, width, text))
            left += _SAMPLE + width + 4 * _GAP
        return places

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is small: all is painted
        """Paint signs and names."""
        painter, theme, height = QPainter(self), theme_of(self.palette()), self._row_height()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for run, (row, left, width, text) in zip(self.runs, self._places(), strict=True):
            top = 2 + row * height
            sign_of(run.number, theme).paint(painter, QRectF(left, top, _SAMPLE, height))
            painter.setPen(theme.text)
            place = QRectF(left + _SAMPLE + _GAP, top, width + 2, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def restyle(self, theme: Theme) -> None:  # noqa: ARG002  # it reads the theme when it paints
        """Paint in the theme's colours."""
        self.update()
