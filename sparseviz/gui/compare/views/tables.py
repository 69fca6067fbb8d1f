"""Tables with a column, or some, for every run: the layers, and the runs themselves."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sparseviz.gui.compare.views.base import CompareView, RunLegend
from sparseviz.gui.compare.views.subject import Subject
from sparseviz.gui.qt.item_model import NOWHERE, Index
from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.base import Table, percent, shape_text
from sparseviz.gui.views.layers.copy_table import CopyTable
from sparseviz.gui.views.layers.model import ratio_text

_WIDEST = 260  # pixels of a column, unless a person pulls it wider
ABSENT = "–"

Cell = tuple[str, str | int | float]  # as it is shown, and the value
Key = tuple[str, tuple[int, ...]]  # a layer's name and shape


class GridModel(QAbstractTableModel):
    """Cells with headings; the last rows may be totals, written bold."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: list[str] = []
        self.rows: list[list[Cell]] = []
        self._texts = 1  # columns from the left that are words
        self._bold = 0

    def fill(self, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, texts: int, bold: int = 0) -> None:
        """Show these; the first `texts` columns are words, the last `bold` rows totals."""
        self.beginResetModel()
        self.heads, self.rows, self._texts, self._bold = list(heads), [list(row) for row in rows], texts, bold
        self.endResetModel()

    def table(self) -> Table:
        """The values with all their digits."""
        return [self.heads, *([value for _, value in row] for row in self.rows)]

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Rows of the table; a cell has none below it."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Columns of the table."""
        return 0 if parent.isValid() else len(self.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A column's heading."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text, place or weight."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.rows[index.row()][index.column()][0]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(index.column())
        if role == Qt.ItemDataRole.FontRole and index.row() >= len(self.rows) - self._bold:
            font = QFont()  # only what is set here goes over the table's own font
            font.setBold(True)
            return font
        return None

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if column < self._texts else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter


class TableTab(CompareView):
    """A table that can be copied; a variant fills the model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model, self.sheet, self.legend = GridModel(), CopyTable(), RunLegend()
        self.sheet.setModel(self.model)
        self.sheet.setAccessibleName(self.title())
        self.sheet.setAccessibleDescription(
            self.tr("Ctrl+C copies the selection, the context menu also as CSV, Markdown or LaTeX.")
        )
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2)
        self.column.addWidget(self.legend)
        self.column.addWidget(self.sheet, 1)

    def keys(self) -> list[tuple[str, str]]:
        """Those of the table."""
        return [
            (self.tr("copy the selected cells, or all"), "Ctrl+C"),
            (self.tr("move from cell to cell; with Shift, select"), self.tr("arrow keys")),
        ]

    def table(self) -> Table:
        """The values with all their digits."""
        return [] if self.is_empty() else self.model.table()

    def _draw(self) -> None:
        self.legend.show_runs(self.runs)
        if self.runs:
            self._fill()
            self.sheet.resizeColumnsToContents()
            for column in range(self.model.columnCount()):
                self.sheet.setColumnWidth(column, min(self.sheet.columnWidth(column) + 6, _WIDEST))
            self.sheet.resizeRowsToContents()

    def _fill(self) -> None:
        raise NotImplementedError

    def _restyle(self, theme: Theme) -> None:
        self.legend.restyle(theme)


class LayersTab(TableTab):
    """A row a layer, and for every run what is left of it at the end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.choice = QComboBox()
        super().__init__(parent)
        measures = (self.tr("kept"), self.tr("sparsity"), self.tr("compression"), self.tr("dead units"))
        for text, parts in ((", ".join(measures[:3]), (0, 1, 2)), *((name, (at,)) for at, name in enumerate(measures))):
            self.choice.addItem(text, parts)
        self._measures = (measures[0], f"{measures[1]} %", *measures[2:])
        self.choice.setAccessibleName(self.tr("What is told of every layer"))
        self.choice.setToolTip(self.choice.accessibleName())
        self.choice.currentIndexChanged.connect(self._draw)
        row, label = QHBoxLayout(), QLabel(self.tr("Show"))
        row.setContentsMargins(6, 4, 6, 0)
        label.setBuddy(self.choice)
        row.addWidget(label)
        row.addWidget(self.choice)
        row.addStretch(1)
        self.column.insertLayout(0, row)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Layers of all runs")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("What every run keeps of every layer appears here: add runs (Ctrl+O), or drop files.")

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "Two methods can keep equally many weights and yet in other layers: see which of them spares the first and "
            "the last layer, where a weight is dear. A layer that one run leaves whole is one that its method did not "
            "reach."
        )

    def _fill(self) -> None:
        parts = self.choice.currentData()
        heads = [self.tr("Layer"), self.tr("Shape"), self.tr("Weights")]
        heads += [f"{run.number} {self._measures[part]}" for run in self.runs for part in parts]
        rows = [self._row(key, parts) for key in self._keys()]
        rows += [self._total(parts, weights=True), self._total(parts, weights=False)]
        self.model.fill(heads, rows, texts=2, bold=2)

    def _keys(self) -> list[Key]:
        """Every layer of any run, once."""
        infos = [layer.info for run in self.runs for layer in run.history[-1].layers]
        return list(dict.fromkeys((info.name, info.shape) for info in infos))

    def _row(self, key: Key, parts: Sequence[int]) -> list[Cell]:
        name, shape = key
        weights = math.prod(shape)
        row: list[Cell] = [(name, name), (shape_text(shape), shape_text(shape)), (f"{weights:,}", weights)]
        for run in self.runs:
            layer = run.layer(name, len(run.history) - 1)
            there = layer is not None and layer.info.shape == shape
            cells = _cells(weights, layer.kept, layer.dead_units) if layer is not None and there else [(ABSENT, "")] * 4
            row += [cells[part] for part in parts]
        return row

    def _total(self, parts: Sequence[int], *, weights: bool) -> list[Cell]:
        """Of all weights, or of all parameters; the size stands in the row where it is the same in all runs."""
        name = self.tr("Total of weights") if weights else self.tr("Total of parameters")
        sizes = [run.totals() for run in self.runs]
        before = [size.weights if weights else size.parameters for size in sizes]
        same = len(set(before)) == 1
        row: list[Cell] = [(name, name), ("", ""), (f"{before[0]:,}", before[0]) if same else ("", "")]
        for run, size, all_ in zip(self.runs, sizes, before, strict=True):
            dead = sum(layer.dead_units for layer in run.history[-1].layers)
            cells = _cells(all_, size.weights_kept if weights else size.parameters_kept, dead)
            row += [cells[part] for part in parts]
        return row


def _cells(weights: int, kept: int, dead: int) -> list[Cell]:
    """Kept, sparsity, compression and dead units of so many weights."""
    sparsity = 1 - kept / weights if weights else math.nan
    ratio = weights / kept if kept else math.inf
    shown = ABSENT if math.isnan(sparsity) else f"{percent(sparsity)} %"
    return [(f"{kept:,}", kept), (shown, 100 * sparsity), (ratio_text(ratio), ratio), (f"{dead:,}", dead)]


class RunsTab(TableTab):
    """A column a run: what it is, how it ended, and every setting in which the runs differ."""

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Runs and how they differ")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "What the runs are, how they ended and in which settings they differ appears here: add runs (Ctrl+O), or "
            "drop files."
        )

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "Two methods can be told apart only where everything else is the same: below the results stand all the "
            "settings in which these runs differ, and no others. One row more than the method and its own settings "
            "is another explanation for what the curves show."
        )

    def _fill(self) -> None:
        facts = [self._facts(run) for run in self.runs]
        rows = [[(name, name), *(fact[name] for fact in facts)] for name in facts[0]]
        for name in self._differing():
            texts = [run.settings.get(name, ABSENT) for run in self.runs]
            rows.append([(name, name), *((text, text) for text in texts)])
        self.model.fill(["", *(run.label for run in self.runs)], rows, texts=1)

    def _facts(self, run: Subject) -> dict[str, Cell]:
        sizes, validation = run.totals(), [e for e in run.history.scalar("validation_error") if math.isfinite(e)]
        quantities = ", ".join(dict.fromkeys(layer.info.quantity.name for layer in run.history[-1].layers))
        texts = {
            self.tr("network, data"): f"{run.network}, {run.data}",
            self.tr("method"): run.method,
            self.tr("decides by"): quantities,
            self.tr("status"): run.status,
        }
        found: dict[str, Cell] = {name: (text, text) for name, text in texts.items()}
        found[self.tr("epochs done")] = (f"{run.history[-1].epoch:.4g}", run.history[-1].epoch)
        found[self.tr("validation error %")] = _number(validation[-1] if validation else math.nan)
        found[self.tr("test error %")] = _number(run.errors.test)
        found[self.tr("parameters kept")] = (f"{sizes.parameters_kept:,}", sizes.parameters_kept)
        found[self.tr("compression")] = (ratio_text(sizes.compression), sizes.compression)
        found[self.tr("compression by weights")] = (ratio_text(sizes.compression_weights), sizes.compression_weights)
        return found

    def _differing(self) -> list[str]:
        names = dict.fromkeys(name for run in self.runs for name in run.settings)
        return [name for name in names if len({run.settings.get(name) for run in self.runs}) > 1]


def _number(value: float) -> Cell:
    return (ABSENT, "") if math.isnan(value) else (f"{value:.2f}", value)
