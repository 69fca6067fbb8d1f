"""What `sparseviz manual` shows: a page for a terminal, or its text for a pipe."""

import click

from sparseviz.cli.console import console
from sparseviz.config import manual

_READABLE = 110  # columns


def show_page(name: str) -> None:
    """Print a page of the manual; raises InputError where there is none."""
    text, out = manual.read(name), console()
    if not out.is_terminal:
        click.echo(text)
        return
    from rich.markdown import Markdown  # noqa: PLC0415  # only a terminal needs it

    out.print(Markdown(text, hyperlinks=False), soft_wrap=False, width=min(out.width, _READABLE))
