"""Model files that a person opens: read beside the window, which shows them when they are there."""

from concurrent.futures import CancelledError, Future
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from sparseviz.analysis.model_file import Cancelled
from sparseviz.config import InputError
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.sources.inspected_file import Reading


class Models(QObject):
    """Reads one file at a time; the window shows what it showed until then."""

    opened = Signal(object)  # an InspectedFile
    failed = Signal(str)
    told = Signal(str)  # what is under way, "" when it is over

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._inbox = Inbox(self)
        self._reading: Reading | None = None

    def is_reading(self) -> bool:
        """Whether a file is under way."""
        return self._reading is not None

    def open(self, path: Path) -> None:
        """Have a file read; another one that is under way is given up."""
        self.cancel()
        reading = self._reading = Reading(path)
        self.told.emit(self.tr("Reading {0}…").format(path.name))
        self._inbox.expect(reading.model, partial(self._take, reading))

    def cancel(self) -> None:
        """Give up the file that is under way."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
            self.told.emit("")

    def _take(self, reading: Reading, _answer: "Future[Any]") -> None:
        if reading is not self._reading:
            return  # given up
        self._reading = None
        self.told.emit("")
        try:
            found = reading.result()
        except (Cancelled, CancelledError):
            return
        except InputError as error:
            self.failed.emit(str(error))
        except Exception as error:  # noqa: BLE001  # the window lives on
            self.failed.emit(f"{reading.path}: {type(error).__name__}: {error}")
        else:
            self.opened.emit(found)
