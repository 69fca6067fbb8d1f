"""What an export has given: its report, and the script that runs the file, each to be read and copied."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication, QTextOption
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from sparseviz.gui.dialogs.export.rich_text import rich_text
from sparseviz.gui.qt.theme import theme_of

if TYPE_CHECKING:
    from sparseviz.export import ExportReport


class ReportPage(QWidget):
    """The report of an export, or why there is none."""

    copied = Signal(str)  # in words

    def __init__(self) -> None:
        super().__init__()
        self.report: ExportReport | None = None
        self.text = QTextBrowser()
        self.text.setAccessibleName(self.tr("Report of the export"))
        self.text.setWordWrapMode(QTextOption.WrapMode.WordWrap)  # a number in a narrow table is not broken
        self.show_folder = QPushButton(self.tr("Show in fol&der"), autoDefault=False)
        self.show_folder.setToolTip(self.tr("Open the folder in which the file is"))
        self.copy = QPushButton(self.tr("Copy as &Markdown"), autoDefault=False)
        self.copy.setToolTip(self.tr("Copy the report as it is written beside the file"))
        self.show_folder.clicked.connect(self._show_folder)
        self.copy.clicked.connect(self._copy)
        _stack(self, self.text, self.show_folder, self.copy)
        self.clear()

    def show_report(self, report: ExportReport) -> None:
        """Show what was written and how it is known to be right."""
        from sparseviz.export.sections import sections  # noqa: PLC0415  # it is there by then

        self.report = report
        self.text.setHtml(rich_text(sections(report, self.tr), theme_of(self.palette())))
        self._offer()

    def show_failure(self, error: str, advice: str, details: str = "") -> None:
        """Show what went wrong and what to do; `details` is for who wants to see more, such as a traceback."""
        self.report = None
        parts = [f"<p>{escape(part)}</p>" for part in (error, advice) if part]
        self.text.setHtml("".join(parts) + (f"<pre>{escape(details)}</pre>" if details else ""))
        self._offer()

    def clear(self) -> None:
        """Show what will be here."""
        self.report = None
        text = self.tr(
            "The report appears here: whether the file is proven to answer as the trained network does, how much "
            "smaller and faster it is than the dense one, and what was removed. Choose on the left, then Export."
        )
        self.text.setHtml(f"<p>{escape(text)}</p>")  # a placeholder would not be wrapped
        self._offer()

    def _offer(self) -> None:
        for button in (self.show_folder, self.copy):
            button.setEnabled(self.report is not None)

    @Slot()
    def _show_folder(self) -> None:
        if self.report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.report.path.parent)))

    @Slot()
    def _copy(self) -> None:
        if self.report is not None:
            from sparseviz.export import as_markdown  # noqa: PLC0415  # it is there by then

            QGuiApplication.clipboard().setText(as_markdown(self.report))
            self.copied.emit(self.tr("The report is copied as Markdown."))

    def changeEvent(self, event: QEvent) -> None:
        """Write the report anew in the colours of a new palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.report is not None:
            self.show_report(self.report)


class ScriptPage(QWidget):
    """The script that was written beside the file."""

    copied = Signal(str)  # in words

    def __init__(self) -> None:
        super().__init__()
        self.text = QPlainTextEdit(readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(self.tr("Script that runs the file"))
        self.text.setPlaceholderText(
            self.tr("Ten lines of Python that run the file on an image appear here, if that is chosen on the left.")
        )
        self.how = QLabel(wordWrap=True)
        self.copy = QPushButton(self.tr("Cop&y script"), autoDefault=False)
        self.copy.setToolTip(self.tr("Copy the script as it is written beside the file"))
        self.copy.clicked.connect(self._copy)
        _stack(self, self.text, self.how, self.copy)
        self.show_report(None)

    def show_report(self, report: ExportReport | None) -> None:
        """Show the script of this export, if it has one."""
        path = report.options.companions(report.path).get("script") if report else None
        self.text.setPlainText(path.read_text(encoding="utf-8") if path and path.is_file() else "")
        told = self.tr("Run: python {0} IMAGE. It needs onnxruntime, numpy and Pillow, and an image as in training.")
        self.how.setText(told.format(path.name) if path else "")
        self.copy.setEnabled(bool(self.text.toPlainText()))

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copied.emit(self.tr("The script is copied."))


def _stack(page: QWidget, text: QWidget, *below: QWidget) -> None:
    """A text, and a row of what can be done with it."""
    row = QHBoxLayout()
    for widget in below:
        row.addWidget(widget, isinstance(widget, QLabel))
    if not any(isinstance(widget, QLabel) for widget in below):
        row.addStretch(1)
    column = QVBoxLayout(page)
    column.addWidget(text, 1)
    column.addLayout(row)
