"""Requests of the weights view beyond the history: true cells, and what a unit sees. The answers come later."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from sparseviz.config import InputError
from sparseviz.gui.dialogs import trust
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.sources.shown import Shown
from sparseviz.gui.views.weights.view import WeightsView


class Questions(QObject):
    """Brings the weights view's questions to the run that is shown, and the answers back in Qt's thread."""

    answered = Signal(object)  # cells or a picture
    failed = Signal(str)

    def __init__(self, view: WeightsView, now: Callable[[], tuple[Shown, int] | None], parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._now = view, now
        self._inbox = Inbox(self)
        self._asked: dict[str, Future[Any]] = {}  # what is not answered yet, one of a kind: the newest
        view.cells_wanted.connect(self.ask_for_cells)
        view.picture_wanted.connect(self.ask_for_picture)

    @Slot(object)
    def ask_for_cells(self, part: Any) -> None:
        """Ask for a Part of a layer's weights."""
        self._ask("cells", lambda run, position: run.cells(part, position), self._view.show_cells)

    @Slot(str, int)
    def ask_for_picture(self, layer: str, unit: int) -> None:
        """Ask what an output unit sees."""
        show = partial(self._view.show_unit, layer, unit)
        self._ask("picture", lambda run, position: run.picture(layer, unit, position), show)

    def _ask(self, kind: str, question: Callable[[Shown, int], "Future[Any]"], show: Callable[[Any], None]) -> None:
        shown = self._now()
        if shown is None:
            return
        if kind in self._asked:
            self._asked[kind].cancel()  # whoever moved on does not wait for what is out of sight
        answer = self._asked[kind] = question(*shown)
        again = partial(self._ask, kind, question, show)
        self._inbox.ask(
            answer,
            partial(self._take, show),
            self._refuse,
            untrusted=lambda error: trust.ask(self._view, error, again, insists=True),
        )

    def _take(self, show: Callable[[Any], None], answer: object) -> None:
        show(answer)
        self.answered.emit(answer)

    def _refuse(self, error: Exception) -> None:
        """Say what a person can mend; a fault of the program goes on, to be told with its traceback."""
        if not isinstance(error, InputError):
            raise error
        self.failed.emit(str(error))
