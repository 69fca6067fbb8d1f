"""`sparseviz study`: the paper's experiments, or a grid of one's own."""

from pathlib import Path

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug, trust
from sparseviz.cli.trust import trusting
from sparseviz.config import parse_assignments, paths


@click.command(epilog="Studies: " + ", ".join(paths.studies()))
@click.argument("name", metavar="STUDY | STUDY.toml")
@click.option("--small", is_flag=True, help="A quick version on the embedded digits, in under two minutes.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Seed of a run; may be repeated. 0 unless given.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a setting in every run.")
@click.option("--data-dir", help="Folder that holds the data set's files.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Runs at a time, each in a process of its own.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Named after the study unless given.")
@trust
@debug
def study(  # noqa: PLR0913  # one argument an option
    name: str,
    pairs: tuple[str, ...],
    seeds: tuple[int, ...],
    data_dir: str | None,
    out: Path | None,
    *,
    small: bool,
    jobs: int,
    trust_code: bool,
) -> None:
    """Run the paper's experiments, or your own grid: runs, tables and a picture beside the published figures.

    What is in the folder already is not trained again, so that a study that was broken off goes on.
    """
    from sparseviz.runs.study import Plan, Study, run_study, write_report  # noqa: PLC0415  # torch takes seconds

    given = parse_assignments(pairs) | ({"data.folder": data_dir} if data_dir else {})
    plan = Plan.of(Study.load(name), small=small, seeds=seeds or (0,), settings=given)
    folder = out or Path(f"{Path(name).stem}{'-small' if small else ''}")
    err = console(stderr=True)
    err.print(f"{len(plan.runs)} runs in {folder}", markup=False)

    def told(run: str, done: int, of: int) -> None:
        err.print(f"{done}/{of} {run}", markup=False)

    try:
        trusting(lambda: run_study(plan, folder, jobs=jobs, told=told), trusted=trust_code)
    finally:
        for path in write_report(plan, folder):
            click.echo(path)
