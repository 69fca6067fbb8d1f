"""`sparseviz info`: what a run or a model file holds, or what this installation is."""

import json
from pathlib import Path

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug


@click.command()
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.h5 | MODEL]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug
def info(run: Path | None, *, as_json: bool) -> None:
    """Tell of a run or a model file (ONNX, safetensors, state_dict); without one, of versions, device and folders."""
    from sparseviz.cli.table import read_facts, show_run  # noqa: PLC0415  # keeps --help quick

    if run is not None and not as_json:
        show_run(run)
        return
    from sparseviz.cli.about import about  # noqa: PLC0415  # torch takes seconds: only when needed

    facts = read_facts(run) if run else about()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        out = console()
        for name, value in facts.items():
            out.print(f"{name:<12}", value if isinstance(value, str) else json.dumps(value), markup=False)
