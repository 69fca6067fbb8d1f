"""The runs of a folder as a table's model: a row a run, and a note that the person writes beside it."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, QUrl, Signal

from sparseviz.store.header import RunHeader

NAME, CREATED, NETWORK, DATA, METHOD, LAMBDA1, LAMBDA2, ERROR, KEPT, COMPRESSION, STATUS, NOTE = range(12)
_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
SORT_ROLE = _Role.UserRole
_NUMBERS = (LAMBDA1, LAMBDA2, ERROR, KEPT, COMPRESSION)
NOTES = "notes.json"  # in the folder of the runs: {file name: note}


def read_notes(folder: Path) -> dict[str, str]:
    """What a person wrote beside the runs of a folder; nothing where that cannot be read."""
    try:
        notes = json.loads((folder / NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(note) for name, note in notes.items()} if isinstance(notes, dict) else {}


def write_notes(folder: Path, notes: dict[str, str]) -> None:
    """Keep the notes; whole or not at all."""
    temporary = folder / f".{NOTES}.part"
    temporary.write_text(json.dumps(notes, ensure_ascii=False, indent=1), encoding="utf-8")
    temporary.replace(folder / NOTES)


class RunsModel(QAbstractTableModel):
    """Headers of runs, and their notes."""

    renamed = Signal(Path, str)  # a file and the name that it should have
    noted = Signal(str, str)  # file name, note

    def __init__(self) -> None:
        super().__init__()
        self.headers: list[RunHeader] = []
        self.notes: dict[str, str] = {}

    def set_runs(self, headers: Sequence[RunHeader], notes: dict[str, str]) -> None:
        """Show these runs."""
        self.beginResetModel()
        self.headers, self.notes = list(headers), notes
        self.endResetModel()

    def titles(self) -> list[str]:
        """What the columns are called, with units."""
        return [
            self.tr("Run"),
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
            self.tr("Note"),
        ]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """A row a run."""
        return 0 if parent.isValid() else len(self.headers)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as there are titles."""
        return 0 if parent.isValid() else NOTE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        """The titles."""
        if orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole:
            return self.titles()[section]
        return None

    def values(self, header: RunHeader) -> list[Any]:
        """What the cells of a row hold, in the columns' order."""
        return [
            header.path.stem,
            header.created,
            header.network,
            header.data,
            header.method,
            header.lambda1,
            header.lambda2,
            header.validation_error,
            header.parameters_kept or math.nan,
            header.compression,
            header.problem or self._status(header.status),
            self.notes.get(header.path.name, ""),
        ]

    def _status(self, status: str) -> str:
        told = {"training": self.tr("training"), "interrupted": self.tr("interrupted")}
        ended = {"finished": self.tr("finished"), "stopped": self.tr("stopped"), "failed": self.tr("failed")}
        return (told | ended).get(status, status)

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> Any:
        """A cell's text, or the number that it is sorted by."""
        header, column = self.headers[index.row()], index.column()
        value = self.values(header)[column]
        if role == SORT_ROLE:
            return -1.0 if isinstance(value, float) and math.isnan(value) else value
        if role in (_Role.DisplayRole, _Role.EditRole):
            return _text(column, value)
        if role == _Role.ToolTipRole:
            return header.problem or str(header.path)
        if role == _Role.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Names and notes can be edited, rows dragged to another program."""
        plain = super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() in (NAME, NOTE) else plain

    def setData(self, index: _Index, value: Any, role: int = _Role.EditRole) -> bool:
        """Ask for another name, or note something; the folder is read again when that is done."""
        header, text = self.headers[index.row()], str(value).strip()
        if role != _Role.EditRole or text == self.data(index, _Role.EditRole):
            return False
        if index.column() == NAME:
            self.renamed.emit(header.path, text)
        else:
            self.noted.emit(header.path.name, text)
        return True

    def mimeTypes(self) -> list[str]:
        """Files."""
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files of the rows."""
        data, rows = QMimeData(), sorted({index.row() for index in indexes})
        data.setUrls([QUrl.fromLocalFile(str(self.headers[row].path)) for row in rows])
        return data


def _text(column: int, value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return ""
    if column == CREATED:
        return str(value)[:16].replace("T", " ")
    forms = {LAMBDA1: "{:g}", LAMBDA2: "{:g}", ERROR: "{:.2f}", KEPT: "{:,}", COMPRESSION: "{:.1f}×"}
    return forms.get(column, "{}").format(value)
