"""Layers: the table of what was, what is left, and what it adds up to."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel, Table, View
from sparseviz.gui.views.layer_filter import MANY, LayerFilter
from sparseviz.gui.views.layers.copy_table import CopyTable
from sparseviz.gui.views.layers.model import LayersModel, ratio_text
from sparseviz.values.history import History
from sparseviz.values.snapshot import totals

COMPRESSION = 5  # the column's number
UNDECIDED = 6
DISPENSABLE = (8, UNDECIDED, COMPRESSION)  # columns that go, in turn, where there is no room
PADDING = 8  # pixels of a cell that its text does not use


class LayersView(View):
    """The table, read-only; a selection is copied as tab-separated text."""

    gated = True  # whether anything is said of gates

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LayersModel()
        self.sheet = CopyTable()
        self.sheet.setModel(self.model)
        self.sheet.setSortingEnabled(True)
        self.sheet.setAccessibleName(self.tr("Layers, what is left of each"))
        self.sheet.setAccessibleDescription(
            self.tr("Ctrl+C copies the selection, the context menu also as CSV, Markdown or LaTeX; headings sort.")
        )
        self.compressions = FittingLabel(Qt.AlignmentFlag.AlignRight)  # where their column has no room
        self.compressions.setContentsMargins(4, 2, 6, 3)
        self._longest: list[int] = []
        self._needed: list[list[int]] = []  # pixels of each column, in the view's letters and in smaller ones
        self.sheet.resized.connect(self._share_room)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._new_finder())
        column.addWidget(self.sheet)
        column.addWidget(self.compressions)

    def _new_finder(self) -> QWidget:
        """A line to find layers by name; there where they are many, or on Ctrl+F."""
        self.filter, self.found = LayerFilter(), FittingLabel()
        self.filter.textChanged.connect(self._filter)
        self.finder = QWidget()
        self.finder.hide()
        row = QHBoxLayout(self.finder)
        row.setContentsMargins(6, 2, 6, 2)
        row.addWidget(self.filter, 3)
        row.addWidget(self.found, 2)
        return self.finder

    def _filter(self) -> None:
        shown, layers = self.model.show_only(self.filter.text().strip())
        some = self.tr("{0} of {1}").format(shown, layers)
        self.found.set_texts(*((self.tr("{0} layers").format(some), some) if self.filter.text() else ("",)))
        self._share_room()

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Layers")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("Press Train to see what is left of every layer, or open a stored run to see what was.")

    def lesson(self) -> str:
        """What the table teaches."""
        if not self.gated:
            return self.tr(
                "Every row is a layer: its weights before, those that are kept, and how many times fewer that makes. "
                "A method that cuts by one threshold for all layers empties some of them more than others: look where "
                "the network needs its weights, and which units died with them."
            )
        return self.tr(
            "Every row is a layer: its weights before, those that are kept because their gate is at 0.5 or above, and "
            "how many times fewer that makes. While many gates are undecided the masks can still change: a higher λ₁, "
            "or the phase 'decide', sends them to 0 or 1 before the masks freeze."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the table."""
        return [
            (self.tr("copy the selected cells, or all"), "Ctrl+C"),
            (self.tr("move from cell to cell; with Shift, select"), self.tr("arrow keys")),
            (self.tr("filter the layers by name; Esc shows all"), "Ctrl+F"),
        ]

    def table(self) -> Table:
        """The rows with all their digits, in the order shown."""
        return [] if self.is_empty() else self.model.table()

    def _draw(self, history: History, position: int) -> None:
        self.model.show_snapshot(history[position], history.parameters)
        self.finder.setVisible(len(history[position].layers) >= MANY or bool(self.filter.text()))
        gated = any(layer.info.quantity.is_gate for layer in history[position].layers)
        if gated != self.gated:
            self.gated = gated
            self._longest = []  # the table has other columns
            self.rename()
        sizes = totals(history[position], history.parameters)
        ratios = ratio_text(sizes.compression), ratio_text(sizes.compression_weights)
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
        surely = self.sheet.width() - 2 * self.sheet.frameWidth() - self.sheet.verticalScrollBar().sizeHint().width()
        every = range(len(self.model.columns))
        widths, shown = self._needed[0], [each for each in every if each != UNDECIDED or self.gated]
        for number in filter(shown.__contains__, DISPENSABLE):
            if sum(widths[each] for each in shown) > surely:
                shown.remove(number)
        tight = sum(widths[each] for each in shown) > surely
        self.sheet.setFont(small(self.font()) if tight else self.font())
        self._set_widths(self._needed[tight], shown)
        self.compressions.setVisible(COMPRESSION not in shown)
        self._set_heights(two_lines=COMPRESSION in shown)

    def _set_widths(self, widths: list[int], shown: list[int]) -> None:
        spare = max(self.sheet.viewport().width() - sum(widths[each] for each in shown), 0)
        for number, needed in enumerate(widths):
            self.sheet.setColumnHidden(number, number not in shown)
            if number in shown:
                share = spare // (len(shown) - shown.index(number))
                spare -= share
                self.sheet.setColumnWidth(number, needed + share)

    def _set_heights(self, *, two_lines: bool) -> None:
        line, last = self.sheet.fontMetrics().lineSpacing(), len(self.model.rows) - 1
        for row in range(last + 1):
            self.sheet.setRowHeight(row, (2 if two_lines and row == last else 1) * line + 5)

    def _clear(self) -> None:
        self._longest, self._needed = [], []

    def _restyle(self, theme: Theme) -> None:
        """A table follows the palette by itself."""
        mute(self.found, theme)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Find a layer, or see all again."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.finder.show()
            self.filter.begin()
        elif event.key() == Qt.Key.Key_Escape and self.filter.text():
            self.filter.clear()
        else:
            super().keyPressEvent(event)
