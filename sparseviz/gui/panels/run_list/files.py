"""File operations on the runs of the run list: rename, annotate, throw away."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QFile, QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from sparseviz.config import InputError
from sparseviz.gui.panels.run_list.annotations import Annotation, annotate, carry_over
from sparseviz.store.files.lock import writer_of


class RunFiles(QObject):
    """Does it, or says why not; a run that is being trained stays where it is."""

    complained = Signal(str)

    def rename(self, path: Path, name: str) -> bool:
        """Give a run another name, without or with its suffix; its note and tags follow."""
        if self._are_written([path]):
            return False
        if not name or Path(name).name != name:
            self.complained.emit(self.tr("“{0}” is no name for a file.").format(name))
            return False
        target = path.with_name(name if name.endswith(".h5") else f"{name}.h5")
        if target.exists():
            self.complained.emit(self.tr("{0} exists already; choose another name.").format(target.name))
            return False
        if not self._try(path.parent, lambda: path.rename(target)):
            return False
        self._try(path.parent, lambda: carry_over(path.parent, path.name, target.name))
        return True

    def annotate(self, path: Path, annotation: Annotation) -> bool:
        """Keep a run's note and tags."""
        return self._try(path.parent, lambda: annotate(path.parent, path.name, annotation))

    def throw_away(self, files: Sequence[Path], asking: QWidget) -> bool:
        """Ask, and move the files to the system's bin; whether that was tried."""
        if not files or self._are_written(files):
            return False
        names = ", ".join(path.name for path in files[:5]) + (" …" if len(files) > 5 else "")
        question = self.tr("Move {0} to the bin?").format(names)
        if QMessageBox.question(asking, self.tr("Move to bin"), question) != QMessageBox.StandardButton.Yes:
            return False
        kept = [path.name for path in files if not QFile.moveToTrash(str(path))]
        if kept:
            self.complained.emit(self.tr("Not moved, as there is no bin here: {0}").format(", ".join(kept)))
        return True

    def _are_written(self, files: Sequence[Path]) -> bool:
        """Whether one of them is being trained, here or elsewhere."""
        writers = [(path, writer) for path in files if (writer := writer_of(path))]
        if writers:
            told = self.tr("{0} is being trained by {1}; stop that first.")
            self.complained.emit(told.format(writers[0][0].name, writers[0][1]))
        return bool(writers)

    def _try(self, folder: Path, act: Callable[[], object]) -> bool:
        try:
            act()
        except InputError as error:
            self.complained.emit(str(error))
        except OSError as error:
            self.complained.emit(self.tr("{0} cannot be changed: {1}").format(folder, error.strerror or error))
        else:
            return True
        return False
