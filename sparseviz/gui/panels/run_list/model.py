"""Item model of the run list, a tree: a row a run, those branched from it below it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, Qt, QUrl, Signal

from sparseviz.gui.panels.run_list.annotations import Annotation, annotation_of, tags_of
from sparseviz.gui.panels.run_list.family import parents_of
from sparseviz.gui.panels.run_list.thumbnails import Thumbnail, Thumbnails
from sparseviz.gui.qt.item_model import NOWHERE, Index
from sparseviz.store.header import RunHeader
from sparseviz.values.states import RunStatus

NAME, STRIP, CREATED, NETWORK, DATA, METHOD, LAMBDA1, LAMBDA2, ERROR = range(9)
KEPT, COMPRESSION, STATUS, PARENT, TAGS, NOTE = range(9, 15)
_Role = Qt.ItemDataRole
SORT_ROLE, RUN_ROLE, TAGS_ROLE = _Role.UserRole, _Role.UserRole + 1, _Role.UserRole + 2
_NUMBERS = (LAMBDA1, LAMBDA2, ERROR, KEPT, COMPRESSION)
EDITED = (NAME, TAGS, NOTE)


@dataclass(frozen=True, slots=True)
class _Row:
    """A run with what its cells hold and show, in the columns' order."""

    run: RunHeader
    annotation: Annotation
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    found_by: str  # all its texts, for the filter


class RunsModel(QAbstractItemModel):
    """Heads of runs, notes and tags. An index' internal id is the place of its row in `rows`."""

    renamed = Signal(Path, str)  # a file and the name that it should have
    annotated = Signal(Path, Annotation)

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self.rows: list[_Row] = []
        self.is_nested = True
        self._parents: list[int] = []  # the place of each run's parent, -1 for none
        self._above: list[int] = []  # the place of the row below which each stands
        self._below: dict[int, list[int]] = {}  # the places of the rows below each, -1 for those at the top
        self._position: list[int] = []  # of each row among those beside it

    def set_runs(self, runs: Sequence[RunHeader], annotations: dict[str, Annotation]) -> None:
        """Show these runs."""
        self.beginResetModel()
        self._parents = parents_of(runs)
        names = [runs[place].path.stem if place >= 0 else "" for place in self._parents]
        self.rows = [
            self._row(run, annotation_of(run, annotations), name) for run, name in zip(runs, names, strict=True)
        ]
        self._nest()
        self.endResetModel()

    def set_nested(self, nested: bool) -> None:
        """Show runs below those from which they were branched, or all in one list."""
        self.beginResetModel()
        self.is_nested = nested
        self._nest()
        self.endResetModel()

    def _nest(self) -> None:
        self._above = self._parents if self.is_nested else [-1] * len(self.rows)
        self._below, self._position = {}, []
        for place, above in enumerate(self._above):
            beside = self._below.setdefault(above, [])
            self._position.append(len(beside))
            beside.append(place)

    def set_annotation(self, path: Path, annotation: Annotation) -> None:
        """Show another note and other tags beside a run."""
        for place, row in enumerate(self.rows):
            if row.run.path == path:
                parent = self._parents[place]
                name = self.rows[parent].run.path.stem if parent >= 0 else ""
                self.rows[place] = self._row(row.run, annotation, name)
                self.dataChanged.emit(self._index(place, TAGS), self._index(place, NOTE))

    def is_tree(self) -> bool:
        """Whether a run stands below another."""
        return any(above >= 0 for above in self._above)

    # Rows and columns.

    def index(self, row: int, column: int, parent: Index = NOWHERE) -> QModelIndex:
        """Index of a cell."""
        below = self._below.get(self._place(parent), [])
        return self.createIndex(row, column, below[row]) if 0 <= row < len(below) else QModelIndex()

    def _index(self, place: int, column: int) -> QModelIndex:
        return self.createIndex(self._position[place], column, place)

    def _place(self, index: Index) -> int:
        return index.internalId() if index.isValid() else -1

    def parent(self, child: Index = NOWHERE) -> QModelIndex:  # type: ignore[override]
        """The run below which a run stands."""
        above = self._above[child.internalId()] if child.isValid() else -1
        return QModelIndex() if above < 0 else self._index(above, NAME)

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """The runs below a run, or those at the top."""
        return 0 if parent.column() > 0 else len(self._below.get(self._place(parent), []))

    def columnCount(self, parent: Index = NOWHERE) -> int:  # noqa: ARG002
        """As many as there are titles."""
        return NOTE + 1

    # What stands in them.

    def titles(self) -> list[str]:
        """What the columns are called, with units."""
        return [
            self.tr("Run"),
            self.tr("Gates over time"),
            self.tr("Date"),
            self.tr("Network"),
            self.tr("Data"),
            self.tr("Method"),
            "λ₁",
            "λ₂",
            self.tr("Validation error %"),
            self.tr("Kept"),
            self.tr("Compression"),
            self.tr("Status"),
            self.tr("Branched from"),
            self.tr("Tags"),
            self.tr("Note"),
        ]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return self.titles()[section]
        return None

    def run(self, index: Index) -> RunHeader:
        """The run of a cell."""
        return self.rows[index.internalId()].run

    def has_words(self, index: Index, words: Sequence[str]) -> bool:
        """Whether these words, in small letters, are all in a row."""
        return all(word in self.rows[index.internalId()].found_by for word in words)

    def values(self, index: Index) -> list[Any]:
        """What the cells of a row hold, but for the picture."""
        values = list(self.rows[index.internalId()].values)
        return values[:STRIP] + values[STRIP + 1 :]

    def _row(self, run: RunHeader, annotation: Annotation, parent: str) -> _Row:
        """A parent's name is that of its file now, or else the one that the run knows."""
        told = self.tr("{0}, step {1}")
        values = (
            run.path.stem,
            "",
            run.created,
            run.network,
            run.data,
            run.method,
            run.lambda1,
            run.lambda2,
            run.validation_error,
            run.parameters_kept or math.nan,
            run.compression,
            self._status(run.status) if run.status else run.problem,
            told.format(parent or run.parent.name, run.parent.step) if run.parent else "",
            " ".join(f"#{tag}" for tag in annotation.tags),
            annotation.note,
        )
        texts = tuple(_text(column, value) for column, value in enumerate(values))
        return _Row(run, annotation, values, texts, "\n".join(texts).casefold())

    def _status(self, status: RunStatus) -> str:
        return {
            RunStatus.TRAINING: self.tr("training"),
            RunStatus.INTERRUPTED: self.tr("interrupted"),
            RunStatus.FINISHED: self.tr("finished"),
            RunStatus.STOPPED: self.tr("stopped"),
            RunStatus.FAILED: self.tr("failed"),
        }[status]

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        """A cell's text, what it is sorted by, its run or its tags."""
        row, column = self.rows[index.internalId()], index.column()
        if role in (_Role.DisplayRole, _Role.EditRole):
            return row.texts[column]
        if role == SORT_ROLE:
            value = row.values[column]
            return -1.0 if isinstance(value, float) and math.isnan(value) else value
        if role == RUN_ROLE:
            return row.run
        if role == TAGS_ROLE:
            return row.annotation.tags
        return self._aside(row, column, role)

    def _aside(self, row: _Row, column: int, role: int) -> Any:
        if role == _Role.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if column == STRIP and role in (_Role.ToolTipRole, _Role.AccessibleTextRole):
            made = self._thumbnails.known(row.run)
            return self._words(made) if made else None
        return (row.run.problem or str(row.run.path)) if role == _Role.ToolTipRole else None

    def _words(self, made: Thumbnail) -> str:
        told = self.tr(
            "{0} of all layers from {1:g} (below) to {2:g} (above), epochs {3:.4g} to {4:.4g} (left to right). "
            "At the end {5:.1%} of the weights are in the lowest quarter, {6:.1%} in the middle half, "
            "{7:.1%} in the highest quarter."
        )
        low, high = made.quarters[0], made.quarters[3]
        middle = made.quarters[1] + made.quarters[2]
        return told.format(made.quantity.capitalize(), made.low, made.high, *made.epochs, low, middle, high)

    # What a person does.

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Names, tags and notes can be edited, rows dragged to another program."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        plain = super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() in EDITED else plain

    def setData(self, index: Index, value: Any, role: int = _Role.EditRole) -> bool:
        """Ask for another name, or for other words beside the run; whoever does it tells what came of it."""
        row, text, column = self.rows[index.internalId()], str(value).strip(), index.column()
        if role != _Role.EditRole or text == row.texts[column]:
            return False
        if column == NAME:
            self.renamed.emit(row.run.path, text)
        else:
            note = text if column == NOTE else row.annotation.note
            tags = tags_of(text) if column == TAGS else row.annotation.tags
            self.annotated.emit(row.run.path, Annotation(note, tags, row.run.created))
        return True

    def mimeTypes(self) -> list[str]:
        """Types of what is dragged: files."""
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files of the rows."""
        data, places = QMimeData(), sorted({index.internalId() for index in indexes})
        data.setUrls([QUrl.fromLocalFile(str(self.rows[place].run.path)) for place in places])
        return data


def _text(column: int, value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return ""
    if column == CREATED:
        return str(value)[:16].replace("T", " ")
    forms = {LAMBDA1: "{:g}", LAMBDA2: "{:g}", ERROR: "{:.2f}", KEPT: "{:,}", COMPRESSION: "{:.1f}×"}
    return forms.get(column, "{}").format(value)
