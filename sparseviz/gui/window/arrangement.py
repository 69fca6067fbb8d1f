"""Dock arrangement, saved and restored: by the window's size at first, then as the person left it."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSplitter, QWidget

from sparseviz.gui.qt.window_settings import window_settings

VERSION = 1  # of what is kept; another one is not read
_KEYS = ("geometry", "docks", "centre")


class DockArrangement(QObject):
    """Shares out the window's room, keeps how the person shared it, and goes back."""

    def __init__(self, window: QMainWindow, splitter: QSplitter) -> None:
        super().__init__(window)
        self._window, self._splitter = window, splitter
        self._first = window.saveState(VERSION)

    def reset(self) -> None:
        """Put every dock where it was at first, with its share of the room."""
        self._window.restoreState(self._first, VERSION)
        QTimer.singleShot(0, self.share)  # once the docks are back in their tabs

    def share(self) -> None:
        """Share the window's room among the docks; only a window that is shown takes it."""
        width, height = self._window.width(), self._window.height()
        for area, wide in ((Qt.DockWidgetArea.LeftDockWidgetArea, 19), (Qt.DockWidgetArea.RightDockWidgetArea, 30)):
            docks = self._docks(area)
            shares = (60, 40) if area == Qt.DockWidgetArea.LeftDockWidgetArea else (70, 30)
            self._window.resizeDocks(docks[:1], [width * wide // 100], Qt.Orientation.Horizontal)
            self._window.resizeDocks(docks[:2], [height * part // 100 for part in shares], Qt.Orientation.Vertical)
        self._splitter.setSizes([height // 2, height // 2])

    def _docks(self, area: Qt.DockWidgetArea) -> list[QDockWidget]:
        """Those of a side from top to bottom; Qt moves one that is behind another's tab out of the window."""
        found = self._window.findChildren(QDockWidget)
        there = [dock for dock in found if self._window.dockWidgetArea(dock) == area and not dock.isFloating()]
        return sorted((dock for dock in there if dock.y() >= 0), key=QDockWidget.y)

    def save(self) -> None:
        """Keep the arrangement for the next start; where nothing can be written, it is not kept."""
        settings = window_settings()
        states = self._window.saveGeometry(), self._window.saveState(VERSION), self._splitter.saveState()
        for key, state in zip(_KEYS, states, strict=True):
            settings.setValue(f"window/{key}", state)
        settings.sync()

    def restore(self) -> None:
        """Arrange the window as it was left; where that cannot be read, share out its room once it is shown."""
        settings = window_settings()
        states = [settings.value(f"window/{key}") for key in _KEYS]
        geometry, docks, centre = (state if isinstance(state, QByteArray) else QByteArray() for state in states)
        read = self._window.restoreGeometry(geometry), self._window.restoreState(docks, VERSION)
        if not all((*read, self._splitter.restoreState(centre))):
            self._window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Share out the room when there is some."""
        if event.type() == QEvent.Type.Show:
            self._window.removeEventFilter(self)
            self.share()
        return super().eventFilter(watched, event)


def order_tabs(parts: Sequence[QWidget]) -> None:
    """Let Tab go through these parts of the window in turn, and inside each as it did."""
    chain = _focus_chain(parts[0])
    stops = [stop for part in parts for stop in _stops(part, chain)]
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


def _focus_chain(first: QWidget) -> list[QWidget]:
    """All widgets of the window, in the order of its ring."""
    chain, widget = [first], first.nextInFocusChain()
    while widget is not None and widget is not first:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    return chain


def _stops(part: QWidget, chain: list[QWidget]) -> list[QWidget]:
    """The part and the widgets inside it at which Tab may stop, in the order of the ring from the part on."""
    at, inside = chain.index(part), {part, *part.findChildren(QWidget)}
    there = [widget for widget in chain[at:] + chain[:at] if widget in inside]
    return [each for each in there if each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.focusProxy() is None]
