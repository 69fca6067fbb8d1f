"""Loader of model files that a person opens, beside the window, which shows them when they are there."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from sparseviz.config import InputError
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.qt.messages import in_words
from sparseviz.gui.sources.inspected_file import InspectedFile, Inspection


class Models(QObject):
    """Reads one file at a time; the window shows what it showed until then."""

    opened = Signal(object)  # an InspectedFile
    failed = Signal(str)
    told = Signal(str)  # what is under way, "" when it is over

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._inbox = Inbox(self)
        self._reading: Inspection | None = None

    def is_reading(self) -> bool:
        """Whether a file is under way."""
        return self._reading is not None

    def open(self, path: Path) -> None:
        """Have a file read; another one that is under way is given up."""
        self.cancel()
        reading = self._reading = Inspection(path)
        self.told.emit(self.tr("Reading {0}…").format(path.name))
        self._inbox.ask(reading.file, self._take, partial(self._fail, path))

    def cancel(self) -> None:
        """Give up the file that is under way."""
        if self._reading is not None:
            self._reading.cancel()
            self._end()

    def _end(self) -> None:
        self._reading = None
        self._inbox.forget()
        self.told.emit("")

    def _take(self, file: InspectedFile) -> None:
        self._end()
        self.opened.emit(file)

    def _fail(self, path: Path, error: Exception) -> None:
        self.cancel()
        self.failed.emit(str(error) if isinstance(error, InputError) else f"{path}: {in_words(error)}")
