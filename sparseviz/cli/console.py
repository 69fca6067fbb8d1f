"""Where the commands write, by rich; the window starts without it."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> "Console":
    """Standard output, or standard error; where nobody looks at a terminal, output is 110 columns wide."""
    from rich.console import Console  # noqa: PLC0415  # only the commands that print need it

    width = None if stderr or sys.stdout.isatty() else 110
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=width)
