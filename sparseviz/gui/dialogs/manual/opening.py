"""From the main window to the manual, at the page of what has the focus."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtWidgets import QMainWindow, QWidget

from sparseviz.config import InputError, manual
from sparseviz.gui.qt.focus_guide import focus_of
from sparseviz.gui.window.actions import Actions

if TYPE_CHECKING:
    from sparseviz.gui.dialogs.manual.window import ManualWindow

_MAIN = "window"  # the page of the window as a whole


class Manual(QObject):
    """Opens the manual's window, once; it closes with the main one."""

    def __init__(self, actions: Actions, parent: QMainWindow) -> None:
        super().__init__(parent)
        self._main = parent
        self.window: ManualWindow | None = None
        actions.manual.triggered.connect(lambda: self.open(manual.CONTENTS))
        actions.manual_here.triggered.connect(lambda: self.open(page_of(focus_of(parent))))
        parent.installEventFilter(self)

    @Slot(str)
    def open(self, name: str) -> None:
        """Show a page."""
        from sparseviz.gui.dialogs.manual.window import ManualWindow  # noqa: PLC0415  # it would delay the start

        if self.window is None:
            self.window = ManualWindow()
        self.window.show()
        self.window.open(name)
        self.window.raise_()
        self.window.activateWindow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Close with the main window."""
        if event.type() == QEvent.Type.Close and self.window is not None:
            self.window.close()
        return super().eventFilter(watched, event)


def page_of(widget: QWidget | None) -> str:
    """The page about a widget: the name of the nearest part around it that has one."""
    try:
        names = {entry.name for entry in manual.entries()}
    except InputError:  # the manual itself will say so
        return _MAIN
    while widget is not None:
        if widget.objectName() in names:
            return widget.objectName()
        widget = widget.parentWidget()
    return _MAIN
