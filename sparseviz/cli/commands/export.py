"""`sparseviz export`: a run as ONNX."""

from pathlib import Path
from typing import Any

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug, refuse_existing, trust
from sparseviz.cli.trust import trusting


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option("--out", type=click.Path(path_type=Path), metavar="MODEL.onnx", help="Beside the run unless given.")
@click.option("--compact", is_flag=True, help="Take out units, filters and inputs that change no answer.")
@click.option("--storage", type=click.Choice(["dense", "coo"]), default="dense", help="coo: values with their places.")
@click.option("--half", is_flag=True, help="Store weights as float16.")
@click.option("--int8", is_flag=True, help="Store weights in 8 bits, by onnxruntime's quantizer.")
@click.option("--raw-pixels", is_flag=True, help="Read uint8 pixels; the normalisation goes into the file.")
@click.option("--opset", type=int, help="ONNX operator set, 18 to 23.")
@click.option("--report", is_flag=True, help="Write a report with latencies beside it, as JSON and Markdown.")
@click.option("--script", is_flag=True, help="Write a script beside it that runs it on an image.")
@click.option("--data-dir", "data_folder", help="Folder that holds the data set's files.")
@click.option("--test-set/--no-test-set", default=True, help="Prove on the whole test set where its files are there.")
@click.option("--licence", default="", help="Licence of the exported model, for its metadata.")
@trust
@debug
def export(run: Path, out: Path | None, *, trust_code: bool, **choices: Any) -> None:
    """Export a run's network to ONNX, with the proof that it computes the same."""
    refuse_existing(out or run.with_suffix(".onnx"))
    from sparseviz.cli.report import show_export  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.export import ExportOptions, export_run  # noqa: PLC0415

    report = trusting(lambda: export_run(run, out, ExportOptions(**choices)), trusted=trust_code)
    show_export(console(), report)
    for path in (*report.files, report.path):
        click.echo(path)
