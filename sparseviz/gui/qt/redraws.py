"""Scheduler of redraws: what is to be drawn is drawn bit by bit, and seldom enough to stay a small part of the time."""

import time
from collections.abc import Callable, Iterable, Iterator

from PySide6.QtCore import QObject, QTimer, Signal, Slot

# Drawing takes at most one part in so many of the time. On two cores a training loses two thirds of that, which is a
# twentieth of its steps: it goes on while Qt paints.
DRAW_SHARE = 14
WAITS_MS = (100, 1000)  # between two redraws: the shortest and the longest

Job = Callable[[], None]


class Redraws(QObject):
    """Asks for jobs, and does one a turn of the event loop: keys, clicks and painting come between them.

    What they cost is this thread's processor time until all is painted, which others on the machine do not lengthen.
    """

    due = Signal()  # `begin` is to be called

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs: Iterator[Job] = iter(())
        self._again, self._began = False, 0.0
        self._waiting, self._turn = QTimer(self, singleShot=True), QTimer(self, interval=0)
        self._waiting.timeout.connect(self.due)
        self._turn.timeout.connect(self._next)

    def ask(self) -> None:
        """Be due as soon as there is time."""
        self._waiting.start(0)

    def begin(self, jobs: Iterable[Job], *, together: bool, again: bool) -> None:
        """Do these, and none of those that are left; then be due again after a rest, or not before one asks.

        `together` does them at once.
        """
        self._jobs, self._again, self._began = iter(jobs), again, time.thread_time()
        self._turn.start()
        if together:
            for job in self._jobs:
                job()

    def is_at_rest(self) -> bool:
        """Whether all that was asked for is drawn."""
        return not (self._waiting.isActive() or self._turn.isActive())

    def stop(self) -> None:
        """Do no more, and be not due."""
        self._waiting.stop()
        self._turn.stop()

    @Slot()
    def _next(self) -> None:
        job = next(self._jobs, None)
        if job is not None:
            job()
            return
        self._turn.stop()
        if self._again and not self._waiting.isActive():
            cost = 1000 * (time.thread_time() - self._began)
            self._waiting.start(round(min(max((DRAW_SHARE - 1) * cost, WAITS_MS[0]), WAITS_MS[1])))
