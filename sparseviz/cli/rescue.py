"""What `sparseviz train` does when its file cannot be written: at a terminal it asks, elsewhere it tries again."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from rich.console import Console

from sparseviz.store import WriteError

PAUSES_S = (2.0, 60.0)  # between two tries without a terminal: the first, doubled each time, and the longest


class TerminalRescuer:
    """Waits for a person at the terminal, or for better times; Ctrl+C or SIGTERM meanwhile ends the run.

    `hide` takes away what else is shown in the terminal.
    """

    def __init__(self, console: Console, hide: Callable[[], None]) -> None:
        self._console, self._hide = console, hide
        self._tries, self._told = 0, ""

    def stuck(self, error: WriteError, path: Path) -> Path:
        """The path where writing goes on, once there is one."""
        self._hide()
        if str(error) != self._told or sys.stdin.isatty():
            self._told = str(error)
            self._say(f"Paused: {error}. Nothing is lost; all snapshots until now are in the file or in memory.")
        try:
            with _ended_by_signals():
                return self._ask(path) if sys.stdin.isatty() else self._wait(path)
        except (KeyboardInterrupt, EOFError):
            raise error from None

    def went_on(self, path: Path) -> None:
        """Say that writing goes on, and where."""
        self._say(f"Going on in {path}")
        self._tries, self._told = 0, ""

    def _ask(self, path: Path) -> Path:
        self._console.print(
            "Enter tries again; or type another file's name to go on there; Ctrl+C ends the run: ", end=""
        )
        typed = input().strip()
        return Path(typed).expanduser() if typed else path

    def _wait(self, path: Path) -> Path:
        first, longest = PAUSES_S
        pause = min(first * 2**self._tries, longest)
        if not self._tries:
            self._say(f"Trying again, every {longest:.0f} s at the latest; Ctrl+C or SIGTERM ends the run.")
        self._tries += 1
        time.sleep(pause)
        return path

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Within it Ctrl+C and SIGTERM raise KeyboardInterrupt."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
