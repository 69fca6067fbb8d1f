"""The export dialog: writes the ONNX file beside the window, and shows the proof."""

import traceback
from pathlib import Path

from PySide6.QtCore import QObject, QThread, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sparseviz.config import InputError
from sparseviz.export import ExportReport, export_run


class ExportThread(QThread):
    """Exports a run file; torch's exporter takes seconds."""

    stage = Signal(str)
    done = Signal(ExportReport)
    failed = Signal(str)

    def __init__(self, run: Path, out: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run, self._out = run, out

    def run(self) -> None:
        """Export; an exception becomes the signal `failed`."""
        try:
            report = export_run(self._run, self._out, now_at=self.stage.emit)
        except InputError as error:
            self.failed.emit(str(error))
        except Exception:  # noqa: BLE001  # a failed export must not end the program
            self.failed.emit(traceback.format_exc())
        else:
            self.done.emit(report)


class ExportDialog(QDialog):
    """Asks where to, exports a run's newest checkpoint, and shows what was proven."""

    def __init__(self, run: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export to ONNX"))
        self.setMinimumWidth(560)
        self._run = run
        self._thread: ExportThread | None = None
        self._report: ExportReport | None = None
        self.out = QLineEdit(str(_free(run.with_suffix(".onnx"))))
        self.out.setAccessibleName(self.tr("ONNX file"))
        self.choose = QPushButton(self.tr("Choose…"))
        self.progress = QProgressBar()
        self.progress.setAccessibleName(self.tr("Progress of the export"))
        self.progress.setRange(0, 1)
        self.stage = QLabel(
            self.tr("The run's newest checkpoint is written with its cut weights as zeros, and proven.")
        )
        self.stage.setWordWrap(True)
        self.proof = QPlainTextEdit()
        self.proof.setReadOnly(True)
        self.proof.setAccessibleName(self.tr("Proof"))
        self.proof.setPlaceholderText(self.tr("The proof appears here: onnxruntime beside torch on the test images."))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.export = QPushButton(self.tr("&Export"))
        self.show_folder = QPushButton(self.tr("Show in &folder"))
        self.show_folder.setEnabled(False)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.buttons.addButton(self.export, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.addButton(self.show_folder, QDialogButtonBox.ButtonRole.ActionRole)
        place = QHBoxLayout()
        label = QLabel(self.tr("ONNX &file"))
        label.setBuddy(self.out)
        for part in (label, self.out, self.choose):
            place.addWidget(part)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(self.tr("Run: {0}").format(self._run)))
        column.addLayout(place)
        for widget in (self.stage, self.progress, self.proof, self.buttons):
            column.addWidget(widget)
        self.export.setDefault(True)

    def _connect(self) -> None:
        self.export.clicked.connect(self.start)
        self.choose.clicked.connect(self._choose)
        self.show_folder.clicked.connect(self._show_folder)
        self.buttons.rejected.connect(self.close)

    def start(self) -> None:
        """Export in the background."""
        self.export.setEnabled(False)
        self.progress.setRange(0, 0)
        self.proof.clear()
        thread = self._thread = ExportThread(self._run, Path(self.out.text()), self)
        thread.stage.connect(self._show_stage)
        thread.done.connect(self._show_proof)
        thread.failed.connect(self._show_failure)
        thread.start()

    def _show_stage(self, stage: str) -> None:
        texts = {
            "network": self.tr("Building the network from the checkpoint…"),
            "onnx": self.tr("Writing ONNX…"),
            "proof": self.tr("Running onnxruntime beside torch…"),
        }
        self.stage.setText(texts.get(stage, stage))

    def _show_proof(self, report: ExportReport) -> None:
        self._report, proof = report, report.proof
        self._rest(self.tr("✓ Proven and written: {0}").format(report.path))
        lines = (
            self.tr("checkpoint at step {0:,}").format(report.step),
            self.tr("parameters kept: {0:,} of {1:,} ({2:.1f}×)").format(
                report.parameters_kept, report.parameters, report.compression
            ),
            self.tr("size: {0:,} bytes; cut weights are stored as zeros").format(report.bytes),
            self.tr("largest difference: {0:.1e} of the largest answer (allowed {1:.0e})").format(
                proof.relative_difference, proof.bar
            ),
            self.tr("same answer: {0:.2f} % of {1} test images; {2} changed").format(
                100 * proof.top1_agreement, proof.images, proof.top1_changes
            ),
            self.tr("error on them: {0:.2f} % in onnxruntime, {1:.2f} % in torch").format(
                proof.error_onnx, proof.error_torch
            ),
        )
        self.proof.setPlainText("\n".join(lines))
        self.show_folder.setEnabled(True)

    def _show_failure(self, text: str) -> None:
        self._rest(self.tr("✗ Not exported; no file was written."))
        self.proof.setPlainText(text)

    def _rest(self, text: str) -> None:
        self.stage.setText(text)
        self.progress.setRange(0, 1)
        self.progress.setValue(1)
        self.export.setEnabled(True)

    def _choose(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export to ONNX"), self.out.text(), "ONNX (*.onnx)")
        if path:
            self.out.setText(path)

    def _show_folder(self) -> None:
        if self._report:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report.path.parent)))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Wait for an export under way: its thread must not outlive the dialog."""
        if self._thread:
            self._thread.wait()
        super().closeEvent(event)


def _free(path: Path) -> Path:
    """This path, or the first with a number that is not taken."""
    number = 2
    found = path
    while found.exists():
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found
