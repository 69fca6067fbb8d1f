"""The rows of the layer table: texts as they are shown, and what they are sorted by."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, Qt
from PySide6.QtGui import QFont

from sparseviz.gui.qt.item_model import NOWHERE, Index
from sparseviz.gui.views.base import Table, percent, shape_text, undecided
from sparseviz.gui.views.layer_filter import matches
from sparseviz.values.snapshot import LayerSnapshot, Snapshot, totals


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: texts as they are shown, and the two numbers that add up."""

    texts: tuple[str, ...]
    before: int
    kept: int
    keys: tuple[str | float, ...] = ()  # what a layer's row is sorted by, one a column; none: the row stays below
    notes: tuple[str, ...] = ()  # a tooltip for each cell; none: the column's
    total: bool = False

    def cell(self, column: int) -> tuple[str, str, bool]:
        """All that a cell shows."""
        return self.texts[column], self.notes[column] if self.notes else "", self.total


class LayersModel(QAbstractTableModel):
    """A row a layer, then biases, what else there is, and the total."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._layers: list[Row] = []  # in the network's order
        self._sums: list[Row] = []  # below them
        self._pattern = ""  # of the names shown
        self._order: tuple[int, bool] | None = None  # the column to sort by, and whether the largest comes first
        self.columns = (
            (self.tr("Layer"), self.tr("The layer's name; its row counts weights only.")),
            (self.tr("Shape"), self.tr("Output units × inputs, for a convolution × height × width of the kernel.")),
            (self.tr("Before"), self.tr("Parameters before anything is cut.")),
            (self.tr("Kept"), self.tr("Parameters that are left; the bias of a dead unit is not.")),
            (self.tr("Sparsity"), self.tr("The share that is cut.")),
            (self.tr("Compression"), self.tr("How many times fewer parameters are left than there were.")),
            (self.tr("Undecided"), self.tr("The share of the gates that still lie between 0.05 and 0.95.")),
            (self.tr("Dead"), self.tr("Output units that can be removed without changing any output.")),
            (self.tr("Mult-adds"), self.tr("Multiplications by a kept weight, each with an addition, for one input.")),
        )

    def show_snapshot(self, snapshot: Snapshot, parameters: int) -> None:
        """Take the numbers of a snapshot; rows are replaced only when their count changes."""
        self._layers = list(map(self._layer, snapshot.layers))
        self._sums = [*self._rest(snapshot, parameters), self._total(snapshot, parameters)]
        self._show_rows()

    def show_only(self, pattern: str) -> tuple[int, int]:
        """Leave out the layers whose names do not pass, now and in every snapshot to come; the sums stay those of all.

        How many are shown, and of how many.
        """
        self._pattern = pattern
        self._show_rows()
        return len(self.rows) - len(self._sums), len(self._layers)

    def _show_rows(self) -> None:
        rows, before = [*self._sorted(), *self._sums], self.rows
        if len(rows) != len(before):
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        self.rows = rows
        for number, (row, old) in enumerate(zip(rows, before, strict=True)):
            changed = [at for at in range(len(self.columns)) if row.cell(at) != old.cell(at)]
            if changed:  # of a row few cells change from snapshot to snapshot, mostly side by side
                self.dataChanged.emit(self.index(number, changed[0]), self.index(number, changed[-1]))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the layers by a column, now and in every snapshot to come; below 0: the network's own order."""
        self._order = (column, order == Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self._show_rows()

    def _sorted(self) -> list[Row]:
        shown = [row for row in self._layers if matches(row.texts[0], self._pattern)]
        if self._order is None:
            return shown
        column, falling = self._order
        return sorted(shown, key=lambda row: row.keys[column], reverse=falling)

    def _layer(self, layer: LayerSnapshot) -> Row:
        share = undecided(layer)
        texts = (
            layer.info.name,
            shape_text(layer.info.shape),
            *_numbers(layer.info.weights, layer.kept),
            "–" if math.isnan(share) else f"{percent(share)} %",
            f"{layer.dead_units:,}",
            _work([layer]),
        )
        note = self.tr("{0} % of the kept, {1} % of the cut").format(
            percent(layer.undecided_kept), percent(layer.undecided_cut)
        )
        dead = self.tr("{0:,} of {1:,} output units").format(layer.dead_units, layer.info.rows)
        before = self.tr("{0:,} before anything is cut").format(layer.info.multiply_adds)
        before = before if layer.info.multiply_adds else self.tr("The file does not tell the size of its inputs.")
        notes = ("", "", "", "", "", "", "" if math.isnan(share) else note, dead, before)
        return Row(texts, layer.info.weights, layer.kept, _keys(layer), notes)

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
        return Row((name, "", *_numbers(before, kept), "", "", ""), before, kept)

    def _total(self, snapshot: Snapshot, parameters: int) -> Row:
        sizes = totals(snapshot, parameters)
        before, kept, sparsity, _ = _numbers(sizes.parameters, sizes.parameters_kept)
        both = self.tr("{0}\n{1} by weights").format(
            ratio_text(sizes.compression), ratio_text(sizes.compression_weights)
        )
        note = self.tr("By all parameters: {0:,} of {1:,} kept.\nBy weights alone: {2:,} of {3:,} kept.").format(
            sizes.parameters_kept, sizes.parameters, sizes.weights_kept, sizes.weights
        )
        dead = f"{sum(layer.dead_units for layer in snapshot.layers):,}"
        work = _work(snapshot.layers)
        texts = (self.tr("Total"), "", before, kept, sparsity, both, "", dead, work)
        notes = ("", "", "", "", "", note, "", "", "")
        return Row(texts, sizes.parameters, sizes.parameters_kept, (), notes, total=True)

    def table(self) -> Table:
        """The rows with all their digits, as they are sorted; the last one counts weights alone."""
        names = [name for name, _ in self.columns]
        heads = [*names[:4], f"{names[4]} %", names[5], f"{names[6]} %", *names[7:]]
        weights = sum(row.before for row in self._layers), sum(row.kept for row in self._layers)
        last = Row((self.tr("Total of weights"), ""), *weights)
        return [heads, *map(_values, [*self.rows, last])]

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Rows of the table; a cell has none below it."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
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

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
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


def _keys(layer: LayerSnapshot) -> tuple[str | float, ...]:
    """What the columns are sorted by; what has no value comes before all that has."""
    share, weights = undecided(layer), layer.info.weights
    work = _multiply_adds(layer) if layer.info.multiply_adds else -1
    compression = weights / layer.kept if layer.kept else math.inf
    sizes = (weights, weights, layer.kept, 1 - layer.kept / weights if weights else -1.0, compression)
    return (layer.info.name, *sizes, -1.0 if math.isnan(share) else share, layer.dead_units, work)


def _values(row: Row) -> list[str | int | float]:
    """A row's numbers; NaN where there is none."""
    sparsity = 100 * (1 - row.kept / row.before) if row.before else math.nan
    compression = row.before / row.kept if row.kept else math.inf if row.before else math.nan
    share, *counts = row.keys[6:] if row.keys else (math.nan,) * 3
    undecided_ = 100 * share if isinstance(share, float) and share >= 0 else math.nan
    known = [math.nan if isinstance(count, int) and count < 0 else count for count in counts]
    return [*row.texts[:2], row.before, row.kept, sparsity, compression, undecided_, *known]


def _multiply_adds(layer: LayerSnapshot) -> int:
    """Those that are left: every weight of a layer takes part in equally many."""
    return layer.info.multiply_adds * layer.kept // max(layer.info.weights, 1)


def _work(layers: Iterable[LayerSnapshot]) -> str:
    """Multiply-adds of all the layers as they are written; a dash where one is not known."""
    found = list(layers)
    return f"{sum(map(_multiply_adds, found)):,}" if all(layer.info.multiply_adds for layer in found) else "–"


def _numbers(before: int, kept: int) -> tuple[str, str, str, str]:
    """Before, kept, sparsity and compression as they are written."""
    if not before:
        return f"{before:,}", f"{kept:,}", "–", "–"
    return (
        f"{before:,}",
        f"{kept:,}",
        f"{percent(1 - kept / before)} %",
        ratio_text(before / kept if kept else math.inf),
    )


def ratio_text(ratio: float) -> str:
    """A compression as it is written."""
    return "∞" if math.isinf(ratio) else f"{ratio:,.1f}×"


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column < 2 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
