"""`sparseviz manual`: a page for a terminal, or its text for a pipe."""

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug
from sparseviz.config import manual as pages

_READABLE = 110  # columns


@click.command()
@click.argument("page", default="contents")
@debug
def manual(page: str) -> None:
    """Show a page of the manual; without its name the contents."""
    text, out = pages.read(page), console()
    if not out.is_terminal:
        click.echo(text)
        return
    from rich.markdown import Markdown  # noqa: PLC0415  # only a terminal needs it

    out.print(Markdown(text, hyperlinks=False), soft_wrap=False, width=min(out.width, _READABLE))
