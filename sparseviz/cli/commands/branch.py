"""`sparseviz branch`: a run goes on from a checkpoint with settings changed."""

from functools import partial
from pathlib import Path

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug, refuse_existing, trust
from sparseviz.config import parse_assignments


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option(
    "--at", "step", type=click.IntRange(0), help="Step of the checkpoint (see `info`); the newest by default."
)
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a setting; may be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="NEW.h5", help="The run file to write; beside the old by default."
)
@trust
@debug
def branch(run: Path, step: int | None, pairs: tuple[str, ...], out: Path | None, *, trust_code: bool) -> None:
    """Go on from a checkpoint with settings changed, as a new run that begins as a copy of the old.

    Penalties, rates, epochs, schedule, target, draw, seed and more may change; the network, its data and gates stay.
    """
    changed = parse_assignments(pairs)
    refuse_existing(out)
    from sparseviz.cli.record import record  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.cli.table import show_run  # noqa: PLC0415
    from sparseviz.runs.recording import branch_run  # noqa: PLC0415

    show_run(record(console(stderr=True), partial(branch_run, run, step, changed, out), trusted=trust_code))
