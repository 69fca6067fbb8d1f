"""The window in which runs are laid over each other."""

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QSplitter, QTabWidget

from sparseviz.config import paths
from sparseviz.gui.compare.reading import Masks, Reading
from sparseviz.gui.compare.run_list import RunList
from sparseviz.gui.compare.views.base import CompareView
from sparseviz.gui.compare.views.curves import CurvesTab
from sparseviz.gui.compare.views.distributions import DistributionsTab
from sparseviz.gui.compare.views.errors import ErrorsTab
from sparseviz.gui.compare.views.mask_question import Question
from sparseviz.gui.compare.views.masks import MasksTab
from sparseviz.gui.compare.views.pairing import Pairing
from sparseviz.gui.compare.views.subject import Subject
from sparseviz.gui.compare.views.tables import LayersTab, RunsTab
from sparseviz.gui.qt.focus_guide import FocusGuide, focus_of
from sparseviz.gui.qt.messages import Messages
from sparseviz.gui.views.base import Pane
from sparseviz.gui.window.shortcuts import ShortcutsPage
from sparseviz.gui.window.title_bar import Framed, TitleBar

_SIZE = QSize(1250, 800)
_LIST_WIDTH = 265  # pixels
_READ_AGAIN_MS = 3000  # a run that is being trained


class CompareWindow(QMainWindow):
    """The runs at the left, and a tab for each way to compare them; only the tab in sight is drawn."""

    opened = Signal(Path)  # a run is to be shown in the other window
    save_asked = Signal(QObject)  # a Pane
    manual_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Compare runs — sparseviz"))
        self.setAcceptDrops(True)
        self.messages, self.reading, self.list = Messages(self), Reading(self), RunList()
        self.pairing = Pairing(self)
        self.masks = MasksTab(self.pairing)
        self.views: list[CompareView] = [CurvesTab(), ErrorsTab(), LayersTab(), DistributionsTab(self.pairing)]
        self.views += [self.masks, RunsTab()]
        self._stale = set(self.views)
        self._awaited: dict[Path, int] = {}  # numbers of the runs that are being read
        self.tabs = QTabWidget()
        self._arrange()
        self._fill_menus()
        self._timer = QTimer(self, interval=_READ_AGAIN_MS)
        self._connect()
        self.resize(self.screen().availableGeometry().size().boundedTo(_SIZE))

    def _arrange(self) -> None:
        self.tabs.setAccessibleName(self.tr("Ways to compare"))
        self.tabs.setDocumentMode(True)
        names = (self.tr("Curves"), self.tr("Error"), self.tr("Layers"), self.tr("Distributions"), self.tr("Masks"))
        for name, view in zip((*names, self.tr("Runs")), self.views, strict=True):
            bar = TitleBar(view)
            bar.save_asked.connect(self.save_asked)
            self.tabs.addTab(Framed(bar, view), name)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setAccessibleName(self.tr("Runs and views"))
        split.addWidget(self.list)
        split.addWidget(self.tabs)
        split.setStretchFactor(1, 1)
        split.setSizes([_LIST_WIDTH, _SIZE.width() - _LIST_WIDTH])
        split.setChildrenCollapsible(False)
        self.setCentralWidget(split)
        self.statusBar().setAccessibleName(self.tr("Messages"))

    def _fill_menus(self) -> None:
        bar, standard = self.menuBar(), QKeySequence.StandardKey
        file, view, help_ = (bar.addMenu(name) for name in (self.tr("&File"), self.tr("&View"), self.tr("&Help")))
        self._add(file, self.tr("&Add Runs…"), standard.Open, self.choose_runs)
        self._add(file, self.tr("&Save View…"), standard.Save, lambda: self.save_asked.emit(self.view()))
        file.addSeparator()
        self._add(file, self.tr("&Close"), "Ctrl+W", self.close)
        for number in range(self.tabs.count()):
            text = f"&{self.tabs.tabText(number)}"
            self._add(view, text, f"Alt+{number + 1}", lambda *_, number=number: self.go_to(number))
        view.addSeparator()
        self._add(view, self.tr("R&uns That Are Compared"), "Alt+0", self.list.sheet.setFocus)
        self._add(help_, self.tr("&Manual"), "F1", self.manual_asked.emit)
        self._add(help_, self.tr("&What Is This?"), "Shift+F1", FocusGuide(self).explain)
        self._add(help_, self.tr("&Keyboard Shortcuts"), "Ctrl+F1", lambda: ShortcutsPage(bar, self.views, self).open())

    @staticmethod
    def _add(menu: QMenu, text: str, key: QKeySequence.StandardKey | str, do: Callable[..., object]) -> None:
        action = menu.addAction(text)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda *_: do())

    def _connect(self) -> None:
        self.list.changed.connect(self._change)
        self.list.removed.connect(self._tell_removed)
        self.list.opened.connect(self.opened)
        self.list.add_asked.connect(self.choose_runs)
        self.tabs.currentChanged.connect(self._draw_seen)
        self.reading.read.connect(self._take)
        self.reading.failed.connect(self._fail)
        self.reading.compared.connect(self.masks.take)
        self.reading.refused.connect(self.masks.refuse)
        self.masks.asked.connect(self._ask)
        self._timer.timeout.connect(self._read_again)
        self._timer.start()

    def view(self) -> CompareView:
        """The one in sight."""
        return self.views[self.tabs.currentIndex()]

    def go_to(self, number: int) -> None:
        """Show a tab, and give its view the focus."""
        self.tabs.setCurrentIndex(number)
        self.view().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focused_pane(self) -> Pane | None:
        """The view in which the focus is."""
        focus = focus_of(self)
        return next((view for view in self.views if focus is view or (focus and view.isAncestorOf(focus))), None)

    # Runs.

    def choose_runs(self) -> None:
        """Ask for run files."""
        known = [*self.list.paths().values()]
        folder = str(known[-1].parent if known else paths.runs_folder())
        files, _ = QFileDialog.getOpenFileNames(self, self.tr("Add Runs"), folder, self.tr("Runs (*.h5)"))
        self.add(map(Path, files))

    def add(self, files: Iterable[Path]) -> None:
        """Read these runs, and compare them with those that are there; one that is there already stays."""
        for path in dict.fromkeys(path.absolute() for path in files):
            if path in self.list.paths().values() or path in self._awaited:
                continue
            taken = {*self.list.paths(), *self._awaited.values()}
            number = next(number for number in range(1, len(taken) + 2) if number not in taken)
            others = [*self.list.paths().values(), *self._awaited]
            same = any(other.stem == path.stem for other in others)
            self._awaited[path] = number
            self.reading.run(path, number, f"{path.parent.name}/{path.stem}" if same else path.stem)
        if self._awaited:
            self.statusBar().showMessage(self.tr("Reading {0}…").format(", ".join(p.name for p in self._awaited)))

    @Slot(Path, Subject)
    def _take(self, path: Path, run: Subject) -> None:
        known = path in self.list.paths().values()
        if known:
            self.list.replace(path, run)
        elif path in self._awaited:
            self.list.add(path, run)
        self._settle(path)

    def _read_again(self) -> None:
        """Follow the runs that are still being trained."""
        if not self.reading.is_busy():
            for path, run in self.list.unfinished():
                self.reading.run(path, run.number, run.name)

    @Slot(Path, str)
    def _fail(self, path: Path, text: str) -> None:
        self._settle(path)
        if path in self.list.paths().values():  # it was read before, and is read again
            self.statusBar().showMessage(text, _READ_AGAIN_MS)
        else:
            self.messages.complain(text)

    def _settle(self, path: Path) -> None:
        self._awaited.pop(path, None)
        if not self._awaited:
            self.statusBar().clearMessage()

    def _tell_removed(self, path: Path) -> None:
        self.statusBar().showMessage(self.tr("{0} is no longer compared; its file stays.").format(path.name), 5000)

    # Drawing.

    def _change(self) -> None:
        """The runs that are shown are others, or in another order."""
        self._stale = set(self.views)
        self._draw_seen()

    def _draw_seen(self) -> None:
        view, runs = self.view(), self.list.runs()
        if view not in self._stale:
            return
        self._stale.discard(view)
        if self.pairing.runs != runs:
            self.pairing.show_runs(runs)
        view.show_runs(runs)

    @Slot(Question)
    def _ask(self, question: Question) -> None:
        files = self.list.paths()
        self.reading.masks(Masks(question, (files[question.first.run.number], files[question.second.run.number])))

    # The window's own events.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Compare the files that were dropped."""
        self.add(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())

    def closeEvent(self, event: QCloseEvent) -> None:
        """End what is read."""
        self._timer.stop()
        self.reading.close()
        super().closeEvent(event)
