"""Answers of other threads, brought into Qt's thread."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

LOOK_MS = 10  # between two looks, while an answer is awaited


class Inbox(QObject):
    """Hands each answer on once it is there; the threads that answer know nothing of Qt."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._awaited: list[tuple[Future[Any], Callable[[Future[Any]], None]]] = []
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def expect(self, answer: "Future[Any]", take: "Callable[[Future[Any]], None]") -> None:
        """Give the future to `take`, in Qt's thread, when it is done or cancelled."""
        self._awaited.append((answer, take))
        self._timer.start()

    def is_waiting(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._awaited)

    @Slot()
    def _look(self) -> None:
        done = [each for each in self._awaited if each[0].done()]
        self._awaited = [each for each in self._awaited if each not in done]
        if not self._awaited:
            self._timer.stop()
        for answer, take in done:
            take(answer)
