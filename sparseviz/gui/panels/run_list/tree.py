"""Tree view of the run list: what is folded, chosen and current outlives every reading of the folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QSortFilterProxyModel, Qt, Slot
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView

from sparseviz.gui.panels.run_list.model import NAME, RUN_ROLE, SORT_ROLE, RunsModel
from sparseviz.store.header import RunHeader

_MEASURED = 100  # rows that are looked at for a column's width
_WIDEST = 30  # characters of a column, unless a person pulls it wider
_Move = QAbstractItemView.CursorAction


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a person is in the list."""

    current: tuple[Path, int] | None  # and the column
    chosen: frozenset[Path]
    scroll: tuple[int, int]


class SortedRuns(QSortFilterProxyModel):
    """The runs in order, those that have every word of the filter, and those above them."""

    def __init__(self, model: RunsModel, parent: QTreeView) -> None:
        super().__init__(parent)
        self._runs, self._words = model, list[str]()
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)
        self.setRecursiveFilteringEnabled(True)

    def set_filter(self, text: str) -> None:
        """Show the runs in which all these words are found, in any column."""
        self.beginFilterChange()
        self._words = text.casefold().split()
        self.endFilterChange(self.Direction.Rows)

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # type: ignore[override]
        """Whether all words are in the row."""
        return self._runs.has_words(self._runs.index(row, NAME, parent), self._words)


class RunTree(QTreeView):
    """Left and Right go from cell to cell; at the first they fold and unfold what is below a run."""

    def __init__(self, model: RunsModel) -> None:
        super().__init__()
        self.sorted = SortedRuns(model, self)
        self.setModel(self.sorted)
        self.setSortingEnabled(True)
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setExpandsOnDoubleClick(False)
        self.setDragEnabled(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.header().setStretchLastSection(False)
        self.header().setResizeContentsPrecision(_MEASURED)
        self._folded: set[Path] = set()
        self._is_settling = False
        self.collapsed.connect(self._fold)
        self.expanded.connect(self._unfold)

    def rows(self) -> list[QModelIndex]:
        """The first cells of all rows that the filter lets through, from top to bottom."""
        return list(_walk(self.sorted))

    def chosen(self) -> list[RunHeader]:
        """The runs that are selected."""
        return [index.data(RUN_ROLE) for index in self.selectionModel().selectedRows()]

    def fit_columns(self) -> None:
        """Make every column as wide as what stands in it, within reason."""
        most = _WIDEST * self.fontMetrics().averageCharWidth()
        for column in range(self.header().count()):
            self.resizeColumnToContents(column)
            self.setColumnWidth(column, min(self.columnWidth(column), most))

    def is_editing(self) -> bool:
        """Whether a cell is being edited."""
        return self.state() == QAbstractItemView.State.EditingState

    # Folding.

    @Slot(QModelIndex)
    def _fold(self, index: QModelIndex) -> None:
        if not self._is_settling:
            self._folded.add(index.data(RUN_ROLE).path)

    @Slot(QModelIndex)
    def _unfold(self, index: QModelIndex) -> None:
        if not self._is_settling:
            self._folded.discard(index.data(RUN_ROLE).path)

    def settle(self, *, unfold: bool) -> None:
        """Show what is below every run, but where a person folded it away; or all."""
        self._is_settling = True
        self.setRootIsDecorated(any(index.parent().isValid() for index in self.rows()))
        self.expandAll()
        for index in self.rows() if self._folded and not unfold else ():
            if index.data(RUN_ROLE).path in self._folded:
                self.collapse(index)
        self._is_settling = False

    # A new reading.

    def place(self) -> _Place:
        """State of the view: what is current and chosen, and how far it is scrolled."""
        current = self.currentIndex()
        at = (current.data(RUN_ROLE).path, current.column()) if current.isValid() else None
        scroll = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        return _Place(at, frozenset(run.path for run in self.chosen()), scroll)

    def go_back(self, place: _Place) -> None:
        """Choose what was chosen, where it is still there."""
        select = self.selectionModel()
        flags = select.SelectionFlag
        for index in self.rows():
            path = index.data(RUN_ROLE).path
            if path in place.chosen:
                select.select(index, flags.Select | flags.Rows)
            if place.current and path == place.current[0]:
                select.setCurrentIndex(index.siblingAtColumn(place.current[1]), flags.NoUpdate)
        self.horizontalScrollBar().setValue(place.scroll[0])
        self.verticalScrollBar().setValue(place.scroll[1])

    # Keys.

    def moveCursor(self, action: _Move, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Sideways as in a table, so that every cell is reached and can be edited."""
        at = self.currentIndex()
        if at.isValid() and action == _Move.MoveLeft and at.column() != NAME:
            return self._beside(at, -1)
        folded = self.model().hasChildren(at.siblingAtColumn(NAME)) and not self.isExpanded(at.siblingAtColumn(NAME))
        if at.isValid() and action == _Move.MoveRight and not (at.column() == NAME and folded):
            return self._beside(at, 1)
        return super().moveCursor(action, modifiers)

    def _beside(self, at: QModelIndex, step: int) -> QModelIndex:
        """The next cell that is seen, in the order in which the columns were put; the same at the end."""
        header = self.header()
        end = header.count() if step > 0 else -1
        columns = [header.logicalIndex(place) for place in range(header.visualIndex(at.column()) + step, end, step)]
        return next((at.siblingAtColumn(column) for column in columns if not self.isColumnHidden(column)), at)


def _walk(model: QAbstractItemModel) -> Iterator[QModelIndex]:
    waiting = [QModelIndex()]
    while waiting:
        index = waiting.pop()
        if index.isValid():
            yield index
        waiting += [model.index(row, NAME, index) for row in reversed(range(model.rowCount(index)))]
