"""Layers: the table of what was, what is left, and what it adds up to."""

import math
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from sparseviz.gui.theme import Theme, small
from sparseviz.gui.views.base import FittingLabel, View, percent, shape_text, undecided
from sparseviz.snapshot import History, LayerSnapshot, Snapshot, totals

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
COMPRESSION = 5  # the column's number
DISPENSABLE = (6, COMPRESSION)  # columns that go, in turn, where there is no room
PADDING = 8  # pixels of a cell that its text does not use


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: texts as they are shown, and the two numbers that add up."""

    texts: tuple[str, ...]
    before: int
    kept: int
    notes: tuple[str, ...] = ()  # a tooltip for each cell; none: the column's
    total: bool = False


class LayersModel(QAbstractTableModel):
    """A row a layer, then biases, what else there is, and the total."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.columns = (
            (self.tr("Layer"), self.tr("The layer's name; its row counts weights only.")),
            (self.tr("Shape"), self.tr("Output units × inputs, for a convolution × height × width of the kernel.")),
            (self.tr("Before"), self.tr("Parameters before anything is cut.")),
            (self.tr("Kept"), self.tr("Parameters that are left; the bias of a dead unit is not.")),
            (self.tr("Sparsity"), self.tr("The share that is cut.")),
            (self.tr("Compression"), self.tr("How many times fewer parameters are left than there were.")),
            (self.tr("Undecided"), self.tr("The share of the gates that still lie between 0.05 and 0.95.")),
            (self.tr("Dead"), self.tr("Output units that can be removed without changing any output.")),
        )

    def show_snapshot(self, snapshot: Snapshot, parameters: int) -> None:
        """Take the numbers of a snapshot; rows are replaced only when their count changes."""
        rows = [*map(self._layer, snapshot.layers), *self._rest(snapshot, parameters)]
        rows.append(self._total(snapshot, parameters))
        if len(rows) != len(self.rows):
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        self.rows = rows
        self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.columns) - 1))

    def _layer(self, layer: LayerSnapshot) -> Row:
        share = undecided(layer)
        texts = (
            layer.info.name,
            shape_text(layer.info.shape),
            *_numbers(layer.info.weights, layer.kept),
            "–" if math.isnan(share) else f"{percent(share)} %",
            f"{layer.dead_units:,}",
        )
        note = self.tr("{0} % of the kept, {1} % of the cut").format(
            percent(layer.undecided_kept), percent(layer.undecided_cut)
        )
        dead = self.tr("{0:,} of {1:,} output units").format(layer.dead_units, layer.info.rows)
        notes = ("", "", "", "", "", "", "" if math.isnan(share) else note, dead)
        return Row(texts, layer.info.weights, layer.kept, notes)

    def _rest(self, snapshot: Snapshot, parameters: int) -> list[Row]:
        sizes = totals(snapshot, parameters)
        biases = sum(layer.info.biases for layer in snapshot.layers)
        biases_kept = sum(layer.biases_kept for layer in snapshot.layers)
        other, other_kept = sizes.parameters - sizes.weights - biases, sizes.parameters_kept - sizes.weights_kept
        rows = [self._sum_row(self.tr("biases"), biases, biases_kept)]
        if other or other_kept != biases_kept:
            rows.append(self._sum_row(self.tr("other"), other, other_kept - biases_kept))
        return rows

    def _sum_row(self, name: str, before: int, kept: int) -> Row:
        return Row((name, "", *_numbers(before, kept), "", ""), before, kept)

    def _total(self, snapshot: Snapshot, parameters: int) -> Row:
        sizes = totals(snapshot, parameters)
        before, kept, sparsity, _ = _numbers(sizes.parameters, sizes.parameters_kept)
        both = self.tr("{0}\n{1} by weights").format(_ratio(sizes.compression), _ratio(sizes.compression_weights))
        note = self.tr("By all parameters: {0:,} of {1:,} kept.\nBy weights alone: {2:,} of {3:,} kept.").format(
            sizes.parameters_kept, sizes.parameters, sizes.weights_kept, sizes.weights
        )
        dead = f"{sum(layer.dead_units for layer in snapshot.layers):,}"
        texts = (self.tr("Total"), "", before, kept, sparsity, both, "", dead)
        return Row(texts, sizes.parameters, sizes.parameters_kept, ("", "", "", "", "", note, "", ""), total=True)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Rows of the table; a cell has none below it."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Columns of the table."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A column's name, and what it means."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section][0]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.columns[section][1]
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text, tooltip, place or weight."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return row.texts[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (row.notes[column] if row.notes else "", self.columns[column][1])))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.FontRole and row.total:
            font = QFont()  # only what is set here goes over the table's own font
            font.setBold(True)
            return font
        return None


class LayersView(View):
    """The table, read-only; a selection is copied as tab-separated text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LayersModel()
        self.table = CopyTable()
        self.table.setModel(self.model)
        self.table.setAccessibleName(self.tr("Layers, what is left of each"))
        self.table.setAccessibleDescription(self.tr("Select cells and press Ctrl+C to copy them with their headings."))
        self.compressions = FittingLabel(Qt.AlignmentFlag.AlignRight)  # where their column has no room
        self.compressions.setContentsMargins(4, 2, 6, 3)
        self._longest: list[int] = []
        self._needed: list[list[int]] = []  # pixels of each column, in the view's letters and in smaller ones
        self.table.resized.connect(self._share_room)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.table)
        column.addWidget(self.compressions)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Layers")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("Press Train to see what is left of every layer, or open a stored run to see what was.")

    def _draw(self, history: History, position: int) -> None:
        self.model.show_snapshot(history[position], history.parameters)
        sizes = totals(history[position], history.parameters)
        ratios = _ratio(sizes.compression), _ratio(sizes.compression_weights)
        self.compressions.set_texts(
            self.tr("compression {0} by all parameters, {1} by weights").format(*ratios),
            self.tr("compression {0}, {1} by weights").format(*ratios),
            self.tr("{0}, {1} by weights").format(*ratios),
        )
        self._measure()

    def _measure(self) -> None:
        """Find the width of each column when a text has become longer than any before; it is not cheap."""
        longest = [max(len(row.texts[column]) for row in self.model.rows) for column in range(len(self.model.columns))]
        if len(longest) == len(self._longest) and all(map(int.__le__, longest, self._longest)):
            return
        self._longest = longest
        self._needed = [self._widths(font) for font in (self.font(), small(self.font()))]
        self._share_room()

    def _widths(self, font: QFont) -> list[int]:
        bold = QFont(font)
        bold.setBold(True)
        plain, heavy, widths = QFontMetrics(font), QFontMetrics(bold), []
        for number, (heading, _) in enumerate(self.model.columns):
            texts = [heading, *(row.texts[number] for row in self.model.rows[:-1])]
            last = self.model.rows[-1].texts[number].split("\n")
            advances = [*map(plain.horizontalAdvance, texts), *map(heavy.horizontalAdvance, last)]
            widths.append(max(advances) + PADDING)
        return widths

    def _share_room(self) -> None:
        """Show as many columns as there is room for, in smaller letters if it must be, and give them what is left."""
        if not self._needed:
            return
        # With or without a scroll bar, lest the one bring and take the other.
        surely = self.table.width() - 2 * self.table.frameWidth() - self.table.verticalScrollBar().sizeHint().width()
        widths, shown = self._needed[0], list(range(len(self.model.columns)))
        for number in DISPENSABLE:
            if sum(widths[each] for each in shown) > surely:
                shown.remove(number)
        tight = sum(widths[each] for each in shown) > surely
        self.table.setFont(small(self.font()) if tight else self.font())
        self._set_widths(self._needed[tight], shown)
        self.compressions.setVisible(COMPRESSION not in shown)
        self._set_heights(two_lines=COMPRESSION in shown)

    def _set_widths(self, widths: list[int], shown: list[int]) -> None:
        spare = max(self.table.viewport().width() - sum(widths[each] for each in shown), 0)
        for number, needed in enumerate(widths):
            self.table.setColumnHidden(number, number not in shown)
            if number in shown:
                share = spare // (len(shown) - shown.index(number))
                spare -= share
                self.table.setColumnWidth(number, needed + share)

    def _set_heights(self, *, two_lines: bool) -> None:
        line, last = self.table.fontMetrics().lineSpacing(), len(self.model.rows) - 1
        for row in range(last + 1):
            self.table.setRowHeight(row, (2 if two_lines and row == last else 1) * line + 5)

    def _clear(self) -> None:
        self._longest, self._needed = [], []

    def _restyle(self, theme: Theme) -> None:
        """Nothing to do: a table follows the palette by itself."""


class CopyTable(QTableView):
    """A table whose selection Ctrl+C copies; with nothing selected, all of it."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setMinimumSectionSize(20)
        self.verticalHeader().setMinimumSectionSize(10)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell that there is more or less room."""
        super().resizeEvent(event)
        self.resized.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on the system's copy keys."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
            return
        super().keyPressEvent(event)

    def selected_text(self) -> str:
        """The selection, or all, with headings: cells parted by tabs, rows by line ends."""
        model = self.model()
        chosen = {(index.row(), index.column()) for index in self.selectedIndexes()}
        rows = sorted({row for row, _ in chosen} or range(model.rowCount()))
        columns = sorted({column for _, column in chosen} or range(model.columnCount()))
        lines = [[str(model.headerData(column, Qt.Orientation.Horizontal)) for column in columns]]
        for row in rows:
            shown = [not chosen or (row, column) in chosen for column in columns]
            texts = [str(model.index(row, column).data()) for column in columns]
            lines.append([text.replace("\n", ", ") if show else "" for text, show in zip(texts, shown, strict=True)])
        return "\n".join("\t".join(line) for line in lines)


def _numbers(before: int, kept: int) -> tuple[str, str, str, str]:
    """Before, kept, sparsity and compression as they are written."""
    if not before:
        return f"{before:,}", f"{kept:,}", "–", "–"
    return f"{before:,}", f"{kept:,}", f"{percent(1 - kept / before)} %", _ratio(before / kept if kept else math.inf)


def _ratio(ratio: float) -> str:
    return "∞" if math.isinf(ratio) else f"{ratio:,.1f}×"


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column < 2 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
