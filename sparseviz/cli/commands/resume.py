"""`sparseviz resume`: a run that was broken off goes on."""

from functools import partial
from pathlib import Path

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug, refuse_existing, trust


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="NEW.h5", help="The run file to write; beside the old by default."
)
@trust
@debug
def resume(run: Path, out: Path | None, *, trust_code: bool) -> None:
    """Go on with an interrupted or stopped run, in a new file that begins as a copy of the old."""
    refuse_existing(out)
    from sparseviz.cli.record import record  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.cli.table import show_run  # noqa: PLC0415
    from sparseviz.runs.recording import resume_run  # noqa: PLC0415

    show_run(record(console(stderr=True), partial(resume_run, run, out), trusted=trust_code))
