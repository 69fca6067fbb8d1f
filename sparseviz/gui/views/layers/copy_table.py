"""A table whose cells can be copied as text for other programs."""

import csv
import io
import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView

Lines = Sequence[Sequence[str]]  # the headings first


def as_tabs(lines: Lines) -> str:
    """Cells parted by tabs, rows by line ends: what a spreadsheet takes."""
    return "\n".join("\t".join(line) for line in lines)


def as_csv(lines: Lines) -> str:
    """Comma-separated values, quoted where they must be; numbers without their thousands' commas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_bare(cell) for cell in line] for line in lines])
    return text.getvalue()


def as_markdown(lines: Lines) -> str:
    """A table with pipes."""
    head, *rows = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ["---"] * len(head), *rows])


def as_latex(lines: Lines) -> str:
    """A tabular with booktabs' rules."""
    head, *rows = [" & ".join(map(_escaped, line)) + r" \\" for line in lines]
    columns = "ll" + "r" * (len(lines[0]) - 2)
    parts = [rf"\begin{{tabular}}{{{columns[: len(lines[0])]}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([*parts, r"\end{tabular}"]) + "\n"


def _bare(cell: str) -> str:
    return cell.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", cell) else cell


def _escaped(cell: str) -> str:
    return re.sub(r"([%&_#$])", r"\\\1", cell).replace("×", r"$\times$").replace("–", "--").replace("∞", r"$\infty$")


class CopyTable(QTableView):
    """Ctrl+C copies the selection, or all where nothing is selected; the context menu also in other forms.

    A click on a heading sorts, a third one brings the first order back.
    """

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
        self.verticalHeader().setMinimumSectionSize(10)
        heading = self.horizontalHeader()
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        heading.setHighlightSections(False)
        heading.setMinimumSectionSize(20)
        heading.setSortIndicatorClearable(True)
        heading.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell that there is more or less room."""
        super().resizeEvent(event)
        self.resized.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on the system's copy keys."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy(as_tabs)
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the forms in which cells can be copied."""
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """The forms in which cells can be copied."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        texts = {
            as_tabs: self.tr("&Copy"),
            as_csv: self.tr("Copy as CS&V"),
            as_markdown: self.tr("Copy as &Markdown"),
            as_latex: self.tr("Copy as &LaTeX"),
        }
        for form, text in texts.items():
            menu.addAction(text).triggered.connect(lambda *_, form=form: self.copy(form))
        menu.addSeparator()
        menu.addActions(self._outer_actions())
        return menu

    def _outer_actions(self) -> list[QAction]:
        """What a right click offers in the view around the table."""
        widget = self.parentWidget()
        while widget is not None and not widget.isWindow() and not widget.actions():
            widget = widget.parentWidget()
        return widget.actions() if widget is not None else []

    def copy(self, form: Callable[[Lines], str]) -> None:
        """Put the selection, or all, with headings on the clipboard."""
        QGuiApplication.clipboard().setText(form(self.selected()))

    def selected(self) -> list[list[str]]:
        """The selection, or all, with headings; cells that are not selected among those that are stay empty."""
        model = self.model()
        chosen = {(index.row(), index.column()) for index in self.selectedIndexes()}
        rows = sorted({row for row, _ in chosen} or range(model.rowCount()))
        columns = sorted({column for _, column in chosen} or range(model.columnCount()))
        lines = [[str(model.headerData(column, Qt.Orientation.Horizontal)) for column in columns]]
        for row in rows:
            shown = [not chosen or (row, column) in chosen for column in columns]
            texts = [str(model.index(row, column).data()) for column in columns]
            lines.append([text.replace("\n", ", ") if show else "" for text, show in zip(texts, shown, strict=True)])
        return lines
