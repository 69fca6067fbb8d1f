"""One layer among many: a line of words above a histogram and a strip."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QVBoxLayout

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.gates.focusable import OUTLINE, Focusable
from sparseviz.gui.views.gates.small_plots import SmallPlots
from sparseviz.gui.views.gates.strip import Frame
from sparseviz.gui.views.gates.words import GateWords
from sparseviz.values.snapshot import LayerInfo

ROW_HEIGHT = 88  # pixels, at least


class GateRow(Focusable):
    """Words and plots of one layer, drawn when they come into sight."""

    clicked = Signal()

    def __init__(self, info: LayerInfo, theme: Theme) -> None:
        super().__init__()
        self.info = info
        self.stale = True
        self._told: tuple[str, ...] = ()
        self.words, self.plots = GateWords(), SmallPlots(theme, self.font())
        self.setMinimumHeight(ROW_HEIGHT)
        self.setAccessibleName(info.name)
        self.plots.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # the row is clicked, the list scrolls
        self.plots.setAccessibleName(self.tr("Histogram now and over time, {0}").format(info.name))
        column = QVBoxLayout(self)
        column.setContentsMargins(OUTLINE, OUTLINE, OUTLINE, OUTLINE)
        column.setSpacing(0)
        column.addWidget(self.words)
        column.addWidget(self.plots, 1)
        self.restyle(theme)

    def draw(self, frame: Frame, layer: int) -> None:
        """Draw layer number `layer`."""
        self._tell(self.words.tell(frame.layer(layer)))
        self.plots.draw(frame, layer)
        self.stale = False

    def _tell(self, told: tuple[str, ...]) -> None:
        if told != self._told:
            self._told = told
            self.setToolTip("\n".join((*told, self.tr("Click or press Enter: this layer alone, and large."))))
            self.setAccessibleDescription(", ".join(told))

    def forget(self) -> None:
        """Let the history go."""
        self.plots.forget()

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self.outline = theme.accent
        self.words.restyle(theme)
        self.plots.restyle(theme, self.font())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the press, so that the release comes here."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click is a press and a release on the row."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()
