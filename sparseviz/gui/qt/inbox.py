"""Futures of other threads, whose results are brought into Qt's thread."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import cache
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from sparseviz.config.own_code import Untrusted

_Answer = TypeVar("_Answer")


def _raise(error: Exception) -> None:
    raise error


class Inbox(QObject):
    """Callbacks of futures, called in Qt's thread; the threads that answer know nothing of Qt."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._awaited: list[tuple[Future[Any], Callable[[Future[Any]], None]]] = []
        _bell().rung.connect(self._take_next, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        future: "Future[_Answer]",
        take: Callable[[_Answer], object],
        failed: Callable[[Exception], object] = _raise,
        *,
        untrusted: Callable[[Untrusted], object] | None = None,
        cancelled: Callable[[], object] = lambda: None,
    ) -> None:
        """Give what the future brings to one of these when it is there; without `failed` an exception is a fault."""

        def give(done: "Future[_Answer]") -> None:
            try:
                answer = done.result()
            except CancelledError:
                cancelled()
            except Untrusted as error:
                (untrusted or failed)(error)
            except Exception as error:  # noqa: BLE001  # whatever another thread raises
                failed(error)
            else:
                take(answer)

        self._awaited.append((future, give))
        future.add_done_callback(_ring)

    def is_waiting(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._awaited)

    def forget(self) -> None:
        """Await nothing more, as nobody wants it; what has not begun is cancelled."""
        awaited, self._awaited = self._awaited, []
        for future, _ in awaited:
            future.cancel()

    @Slot()
    def _take_next(self) -> None:
        """One answer a ring, so that a fault in taking one holds no other back."""
        for index, (future, give) in enumerate(self._awaited):
            if future.done():
                del self._awaited[index]
                give(future)
                return


class _Bell(QObject):
    """Rung by any thread, heard by every inbox. It outlives them all: an answer may come when who asked is gone."""

    rung = Signal()


@cache
def _bell() -> _Bell:
    return _Bell()


def _ring(_: "Future[Any]") -> None:
    """In the thread that answers."""
    _bell().rung.emit()
