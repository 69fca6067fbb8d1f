"""All layers below each other, in a list that scrolls, is walked with the keys, and is narrowed by name."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.gates.row import GateRow
from sparseviz.gui.views.gates.strip import Frame
from sparseviz.gui.views.layer_filter import matches
from sparseviz.values.snapshot import LayerInfo

_STRIDES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_ENDS = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}
_PAGES = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
OPENING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class GateList(QScrollArea):
    """Only rows in sight are drawn. One row takes part in the Tab order; Up and Down reach the others."""

    opened = Signal(int)  # the layer that is wanted large
    moved = Signal()  # other rows came into sight

    def __init__(self) -> None:
        super().__init__(widgetResizable=True)
        self.rows: list[GateRow] = []
        self.current = 0  # the row that Tab reaches
        self._pattern = ""
        self._frame: Frame | None = None
        self._rows = QWidget()
        self.none = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.none.hide()
        self._column = QVBoxLayout(self._rows)
        self._column.setContentsMargins(4, 2, 4, 2)
        self._column.setSpacing(2)
        self._column.addWidget(self.none)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(self._rows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its rows have it
        self.setAccessibleName(self.tr("Every layer, now and over time"))
        self.setAccessibleDescription(self.tr("Up and Down choose a layer, Enter shows it alone and large."))
        self.verticalScrollBar().valueChanged.connect(self.draw_rows)

    def set_layers(self, infos: list[LayerInfo], theme: Theme) -> None:
        """Begin with other layers."""
        for row in self.rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self._frame = None
        self.rows, self.current = [GateRow(info, theme) for info in infos], 0
        for number, row in enumerate(self.rows):
            row.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            row.clicked.connect(lambda number=number: self.opened.emit(number))
            row.focused.connect(lambda number=number: self._set_current(number))
            self._column.addWidget(row, 1)
        self.show_only(self._pattern)

    def draw(self, frame: Frame) -> None:
        """Take a frame; rows that come into sight later are drawn from it then."""
        self._frame = frame
        for row in self.rows:
            row.stale = True
        self.draw_rows()

    def draw_rows(self) -> None:
        """Draw the rows in sight that are not as the frame has them."""
        self._lay_out()
        for number in self.in_sight():
            if self.rows[number].stale and self._frame is not None:
                self.rows[number].draw(self._frame, number)
        self.moved.emit()

    def in_sight(self) -> list[int]:
        """The rows of which a part can be seen."""
        top = self.verticalScrollBar().value()
        bottom = top + self.viewport().height()
        visible = [number for number, row in enumerate(self.rows) if row.isVisible()]  # others have no place yet
        places = [(number, self.rows[number].geometry()) for number in visible]
        return [number for number, place in places if place.bottom() >= top and place.top() < bottom]

    def shown(self) -> list[int]:
        """The layers whose names pass the filter."""
        return [number for number, row in enumerate(self.rows) if not row.isHidden()]

    def show_only(self, pattern: str) -> None:
        """Show the layers with this in their names, or whose whole names are like this if there is a * in it."""
        self._pattern = pattern
        for row in self.rows:
            row.setVisible(matches(row.info.name, pattern))
        self.none.setText(self.tr("No layer has “{0}” in its name. Esc shows all {1}.").format(pattern, len(self.rows)))
        if "*" in pattern:
            self.none.setText(
                self.tr("No layer's name is like “{0}”. Esc shows all {1}.").format(pattern, len(self.rows))
            )
        shown = self.shown()
        self.none.setVisible(bool(self.rows) and not shown)
        if shown:
            self._set_current(self.current if self.current in shown else shown[0])
        self.draw_rows()

    def _lay_out(self) -> None:
        """Give the rows their places at once: those in sight are to be known now."""
        self._column.activate()
        height = max(self._column.minimumSize().height(), self.viewport().height())
        self._rows.resize(self.viewport().width(), height)

    def go(self, number: int) -> None:
        """Bring a layer into sight, and give it the keys."""
        if number in self.shown():
            self.rows[number].setFocus(Qt.FocusReason.OtherFocusReason)
            self.show_row(number)

    def show_row(self, number: int) -> None:
        """Bring a layer into sight."""
        self._set_current(number)
        self.ensureWidgetVisible(self.rows[number], 0, 4)

    def _set_current(self, number: int) -> None:
        if self.current < len(self.rows):
            self.rows[self.current].setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.current = number
        self.rows[number].setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def neighbour(self, number: int, stride: int) -> int:
        """The layer so many rows further among those shown; the ends stop it."""
        shown = self.shown()
        place = shown.index(number) if number in shown else 0
        return shown[min(max(place + stride, 0), len(shown) - 1)] if shown else number

    def forget(self) -> None:
        """Let the history go."""
        self._frame = None
        for row in self.rows:
            row.forget()

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        palette = self._rows.palette()
        palette.setColor(self._rows.backgroundRole(), theme.background)
        self._rows.setPalette(palette)
        for row in self.rows:
            row.restyle(theme)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk the rows, or open one."""
        key, shown = Qt.Key(event.key()), self.shown()
        if not shown:
            super().keyPressEvent(event)
        elif key in OPENING:
            self.opened.emit(self.current)
        elif key in _ENDS:
            self.go(shown[_ENDS[key]])
        elif key in _STRIDES:
            self.go(self.neighbour(self.current, _STRIDES[key]))
        elif key in _PAGES:
            self.go(self.neighbour(self.current, _PAGES[key] * max(len(self.in_sight()) - 1, 1)))
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More rows may be in sight."""
        super().resizeEvent(event)
        self.draw_rows()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what changed meanwhile."""
        super().showEvent(event)
        self.draw_rows()
