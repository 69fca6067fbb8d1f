"""`sparseviz convert`: a run for other tools."""

from pathlib import Path

import click

from sparseviz.cli.options import debug, refuse_existing


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option("--to", "form", type=click.Choice(["csv", "tensorboard", "safetensors"]), required=True)
@click.option("--step", type=click.IntRange(0), help="The run as it stood at this step; as it is now unless given.")
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="Beside the run unless given.")
@debug
def convert(run: Path, form: str, step: int | None, out: Path | None) -> None:
    r"""Write a run for other tools.

    \b
    csv          a folder with scalars.csv, layers.csv and histograms.csv
    tensorboard  a folder with an event file: scalars and histograms
    safetensors  a file with a checkpoint's weights (cut ones 0) and masks
    """
    from sparseviz.export.convert import convert_run, place_beside  # noqa: PLC0415  # keeps --help quick

    refuse_existing(out or place_beside(run, form))
    click.echo(convert_run(run, form, out, step=step))
