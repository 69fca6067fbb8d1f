"""Title bar above a view: its title, its help, its saving, and a dock's own buttons."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QStyle, QToolButton, QVBoxLayout, QWidget

from sparseviz.gui.qt.focus_guide import explain
from sparseviz.gui.views.base import Pane

_ICON = QSize(12, 12)


class TitleBar(QWidget):
    """Says what is below it; without a dock it can be neither floated nor closed."""

    save_asked = Signal(QObject)  # the Pane below it

    def __init__(self, body: QWidget) -> None:
        super().__init__()
        self.body, self._title = body, body.accessibleName()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 1, 2, 1)
        self._row.setSpacing(2)
        self._label, self._told = QLabel(self._title), dict[QToolButton, str]()
        self._row.addWidget(self._label, 1)
        self.help = self._add(self.tr("What “{0}” shows, and what to look for"), self._explain)
        self.help.setText("?")
        if isinstance(body, Pane):
            body.renamed.connect(lambda: self.set_title(body.title()))
            self._serve_pane(body)

    def _serve_pane(self, pane: Pane) -> None:
        """Add the button that saves, and offer the same, and the help, by a right click in the view."""
        icon = self.style().standardIcon(QStyle.StandardPixmap.SP_DialogSaveButton)
        told = self.tr("Save “{0}” as a picture or its values")
        self.save = self._add(told, lambda: self.save_asked.emit(pane), icon)
        save, help_ = QAction(self.tr("&Save View…"), pane), QAction(self.tr("&What Is This?"), pane)
        save.triggered.connect(self.save.click)
        help_.triggered.connect(lambda: explain(pane, pane))
        pane.addActions([save, help_])
        pane.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def serve(self, dock: QDockWidget) -> None:
        """Add a dock's own buttons, and name it as its view is named."""
        body = self.body
        if isinstance(body, Pane):
            body.renamed.connect(lambda: dock.setWindowTitle(body.title()))
        normal, close = QStyle.StandardPixmap.SP_TitleBarNormalButton, QStyle.StandardPixmap.SP_TitleBarCloseButton
        icons = [self.style().standardIcon(name) for name in (normal, close)]
        self._add(self.tr("Float “{0}”, or dock it again"), lambda: dock.setFloating(not dock.isFloating()), icons[0])
        self._add(self.tr("Close “{0}”; the menu View shows it again"), dock.close, icons[1])

    def _add(self, told: str, do: Callable[[], object], icon: QIcon | None = None) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setIconSize(_ICON)
        if icon is not None:
            button.setIcon(icon)
        self._told[button] = told
        self._name(button)
        button.setFixedSize(20, 18)
        button.clicked.connect(lambda *_: do())
        self._row.addWidget(button)
        return button

    def set_title(self, title: str) -> None:
        """Call it by another name."""
        self._title = title
        self._label.setText(title)
        for button in self._told:
            self._name(button)

    def _name(self, button: QToolButton) -> None:
        button.setToolTip(self._told[button].format(self._title))
        button.setAccessibleName(button.toolTip())

    def _explain(self) -> None:
        explain(self.body, self.help)


class Framed(QWidget):
    """A view that stands in no dock, below a title bar."""

    def __init__(self, bar: TitleBar, body: QWidget) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(body, 1)
