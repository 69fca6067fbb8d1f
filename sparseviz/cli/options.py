"""Options of several commands, and what they refuse alike."""

from pathlib import Path

import click

debug = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
trust = click.option("--trust-code", is_flag=True, help="Run the files of code that are named, without a question.")


def refuse_existing(out: Path | None) -> None:
    """Raise UsageError for a file that would be overwritten."""
    if out and out.exists():
        raise click.UsageError(f"{out} exists already and is not overwritten; choose another name")
