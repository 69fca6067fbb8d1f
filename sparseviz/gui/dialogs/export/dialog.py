"""The export dialog: choices, an export beside the window that can be given up, and what it gave."""

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sparseviz.config import InputError
from sparseviz.config.own_code import Untrusted
from sparseviz.export import ExportOptions
from sparseviz.gui.dialogs import trust
from sparseviz.gui.dialogs.export.name import ExportName
from sparseviz.gui.dialogs.export.options import ExportChoices
from sparseviz.gui.dialogs.export.report import ReportPage, ScriptPage
from sparseviz.gui.dialogs.export.work import ExportWork
from sparseviz.gui.qt.inbox import Inbox

if TYPE_CHECKING:
    from sparseviz.export import ExportReport

ROOMY = QSize(1060, 680)  # the largest size to begin with
LOOK_MS = 100  # between two looks at the stage


class ExportDialog(QDialog):
    """Asks what to write and where to, exports a run's newest checkpoint, and shows what was proven."""

    manual_asked = Signal()  # by F1

    def __init__(self, run: Path, parent: QWidget | None = None, *, grows: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export to ONNX"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._run, self._grows = run, grows
        self._work: ExportWork | None = None
        self._inbox = Inbox(self)
        self._clock = QTimer(self, interval=LOOK_MS)
        self._make()
        self._lay_out()
        self._connect()
        self._set_busy(False)
        QShortcut(QKeySequence(Qt.Key.Key_F1), self).activated.connect(self.manual_asked)
        self.resize(ROOMY.boundedTo(parent.size()) if parent else ROOMY)

    def _make(self) -> None:
        self.choices = ExportChoices()
        self.name = ExportName(self._run, self.choices)
        self.report, self.script = ReportPage(), ScriptPage()
        self.tabs = QTabWidget()
        self.progress = QProgressBar()
        self.progress.setAccessibleName(self.tr("Progress of the export"))
        self.progress.setFormat("%v / %m")
        self.stage = QLabel(wordWrap=True)
        self.cancel = QPushButton(self.tr("C&ancel"), autoDefault=False)
        self.cancel.setToolTip(self.tr("Give the export up; no file is left"))
        self.export = QPushButton(self.tr("&Export"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)

    def _lay_out(self) -> None:
        self.buttons.addButton(self.export, QDialogButtonBox.ButtonRole.ActionRole)
        self.tabs.addTab(self.report, self.tr("Report"))
        self.tabs.addTab(self.script, self.tr("Script"))
        self.tabs.setAccessibleName(self.tr("What the export gave"))
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.choices)
        scroll.setMinimumWidth(self.choices.sizeHint().width() + scroll.verticalScrollBar().sizeHint().width())
        splitter = QSplitter(childrenCollapsible=False)
        for part in (scroll, self.tabs):
            splitter.addWidget(part)
        splitter.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(self._told_run(), wordWrap=True))
        column.addWidget(self.name)
        column.addWidget(splitter, 1)
        column.addWidget(self.stage)
        row = QHBoxLayout()
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel)
        column.addLayout(row)
        column.addWidget(self.buttons)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.export.setDefault(True)

    def _told_run(self) -> str:
        if not self._grows:
            return self.tr("The newest checkpoint of {0}").format(self._run)
        return self.tr(
            "The newest checkpoint of {0}, which is still being written: what trains on after that checkpoint is not "
            "in the file."
        ).format(self._run)

    def _connect(self) -> None:
        self.export.clicked.connect(self.start)
        self.cancel.clicked.connect(self.give_up)
        self.buttons.rejected.connect(self.reject)
        self._clock.timeout.connect(self._show_stage)
        for page in (self.report, self.script):
            page.copied.connect(self.stage.setText)

    # The export.

    @Slot()
    def start(self) -> None:
        """Export in the background, unless a file of that name is there."""
        if self._work is not None:
            return
        if self.name.is_refused():
            self._rest(self.tr("✗ Not exported; no file was written."), done=False)
            return
        self.choices.remember()
        self.report.clear()
        self.script.show_report(None)
        work = self._work = ExportWork(self._run, self.name.path(), self.choices.options())
        self._inbox.ask(
            work.answer,
            self._show_report,
            partial(self._fail, work),
            untrusted=partial(self._ask_to_trust, work),
            cancelled=self._tell_given_up,
        )
        self.progress.setRange(0, len(work.stages))
        self._set_busy(True)
        self._show_stage()

    @Slot()
    def give_up(self) -> None:
        """End the export before its next stage."""
        if self._work is not None:
            self._work.give_up()
            self._show_stage()

    @Slot()
    def _show_stage(self) -> None:
        if (work := self._work) is None:
            return
        texts = {
            "": self.tr("Waiting for an export that ends…"),
            "network": self.tr("Building the network from the checkpoint…"),
            "onnx": self.tr("Writing ONNX…"),
            "proof": self.tr("Running onnxruntime beside torch…"),
            "latency": self.tr("Measuring latency beside the dense file…"),
            "files": self.tr("Giving the files their names…"),
        }
        done = work.stages.index(work.stage) if work.stage else 0
        self.progress.setValue(done)
        self.cancel.setEnabled(not work.is_given_up)
        told = self.tr("Giving up when this has ended: {0}") if work.is_given_up else "{0}"
        seconds = self.tr(" {0} s").format(work.seconds) if work.seconds else ""
        self.stage.setText(told.format(texts[work.stage]) + seconds)

    def _end(self) -> None:
        self._work = None
        self._set_busy(False)
        self.export.setFocus()

    def _tell_given_up(self) -> None:
        self._end()
        self._rest(self.tr("Given up; no file was written."), done=False)

    def _fail(self, work: ExportWork, error: Exception) -> None:
        self._end()
        if isinstance(error, InputError):
            self._show_failure(work, str(error))
        else:
            self._show_failure(work, self.tr("This is a fault of sparseviz: {0}").format(error), _trace(error))

    def _ask_to_trust(self, work: ExportWork, error: Untrusted) -> None:
        self._fail(work, error)
        trust.ask(self, error, self.start, insists=True)

    def _show_report(self, report: ExportReport) -> None:
        self._end()
        self.report.show_report(report)
        self.script.show_report(report)
        names = ", ".join(path.name for path in report.files)
        beside = self.tr(" — beside it: {0}").format(names) if names else ""
        self._rest(self.tr("✓ Proven and written: {0}").format(report.path) + beside, done=True)
        self.report.text.setFocus()

    def _show_failure(self, work: ExportWork, text: str, details: str = "") -> None:
        self.report.show_failure(text, self._advice(work.options), details)
        self.tabs.setCurrentWidget(self.report)
        if work.out.exists():  # but what belongs beside it could not be written, or somebody else has written it
            self._rest(self.tr("✗ Not all is written; see the report."), done=False)
        else:
            self._rest(self.tr("✗ Not exported; no file was written."), done=False)

    def _advice(self, options: ExportOptions) -> str:
        ways = []
        if options.kind != "float32":
            ways.append(self.tr("float32, which is exact"))
        if options.opset is not None:
            ways.append(self.tr("the operator set that torch chooses"))
        if options.compact:
            ways.append(self.tr("a file that is not compact"))
        ways.append(self.tr("another folder or name"))
        return self.tr("The run is as it was. Where the message does not say what to do, try: {0}.").format(
            "; ".join(ways)
        )

    def _rest(self, text: str, *, done: bool) -> None:
        self.stage.setText(text)
        self.progress.setValue(self.progress.maximum() if done else 0)

    def _set_busy(self, busy: bool) -> None:
        for part in (self.name, self.choices, self.export):
            part.setEnabled(not busy)
        self.cancel.setEnabled(busy)
        if busy:
            self._clock.start()
            self.cancel.setFocus()
        else:
            self._clock.stop()

    def done(self, result: int) -> None:
        """Close at once; an export under way is given up, and its thread ends by itself."""
        self.give_up()
        self._inbox.forget()
        self._work = None
        super().done(result)


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
