"""Before a person's own code is run for the first time, the window asks, beside whatever it does."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from sparseviz.config import own_code
from sparseviz.config.own_code import Code, Untrusted

ROOMY = QSize(720, 460)

_denied: set[tuple[Path, str]] = set()  # what was not to be run: no view asks for it again

_asking: dict[tuple[Path, str], "TrustDialog"] = {}


class TrustDialog(QDialog):
    """Shows a file of code, and asks whether it may be run."""

    def __init__(self, code: Code, parent: QWidget) -> None:
        super().__init__(parent)
        self.code = code
        self.setWindowTitle(self.tr("Run This Code?"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.said = QLabel(self._said(), wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QPlainTextEdit(readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setPlainText(code.text or self.tr("It is compiled: it cannot be shown."))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(self.tr("The code"))
        self.text.setTabChangesFocus(True)
        self.buttons = QDialogButtonBox()
        self.run = self.buttons.addButton(self.tr("&Run It"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.leave = self.buttons.addButton(self.tr("Do &Not"), QDialogButtonBox.ButtonRole.RejectRole)
        self.run.setAutoDefault(False)
        self.leave.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (self.said, self.text, self.buttons):
            column.addWidget(part)
        self.resize(ROOMY)
        self.leave.setFocus()

    def _said(self) -> str:
        return self.tr(
            "{0}\n{1} bytes, SHA-256 {2}…\n\nThe run needs this file of code, which was not run on this computer "
            "before, or has changed. It can do all that you can do: read, write and send your files. What it imports "
            "is not shown. If you run it, you are not asked about it again until it changes."
        ).format(self.code.path, f"{len(self.code.content):,}", self.code.digest[:12])


def ask(parent: QWidget, error: Untrusted, then: Callable[[], object], *, insists: bool = False) -> None:
    """Ask whether the code may be run, and then do it again; `insists` where the person has just asked for it.

    What was denied once is not asked about by a view, and nothing is asked twice at a time.
    """
    key = (error.code.path, error.code.digest)
    if key in _denied and not insists:
        return
    if key not in _asking:
        dialog = _asking[key] = TrustDialog(error.code, parent.window())
        dialog.finished.connect(lambda: _asking.pop(key, None))
        dialog.rejected.connect(lambda: _denied.add(key))
        dialog.accepted.connect(lambda: own_code.trust(error.code))
        dialog.accepted.connect(lambda: _denied.discard(key))
        dialog.open()
    _asking[key].accepted.connect(then)
