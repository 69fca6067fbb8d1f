"""A command queue: commands from any thread, carried out by one between two of its steps."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar

_Answer = TypeVar("_Answer")


class Commanded:
    """What can be paused, stepped and stopped from outside; the one thread asks `obey` between its steps."""

    def __init__(self) -> None:
        self.steps_to_go = math.inf  # 0 while paused
        self.stopped = False
        self.stop_asked = False  # ahead of the step under way
        self.closed = False  # nobody will carry out what is commanded from now on
        self.seconds_waited = 0.0
        self.seconds_before = 0.0  # the clock's, when it was started
        self._began: float | None = None
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._called = threading.Event()  # since `obey` last began

    # From any thread.

    def pause(self) -> None:
        """Wait after the step under way, with a snapshot of where it stands."""
        self.command(partial(self._go, 0))

    def resume(self) -> None:
        """Go on after a pause."""
        self.command(partial(self._go, math.inf))

    def advance(self, steps: int = 1) -> None:
        """Do this many steps, then pause."""
        self.command(partial(self._go, steps))

    def stop(self) -> None:
        """End after the step under way, with a snapshot."""
        self.stop_asked = True
        self.command(self.end)

    def command(self, command: Callable[[], None]) -> None:
        """Have something done between two steps, or at once where there are no more."""
        self._commands.put(command)
        self._called.set()
        if self.closed:
            self.obey()

    def ask(self, question: Callable[[], _Answer]) -> "Future[_Answer]":
        """Have something looked up between two steps, or while paused; an exception comes with the answer.

        The future is cancelled when there are no more steps: then the run file's last checkpoint knows.
        """
        future: Future[_Answer] = Future()
        self.command(partial(self._answer, future, question))
        return future

    # In the one thread.

    def _answer(self, future: "Future[_Answer]", question: Callable[[], _Answer]) -> None:
        if self.closed or not future.set_running_or_notify_cancel():
            future.cancel()
            return
        try:
            future.set_result(question())
        except Exception as error:  # noqa: BLE001  # a bad question must not end the run; the asker gets the error
            future.set_exception(error)

    def _go(self, steps: float) -> None:
        self.steps_to_go = steps

    def end(self) -> None:
        """Take no further step."""
        self.stopped = True

    def obey(self) -> None:
        """Carry out what has been commanded."""
        self._called.clear()
        while True:
            try:
                self._commands.get_nowait()()
            except Empty:
                return

    def wait_for_command(self) -> None:
        """Wait until `obey` has something to do; the time is kept apart."""
        with self.standing():
            self._called.wait()

    @property
    def is_called(self) -> bool:
        """Whether there is something that has been commanded."""
        return self._called.is_set()

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Within it the clock stands."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds_waited += time.perf_counter() - began

    def start_clock(self) -> None:
        """Count the seconds from here on, with those before."""
        self._began = time.perf_counter()

    def seconds(self) -> float:
        """Of work, waiting left out."""
        now = 0.0 if self._began is None else time.perf_counter() - self._began - self.seconds_waited
        return self.seconds_before + now

    def close(self) -> None:
        """Carry out what is left, and wait no more."""
        self.closed = True
        self.obey()
