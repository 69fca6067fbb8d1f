"""Keyboard focus: a frame around what has it, and what that is for."""

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWhatsThis, QWidget

from sparseviz.gui.qt.theme import theme_of

_WIDTH = 2  # pixels


class FocusFrame(QWidget):
    """A frame over a widget, in the theme's accent: Fusion marks some widgets faintly and views not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def surround(self, widget: QWidget) -> None:
        """Lie over this widget, whatever its size becomes."""
        if parent := self.parentWidget():
            parent.removeEventFilter(self)
        self.setParent(widget)
        widget.installEventFilter(self)
        self._fit()
        self.show()

    def _fit(self) -> None:
        if parent := self.parentWidget():
            self.setGeometry(parent.rect())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the widget's size."""
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self._fit()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is all edge
        """Paint the frame."""
        painter = QPainter(self)
        painter.setPen(QPen(theme_of(self.palette()).accent, _WIDTH))
        inside = _WIDTH / 2
        painter.drawRect(QRectF(self.rect()).adjusted(inside, inside, -inside, -inside))


class FocusGuide(QObject):
    """Frames the widget of one window that has the focus, and explains it."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window, self._frame = window, FocusFrame()
        self._frame.setParent(window)
        self._frame.hide()
        app = QApplication.instance()
        assert isinstance(app, QApplication)  # noqa: S101  # there are no widgets without one
        app.focusChanged.connect(self._follow)

    @Slot(QWidget, QWidget)
    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        if not shiboken6.isValid(self._frame):  # it went with the widget that it lay over
            self._frame = FocusFrame()
        if now is not None and now is not self._window and belongs(now, self._window):
            self._frame.surround(now)
        else:
            self._frame.hide()

    @Slot()
    def explain(self) -> None:
        """Show the help of what has the focus, or of what it stands in."""
        focus = focus_of(self._window)
        widget: QWidget | None = focus
        while widget is not None and not widget.whatsThis():
            widget = widget.parentWidget()
        if widget is not None and focus is not None:
            explain(widget, focus)


def belongs(widget: QWidget, window: QMainWindow) -> bool:
    """Whether a widget is in a window or in one of its floating docks."""
    top = widget.window()
    return top is window or (isinstance(top, QDockWidget) and top.parentWidget() is window)


def focus_of(window: QMainWindow) -> QWidget | None:
    """What has the focus in a window or in its floating docks, or had it last."""
    focus = QApplication.focusWidget()
    return focus if focus is not None and belongs(focus, window) else window.focusWidget()


def explain(widget: QWidget, beside: QWidget) -> None:
    """Show a widget's help."""
    QWhatsThis.showText(beside.mapToGlobal(QPoint(0, beside.height())), widget.whatsThis(), beside)
