"""What all views share: one way in, an empty state, a theme that follows the palette."""

from collections.abc import Sequence

from pyqtgraph import GraphicsView
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QWidget

from sparseviz.gui.qt.theme import Theme, mute, theme_of
from sparseviz.values.history import History
from sparseviz.values.snapshot import LayerSnapshot

Table = Sequence[Sequence[str | int | float]]  # the headings first


class Pane(QWidget):
    """What has a title bar: it says what it is, teaches, declares its keys and gives its values."""

    renamed = Signal()  # it has another title, or another lesson

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme_of(self.palette())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a stop for Tab, where keys, help and saving begin
        self.setAccessibleName(self.title())
        self.setWhatsThis(self.lesson())

    def title(self) -> str:
        """What it is called, translated."""
        raise NotImplementedError

    def lesson(self) -> str:
        """Two sentences that teach the method here: what is seen, and what to look for or do."""
        raise NotImplementedError

    def table(self) -> Table:
        """What is shown now as rows of a CSV file, headings with units first; empty while nothing is shown."""
        raise NotImplementedError

    def rename(self) -> None:
        """Take on a title and a lesson that have changed."""
        self.setAccessibleName(self.title())
        self.setWhatsThis(self.lesson())
        self.renamed.emit()

    def keys(self) -> list[tuple[str, str]]:
        """What its own keys do, and the keys."""
        return []

    def is_empty(self) -> bool:
        """Whether there is nothing to see yet."""
        return False

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "theme"):
            theme = theme_of(self.palette())
            if theme != self.theme:
                self.theme = theme
                self._restyle(theme)

    def _restyle(self, theme: Theme) -> None:
        raise NotImplementedError


class Inviting(Pane):
    """A pane with a body, in whose place stands what will appear there while there is nothing to draw."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = QWidget()
        self.empty = QLabel(self.invitation(), wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.empty.setContentsMargins(24, 24, 24, 24)
        mute(self.empty, self.theme)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.body)
        self.setAccessibleDescription(self.invitation())

    def invitation(self) -> str:
        """What will appear here and how, while there is nothing to draw."""
        raise NotImplementedError

    def is_empty(self) -> bool:
        """Whether the invitation is shown."""
        return self._pages.currentWidget() is self.empty

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "empty"):
            mute(self.empty, self.theme)


class View(Inviting):
    """Draws `history` as it was at `position`, and cannot tell a live run from a stored one.

    A variant builds its widgets into `body` and fills `_draw`, `_clear` and `_restyle`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history: History | None = None
        self.position = -1
        self._why_empty = ""

    def set_why_empty(self, why: str) -> None:
        """Say why nothing can be drawn of what is shown from now on; "" where something can."""
        self._why_empty = why
        self.empty.setText(why or self.invitation())
        self.setAccessibleDescription(why or self.invitation())

    def draw(self, history: History, position: int) -> None:
        """Draw the snapshot at `position` as now; one beyond the ends means the end."""
        if len(history) == 0 or self._why_empty:
            self.clear()
            return
        self.history, self.position = history, min(max(position, 0), len(history) - 1)
        self._draw(history, self.position)
        self._pages.setCurrentWidget(self.body)
        self._prepare()

    def _prepare(self) -> None:
        """Move the plots' items now: in the middle of painting that would ask for all to be painted once more."""
        for canvas in self.findChildren(GraphicsView):
            if canvas.isVisible():
                canvas.scene().prepareForPaint()

    def clear(self) -> None:
        """Forget the history and show the invitation."""
        self.history, self.position = None, -1
        self._clear()
        self._pages.setCurrentWidget(self.empty)

    def _draw(self, history: History, position: int) -> None:
        raise NotImplementedError

    def _clear(self) -> None:
        raise NotImplementedError


class FittingLabel(QLabel):
    """One line that shows the longest of its texts that fits; the last one is cut with an ellipsis if it must."""

    def __init__(self, alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:
        super().__init__()
        self.texts: tuple[str, ...] = ("",)  # from long to short
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(alignment | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setBackgroundRole(QPalette.ColorRole.NoRole)

    def set_texts(self, *texts: str) -> None:
        """The texts, from the longest to the shortest."""
        if texts != self.texts:
            self.texts = texts
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose again for the new width."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """As narrow as need be."""
        return QSize(0, super().minimumSizeHint().height())

    def _fit(self) -> None:
        room, metrics = self.contentsRect().width(), self.fontMetrics()
        cut = metrics.elidedText(self.texts[-1], Qt.TextElideMode.ElideRight, room)
        self.setText(next((text for text in self.texts if metrics.horizontalAdvance(text) <= room), cut))
        self.setToolTip(self.texts[0] if self.text() != self.texts[0] else "")


def percent(share: float) -> str:
    """A share as percent with one decimal, without the sign; a little is never 0.0, almost all never 100.0."""
    value = 100 * share
    if 0 < value < 0.05:
        return "<0.1"
    return ">99.9" if 99.95 <= value < 100 else f"{value:.1f}"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it is written: 20×1×5×5."""
    return "×".join(map(str, shape))


def undecided(layer: LayerSnapshot) -> float:
    """Share of all gates of the layer that are undecided; NaN without gates."""
    cut = layer.info.weights - layer.kept
    parts = ((layer.undecided_kept, layer.kept), (layer.undecided_cut, cut))
    return sum(share * count for share, count in parts if count) / layer.info.weights
