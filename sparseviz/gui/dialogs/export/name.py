"""Where an export goes: a name that is edited or chosen, and a free one where it is taken."""

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from sparseviz.export import ExportOptions
from sparseviz.gui.dialogs.export.options import ExportChoices


class ExportName(QWidget):
    """Edits the name of the file that is written."""

    def __init__(self, run: Path, choices: ExportChoices) -> None:
        super().__init__()
        self._run, self._choices = run, choices
        self.line = QLineEdit(str(free_name(run.with_suffix(".onnx"), choices.options())))
        self.line.setAccessibleName(self.tr("ONNX file"))
        self.line.setToolTip(self.tr("Where the file is written; nothing that is there is overwritten"))
        self.choose = QPushButton(self.tr("C&hoose…"), autoDefault=False)
        self.refusal = QLabel(wordWrap=True)
        self.free = QPushButton(autoDefault=False)
        self._lay_out()
        self.choose.clicked.connect(self._choose)
        self.free.clicked.connect(self._use_free_name)
        self.line.textChanged.connect(self._take_edit)
        choices.changed.connect(self._take_edit)
        self._take_edit()

    def _lay_out(self) -> None:
        label = QLabel(self.tr("ONNX &file"))
        label.setBuddy(self.line)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.line, 0, 1, 1, 2)
        grid.addWidget(self.choose, 0, 3)
        grid.addWidget(self.refusal, 1, 0, 1, 2)
        grid.addWidget(self.free, 1, 2, 1, 2)
        grid.setColumnStretch(1, 1)

    def path(self) -> Path:
        """The file as it is named, beside the run unless its folder is; it always ends in .onnx."""
        path = self._run.parent / Path(self.line.text().strip()).expanduser()
        return path if path.suffix == ".onnx" else path.with_name(f"{path.name}.onnx")

    def is_refused(self) -> bool:
        """Whether there can be no file of this name; then it is said, and a free name offered."""
        taken = _taken(self.path(), self._choices.options())
        if not self.line.text().strip():
            self._refuse(self.tr("✗ The file has no name; give it one."))
        elif taken:
            self._refuse(self.tr("✗ {0} exists already and is not overwritten.").format(taken.name))
        else:
            return False
        return True

    def _refuse(self, text: str) -> None:
        found = free_name(self._named(), self._choices.options())
        self.refusal.setText(text)
        self.free.setText(self.tr("&Use {0}").format(found.name.replace("&", "&&")))
        self.free.setToolTip(str(found))
        self.refusal.show()
        self.free.show()
        self.free.setFocus()

    def _named(self) -> Path:
        return self.path() if self.line.text().strip() else self._run.with_suffix(".onnx")

    @Slot()
    def _use_free_name(self) -> None:
        self.line.setText(str(free_name(self._named(), self._choices.options())))
        self.line.setFocus()

    @Slot()
    def _take_edit(self) -> None:
        self.refusal.hide()
        self.free.hide()
        names = (path.name for path in self._choices.options().companions(self.path()).values())
        self._choices.show_companions(", ".join(names))

    @Slot()
    def _choose(self) -> None:
        # Nothing is overwritten, so that there is nothing to confirm.
        option = QFileDialog.Option.DontConfirmOverwrite
        title = self.tr("Export to ONNX")
        path, _ = QFileDialog.getSaveFileName(self, title, str(self._named()), "ONNX (*.onnx)", options=option)
        if path:
            self.line.setText(path)


def free_name(path: Path, options: ExportOptions) -> Path:
    """This path, or the first with a number, that is not taken, neither by what belongs beside it."""
    number, found = 2, path
    while _taken(found, options):
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def _taken(out: Path, options: ExportOptions) -> Path | None:
    """The first file that would be written and is there already."""
    return next((path for path in (out, *options.companions(out).values()) if path.exists()), None)
