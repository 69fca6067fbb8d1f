"""The run list: a folder of runs as a table, to find, open, rename, annotate and throw away."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFileSystemWatcher, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from sparseviz.config import paths
from sparseviz.gui.panels.run_list.annotations import Annotation, read_annotations
from sparseviz.gui.panels.run_list.delegates import StripCell, TagsCell
from sparseviz.gui.panels.run_list.files import RunFiles
from sparseviz.gui.panels.run_list.model import CREATED, NAME, NOTE, STRIP, TAGS, RunsModel
from sparseviz.gui.panels.run_list.thumbnails import Thumbnails
from sparseviz.gui.panels.run_list.tree import RunTree
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.qt.theme import Theme, mute
from sparseviz.gui.views.base import FittingLabel, Pane, Table
from sparseviz.store.header import RunHeader, read_headers

_SETTLE_MS = 500  # after a change in the folder: a run that is being made changes it more than once


class RunsPanel(Pane):
    """Reads the heads of a folder's files in a thread of its own, whenever the folder changes and it is in sight."""

    opened = Signal(Path)
    compare_asked = Signal(list)  # of paths
    complained = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = paths.runs_folder()
        self.thumbnails, self.files = Thumbnails(self), RunFiles(self)
        self.model = RunsModel(self.thumbnails)
        self.sheet = RunTree(self.model)
        self.sorted = self.sheet.sorted
        self.strips, self.tags = StripCell(self.thumbnails, self.theme, self.sheet), TagsCell(self.theme, self.sheet)
        self.filter, self.choose, self.nested = QLineEdit(clearButtonEnabled=True), QToolButton(), QToolButton()
        self.count, self.empty = FittingLabel(), QLabel(self.invitation(), wordWrap=True)
        self._is_stale = True
        self._inbox, self._watcher = Inbox(self), QFileSystemWatcher(self)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="run-list")
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._set_up()
        self._lay_out()
        self._add_actions()
        self._connect()
        self._restyle(self.theme)

    def title(self) -> str:
        """What the list is called."""
        return self.tr("Runs")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("Runs that are trained appear here; Train (F5) makes one. Another folder can be chosen above.")

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "Every run is a file whose settings, errors and size stand here in a row, with its gates over time in "
            "small; sort by error or compression to see what a penalty costs. Select two runs of neighbouring λ₂ and "
            "press Enter: laid over each other, their distributions and masks show why."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the table."""
        return [
            (self.tr("open the run; compare those that are selected"), self.tr("Enter")),
            (self.tr("rename the run, or edit its tags or its note where the cell is theirs"), "F2"),
            (self.tr("move the runs to the bin"), self.tr("Delete")),
            (self.tr("go to the next cell; at a run's name, fold and unfold its branches"), self.tr("Left, Right")),
        ]

    def table(self) -> Table:
        """The runs that are shown, in their order."""
        rows = [self.model.values(self.sorted.mapToSource(index)) for index in self.sheet.rows()]
        titles = self.model.titles()
        return [titles[:STRIP] + titles[STRIP + 1 :], *rows] if rows else []

    def is_empty(self) -> bool:
        """Whether there is no run."""
        return not self.model.rows

    def _set_up(self) -> None:
        sheet = self.sheet
        sheet.sortByColumn(CREATED, Qt.SortOrder.DescendingOrder)
        sheet.setItemDelegateForColumn(STRIP, self.strips)
        sheet.setItemDelegateForColumn(TAGS, self.tags)
        sheet.setAccessibleName(self.tr("Runs of the folder"))
        self.filter.setPlaceholderText(self.tr("Filter: name, network, #tag, note…"))
        self.filter.setAccessibleName(self.tr("Filter the runs"))
        for clear in self.filter.findChildren(QToolButton):  # Qt's own, without a name
            clear.setAccessibleName(self.tr("Clear the filter of the runs"))
        self.nested.setText(self.tr("Tree"))
        self.nested.setCheckable(True)
        self.nested.setChecked(True)
        self.nested.setToolTip(self.tr("Branches below the run from which they come, or all runs in one order"))
        self.nested.setAccessibleName(self.tr("Show branches below their runs"))
        self.choose.setText("…")
        self.choose.setToolTip(self.tr("Choose the folder of runs"))
        self.choose.setAccessibleName(self.tr("Choose the folder of runs"))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def _lay_out(self) -> None:
        top, column = QHBoxLayout(), QVBoxLayout(self)
        top.addWidget(self.filter, 1)
        top.addWidget(self.nested)
        top.addWidget(self.choose)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(2)
        column.addLayout(top)
        for widget, share in ((self.sheet, 1), (self.empty, 1), (self.count, 0)):
            column.addWidget(widget, share)

    def _add_actions(self) -> None:
        """The same by a right click."""
        for text, act in (
            (self.tr("&Open"), self._open),
            (self.tr("&Compare"), self._compare),
            (self.tr("&Rename"), lambda: self._edit(NAME)),
            (self.tr("Edit &Tags"), lambda: self._edit(TAGS)),
            (self.tr("Edit &Note"), lambda: self._edit(NOTE)),
            (self.tr("Move to &Bin…"), self.throw_away),
        ):
            action = QAction(text, self)
            action.triggered.connect(act)
            self.addAction(action)
        self._acts = self.actions()
        self.sheet.selectionModel().selectionChanged.connect(self._enable)
        self._enable()

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filter)
        self.nested.toggled.connect(self._nest)
        self.choose.clicked.connect(self.choose_folder)
        self.sheet.doubleClicked.connect(self._open)
        self.model.renamed.connect(self._rename)
        self.model.annotated.connect(self._annotate)
        self.thumbnails.made.connect(self.sheet.viewport().update)
        self.files.complained.connect(self.complained)
        self._watcher.directoryChanged.connect(self._wait_for_more)
        self._settle.timeout.connect(self.refresh)

    # Reading.

    @Slot(str)
    def _wait_for_more(self, _folder: str) -> None:
        self._settle.start()

    @Slot()
    def refresh(self) -> None:
        """Read the folder once more, now if the list is in sight, or else when it is; after an edit of a cell."""
        self._is_stale = True
        if self.sheet.is_editing():
            self._settle.start()
        else:
            self.look()

    def look(self) -> None:
        """Read the folder if that is due and the list can be seen."""
        if not self._is_stale or self._inbox.is_waiting() or self.visibleRegion().isEmpty():
            return
        self._is_stale = False
        self._inbox.ask(self._executor.submit(read_headers, self.folder), self._take)

    def _take(self, runs: list[RunHeader]) -> None:
        if self.sheet.is_editing():  # what is typed there would be lost
            self._settle.start()
            return
        self._show(runs)
        if self.folder.is_dir() and str(self.folder) not in self._watcher.directories():
            self._watcher.addPath(str(self.folder))
        self.look()

    def _show(self, runs: list[RunHeader]) -> None:
        place, were_there = self.sheet.place(), bool(self.model.rows)
        self.model.set_runs(runs, read_annotations(self.folder))
        self._unfold()
        self.sheet.go_back(place)
        if not were_there:
            self.sheet.fit_columns()

    def _unfold(self) -> None:
        """What is found is shown, even below a run that is folded."""
        self.sheet.settle(unfold=bool(self.filter.text()))
        self._tell()

    @Slot(str)
    def _filter(self, text: str) -> None:
        self.sorted.set_filter(text)
        self._unfold()

    @Slot(bool)
    def _nest(self, nested: bool) -> None:
        place = self.sheet.place()
        self.model.set_nested(nested)
        self._unfold()
        self.sheet.go_back(place)

    def _tell(self) -> None:
        shown, all_ = len(self.sheet.rows()), len(self.model.rows)
        self.empty.setVisible(not all_)
        self.sheet.setVisible(bool(all_))
        self.count.set_texts(self.tr("{0} of {1} runs in {2}").format(shown, all_, self.folder), f"{shown} / {all_}")

    def close_reading(self) -> None:
        """Shut down the threads that read files."""
        self._is_stale = False
        self._executor.shutdown(cancel_futures=True)
        self.thumbnails.close()

    def paintEvent(self, event: Any) -> None:
        """Come into sight: what is stale is read now."""
        super().paintEvent(event)
        self.look()

    # What a person does.

    @Slot()
    def _enable(self) -> None:
        for action in self._acts:
            action.setEnabled(self.sheet.selectionModel().hasSelection())

    def chosen_files(self) -> list[Path]:
        """The runs that are selected."""
        return [header.path for header in self.sheet.chosen()]

    @Slot()
    def _compare(self) -> None:
        self.compare_asked.emit(self.chosen_files())

    @Slot()
    def _open(self) -> None:
        chosen = self.chosen_files()
        if len(chosen) > 1:
            self.compare_asked.emit(chosen)
        elif chosen:
            self.opened.emit(chosen[0])

    def _edit(self, column: int) -> None:
        cell = self.sheet.currentIndex().siblingAtColumn(column)
        self.sheet.setCurrentIndex(cell)
        self.sheet.edit(cell)

    @Slot()
    def choose_folder(self) -> None:
        """Ask for another folder of runs."""
        if folder := QFileDialog.getExistingDirectory(self, self.tr("Folder of runs"), str(self.folder)):
            self.show_folder(Path(folder))

    def show_folder(self, folder: Path) -> None:
        """List the runs of this folder."""
        if watched := self._watcher.directories():
            self._watcher.removePaths(watched)
        self.folder = folder
        self.model.set_runs([], {})
        self.refresh()

    @Slot(Path, str)
    def _rename(self, path: Path, name: str) -> None:
        if self.files.rename(path, name):
            self.refresh()

    @Slot(Path, Annotation)
    def _annotate(self, path: Path, annotation: Annotation) -> None:
        if self.files.annotate(path, annotation):
            self.model.set_annotation(path, annotation)

    @Slot()
    def throw_away(self) -> None:
        """Ask, and move the chosen runs to the system's bin."""
        if self.files.throw_away([run.path for run in self.sheet.chosen()], self):
            self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter, throw away with Delete, rename with F2 where the cell itself is not edited."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open()
        elif event.key() == Qt.Key.Key_Delete:
            self.throw_away()
        elif event.key() == Qt.Key.Key_F2 and self.sheet.currentIndex().isValid():
            self._edit(NAME)
        else:
            super().keyPressEvent(event)

    def _restyle(self, theme: Theme) -> None:
        for label in (self.count, self.empty):
            mute(label, theme)
        for cell in (self.strips, self.tags):
            cell.restyle(theme)
