"""The line above the gates: which layers are shown, and on which scale."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QToolButton, QWidget

from sparseviz.gui.qt.theme import Theme, mute
from sparseviz.gui.views.base import FittingLabel
from sparseviz.gui.views.layer_filter import LayerFilter


class GateBar(QWidget):
    """A filter by name while all layers are shown; a way back and to the neighbours while one is."""

    went = Signal(int)  # to the layer so many rows further

    def __init__(self) -> None:
        super().__init__()
        self.filter = LayerFilter()
        self.back = self._button(self.tr("‹ All layers"), self.tr("Show all layers (Esc)"))
        self.previous = self._button("▲", self.tr("Previous layer (Up)"))
        self.next = self._button("▼", self.tr("Next layer (Down)"))
        self.place = FittingLabel()
        self.log = QCheckBox(self.tr("log"))
        self.log.setChecked(True)
        self.log.setToolTip(self.tr("Counts on a log scale, or else a linear one (L)"))
        self.log.setAccessibleName(self.tr("Counts on a log scale"))
        self.previous.clicked.connect(lambda: self.went.emit(-1))
        self.next.clicked.connect(lambda: self.went.emit(1))
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        for widget, stretch in ((self.filter, 3), (self.back, 0), (self.previous, 0), (self.next, 0), (self.place, 2)):
            row.addWidget(widget, stretch)
        row.addWidget(self.log)
        self.show_all(0, 0)

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _switch(self, *, one: bool) -> None:
        self.filter.setVisible(not one)
        for button in (self.back, self.previous, self.next):
            button.setVisible(one)

    def show_all(self, shown: int, layers: int) -> None:
        """Offer the filter, and say how many layers pass it."""
        self._switch(one=False)
        some = self.tr("{0} of {1}").format(shown, layers)
        every = self.tr("1 layer") if layers == 1 else self.tr("{0} layers").format(layers)
        self.place.set_texts(*((self.tr("{0} layers").format(some), some) if self.filter.text() else (every,)))

    def show_one(self, number: int, shown: int) -> None:
        """Offer the way back, and say which of those shown this is, counted from 0."""
        self._switch(one=True)
        self.previous.setEnabled(number > 0)
        self.next.setEnabled(number < shown - 1)
        some = self.tr("{0} of {1}").format(number + 1, shown)
        self.place.set_texts(self.tr("layer {0}").format(some), some)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        mute(self.place, theme)
