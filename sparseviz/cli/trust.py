"""Before a person's own code is run for the first time: a terminal asks, `--trust-code` answers for one command."""

import sys
from collections.abc import Callable
from typing import TypeVar

import click

from sparseviz.config import InputError, own_code
from sparseviz.config.own_code import Code, Untrusted
from sparseviz.training import launch

LINES = 12  # of a file, shown before the question
_Result = TypeVar("_Result")


def trusting(job: Callable[[], _Result], *, trusted: bool) -> _Result:
    """What `job` gives, which begins anew for every file of code that is allowed.

    Raises Untrusted without a terminal, and InputError where the answer is no.
    """
    while True:
        try:
            return job()
        except Untrusted as error:
            if not trusted and (not sys.stdin.isatty() or launch.processes() > 1):  # several cannot ask
                raise
            if not trusted and not _asked(error.code):
                raise InputError(f"{error.code.path} was not run, as you said") from None
            own_code.trust(error.code, remember=not trusted)


def _asked(code: Code) -> bool:
    lines = code.text.splitlines()
    click.echo(
        f"\n{code.name} is code of {code.path} ({len(code.content):,} bytes, SHA-256 {code.digest[:12]}…),", err=True
    )
    click.echo("which was not run on this computer before, or has changed:\n", err=True)
    for line in lines[:LINES]:
        click.echo(f"    {_printable(line)}", err=True)
    if len(lines) > LINES:
        click.echo(f"    … {len(lines) - LINES} more lines", err=True)
    return click.confirm("\nIt can do all that you can do. Run it, now and whenever it is the same?", err=True)


def _printable(line: str) -> str:
    """Without what would move a terminal's cursor over other lines."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line.expandtabs(4))
