"""One layer among many: a line of words above a histogram and a strip."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QVBoxLayout

from sparseviz.gui.theme import Theme
from sparseviz.gui.views.focus import OUTLINE, Focusable
from sparseviz.gui.views.gate_plots import GatePlots
from sparseviz.gui.views.gate_words import GateWords
from sparseviz.gui.views.strip import Frame
from sparseviz.snapshot import LayerInfo

ROW_HEIGHT = 88  # pixels, at least


class GateRow(Focusable):
    """Its plots are made when it is drawn for the first time: a hundred at once would take a second."""

    clicked = Signal()

    def __init__(self, info: LayerInfo, theme: Theme) -> None:
        super().__init__()
        self.info = info
        self.stale = True
        self._theme = theme
        self._plots: GatePlots | None = None
        self._told: tuple[str, ...] = ()
        self.words = GateWords()
        self.setMinimumHeight(ROW_HEIGHT)
        self.setAccessibleName(info.name)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(OUTLINE, OUTLINE, OUTLINE, OUTLINE)
        self._column.setSpacing(0)
        self._column.addWidget(self.words)
        self._column.addStretch(1)
        self.restyle(theme)

    @property
    def plots(self) -> GatePlots:
        """Histogram and strip."""
        if self._plots is None:
            self._plots = GatePlots()
            canvas = self._plots.canvas
            canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # the row is clicked, the list scrolls
            canvas.setAccessibleName(self.tr("Histogram now and over time, {0}").format(self.info.name))
            self._plots.restyle(self._theme, self.font())
            self._column.takeAt(1)  # what kept its place
            self._column.addWidget(canvas, 1)
        return self._plots

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
        if self._plots is not None:
            self._plots.forget()

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self._theme, self.outline = theme, theme.accent
        self.words.restyle(theme)
        if self._plots is not None:
            self._plots.restyle(theme, self.font())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the press, so that the release comes here."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click is a press and a release on the row."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()
