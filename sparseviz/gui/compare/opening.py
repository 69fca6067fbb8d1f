"""From the main window to the one in which runs are compared."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtWidgets import QMainWindow

from sparseviz.gui.panels.run_list.panel import RunsPanel
from sparseviz.gui.window.actions import Actions

if TYPE_CHECKING:
    from sparseviz.gui.compare.window import CompareWindow


class Comparing(QObject):
    """Opens the window, once; it closes with the main one."""

    run_chosen = Signal(Path)  # to be shown in the main window
    save_asked = Signal(QObject)  # a Pane
    manual_asked = Signal(str)  # the name of a page

    def __init__(self, actions: Actions, runs: RunsPanel, run: Callable[[], Path | None], parent: QMainWindow) -> None:
        super().__init__(parent)
        self._runs, self._run, self._main = runs, run, parent
        self.window: CompareWindow | None = None
        actions.compare.triggered.connect(self.compare_shown)
        runs.compare_asked.connect(self.compare)
        parent.installEventFilter(self)

    @Slot()
    def compare_shown(self) -> None:
        """Compare what is chosen in the run list, where the focus is in it; or else the run that is shown."""
        focus = self._main.focusWidget()
        if focus is not None and self._runs.isAncestorOf(focus) and self._runs.chosen_files():
            self.compare(self._runs.chosen_files())
        else:
            shown = self._run()
            self.compare([] if shown is None else [shown])

    @Slot(list)
    def compare(self, files: Iterable[Path]) -> None:
        """Open the window, and add these runs."""
        from sparseviz.gui.compare.window import CompareWindow  # noqa: PLC0415  # its views would delay the start

        if self.window is None or not shiboken6.isValid(self.window) or not self.window.isVisible():
            self.window = CompareWindow()
            self.window.opened.connect(self.run_chosen)
            self.window.save_asked.connect(self.save_asked)
            self.window.manual_asked.connect(lambda: self.manual_asked.emit("compare"))
            self.window.show()
        self.window.add(files)
        self.window.raise_()
        self.window.activateWindow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Close with the main window."""
        if event.type() == QEvent.Type.Close and self.window is not None and shiboken6.isValid(self.window):
            self.window.close()
        return super().eventFilter(watched, event)
