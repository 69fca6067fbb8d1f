"""The run list: a folder of runs as a table, to find, open, rename, annotate and throw away."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QFileSystemWatcher, QSortFilterProxyModel, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMessageBox,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sparseviz import paths
from sparseviz.gui.inbox import Inbox
from sparseviz.gui.panels.runs_model import CREATED, NAME, SORT_ROLE, RunsModel, read_notes, write_notes
from sparseviz.gui.theme import Theme, mute
from sparseviz.gui.views.base import FittingLabel, Pane, Table
from sparseviz.store.header import RunHeader, read_headers
from sparseviz.store.lock import writer_of

_SETTLE_MS = 500  # after a change in the folder: a run that is being made changes it more than once


class RunsPanel(Pane):
    """Reads the heads of a folder's files in a thread of its own, whenever the folder changes and it is in sight."""

    opened = Signal(Path)
    compare_asked = Signal(list)  # of paths
    complained = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = paths.runs_folder()
        self.model, self.sorted = RunsModel(), QSortFilterProxyModel(self)
        self.filter, self.sheet, self.choose = QLineEdit(clearButtonEnabled=True), QTableView(), QToolButton()
        self.count, self.empty = FittingLabel(), QLabel(self.invitation(), wordWrap=True)
        self._reading: Future[list[RunHeader]] | None = None
        self._is_stale = True
        self._inbox, self._watcher = Inbox(self), QFileSystemWatcher(self)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="run-list")
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._set_up()
        self._lay_out()
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
            "Every run is a file whose settings, errors and size stand here in a row; sort by error or compression to "
            "see what a penalty costs. Open two runs of neighbouring λ₂ one after the other, and their gates show why."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the table."""
        return [
            (self.tr("open the run; compare those that are selected"), self.tr("Enter")),
            (self.tr("rename the run, or edit its note"), "F2"),
            (self.tr("move the run to the bin"), self.tr("Delete")),
        ]

    def table(self) -> Table:
        """The runs that are shown, in their order."""
        if not self.sorted.rowCount():
            return []
        rows = [self.model.values(self._header(row)) for row in range(self.sorted.rowCount())]
        return [self.model.titles(), *rows]

    def is_empty(self) -> bool:
        """Whether there is no run."""
        return not self.model.headers

    def _set_up(self) -> None:
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_ROLE)
        self.sorted.setFilterKeyColumn(-1)  # any of them
        self.sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        sheet = self.sheet
        sheet.setModel(self.sorted)
        sheet.setSortingEnabled(True)
        sheet.sortByColumn(CREATED, Qt.SortOrder.DescendingOrder)
        sheet.setAlternatingRowColors(True)
        sheet.setShowGrid(False)
        sheet.setTabKeyNavigation(False)
        sheet.setDragEnabled(True)
        sheet.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        sheet.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        sheet.verticalHeader().hide()
        sheet.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        sheet.setAccessibleName(self.tr("Runs of the folder"))
        self.filter.setPlaceholderText(self.tr("Filter: name, network, note…"))
        self.filter.setAccessibleName(self.tr("Filter the runs"))
        for clear in self.filter.findChildren(QToolButton):  # Qt's own, without a name
            clear.setAccessibleName(self.tr("Clear the filter of the runs"))
        self.choose.setText("…")
        self.choose.setAccessibleName(self.tr("Choose the folder of runs"))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def _lay_out(self) -> None:
        top, column = QHBoxLayout(), QVBoxLayout(self)
        top.addWidget(self.filter, 1)
        top.addWidget(self.choose)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(2)
        column.addLayout(top)
        for widget, share in ((self.sheet, 1), (self.empty, 1), (self.count, 0)):
            column.addWidget(widget, share)

    def _connect(self) -> None:
        compare = QAction(self.tr("&Compare Selected Runs"), self)
        compare.triggered.connect(self._compare)
        self.addAction(compare)
        self.filter.textChanged.connect(self.sorted.setFilterFixedString)
        self.filter.textChanged.connect(self._tell)
        self.choose.clicked.connect(self.choose_folder)
        self.sheet.doubleClicked.connect(self._open)
        self.model.renamed.connect(self._rename)
        self.model.noted.connect(self._note)
        self._watcher.directoryChanged.connect(self._wait_for_more)
        self._settle.timeout.connect(self.refresh)

    # Reading.

    @Slot(str)
    def _wait_for_more(self, _folder: str) -> None:
        self._settle.start()

    @Slot()
    def refresh(self) -> None:
        """Read the folder once more, now if the list is in sight, or else when it is."""
        self._is_stale = True
        self.look()

    def look(self) -> None:
        """Read the folder if that is due and the list can be seen."""
        if not self._is_stale or self._reading is not None or self.visibleRegion().isEmpty():
            return
        self._is_stale = False
        self._reading = self._executor.submit(read_headers, self.folder)
        self._inbox.expect(self._reading, self._take)

    def _take(self, answer: "Future[list[RunHeader]]") -> None:
        self._reading = None
        if answer.cancelled():
            return
        self.model.set_runs(answer.result(), read_notes(self.folder))
        if self.folder.is_dir() and str(self.folder) not in self._watcher.directories():
            self._watcher.addPath(str(self.folder))
        self.sheet.resizeColumnsToContents()
        self._tell()
        self.look()

    def _tell(self) -> None:
        shown, all_ = self.sorted.rowCount(), len(self.model.headers)
        self.empty.setVisible(not all_)
        self.sheet.setVisible(bool(all_))
        self.count.set_texts(self.tr("{0} of {1} runs in {2}").format(shown, all_, self.folder), f"{shown} / {all_}")

    def close_reading(self) -> None:
        """Read no more."""
        self._is_stale = False
        self._executor.shutdown(cancel_futures=True)

    def paintEvent(self, event: Any) -> None:
        """Come into sight: what is stale is read now."""
        super().paintEvent(event)
        self.look()

    # What a person does.

    def _header(self, row: int) -> RunHeader:
        return self.model.headers[self.sorted.mapToSource(self.sorted.index(row, NAME)).row()]

    def _chosen(self) -> list[RunHeader]:
        return [self._header(index.row()) for index in self.sheet.selectionModel().selectedRows()]

    def chosen_files(self) -> list[Path]:
        """The runs that are selected."""
        return [header.path for header in self._chosen()]

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
        self.refresh()

    @Slot(Path, str)
    def _rename(self, path: Path, name: str) -> None:
        if self._is_written([path]):
            return
        if not name or Path(name).name != name:
            self.complained.emit(self.tr("“{0}” is no name for a file.").format(name))
            return
        target = path.with_name(name if name.endswith(".h5") else f"{name}.h5")
        if target.exists():
            self.complained.emit(self.tr("{0} exists already; choose another name.").format(target.name))
            return
        self._try(lambda: path.rename(target))
        self._note(target.name, self.model.notes.pop(path.name, ""))

    @Slot(str, str)
    def _note(self, name: str, note: str) -> None:
        notes = {known: text for known, text in (self.model.notes | {name: note}).items() if text}
        self._try(lambda: write_notes(self.folder, notes))
        self.refresh()

    def _is_written(self, files: Sequence[Path]) -> bool:
        """Whether one of them is being trained, here or elsewhere; then it stays where it is."""
        writers = [(path, writer) for path in files if (writer := writer_of(path))]
        if writers:
            told = self.tr("{0} is being trained by {1}; stop that first.")
            self.complained.emit(told.format(writers[0][0].name, writers[0][1]))
        return bool(writers)

    def _try(self, act: Any) -> None:
        try:
            act()
        except OSError as error:
            self.complained.emit(self.tr("{0} cannot be changed: {1}").format(self.folder, error.strerror))

    @Slot()
    def throw_away(self) -> None:
        """Ask, and move the chosen runs to the system's bin."""
        chosen = self._chosen()
        if self._is_written([header.path for header in chosen]):
            return
        names = ", ".join(header.path.name for header in chosen[:5]) + (" …" if len(chosen) > 5 else "")
        question = self.tr("Move {0} to the bin?").format(names)
        if chosen and QMessageBox.question(self, self.tr("Move to bin"), question) == QMessageBox.StandardButton.Yes:
            kept = [header.path.name for header in chosen if not QFile.moveToTrash(str(header.path))]
            if kept:
                self.complained.emit(self.tr("Not moved, as there is no bin here: {0}").format(", ".join(kept)))
            self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter, throw away with Delete."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open()
        elif event.key() == Qt.Key.Key_Delete:
            self.throw_away()
        else:
            super().keyPressEvent(event)

    def _restyle(self, theme: Theme) -> None:
        for label in (self.count, self.empty):
            mute(label, theme)
