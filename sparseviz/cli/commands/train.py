"""`sparseviz train`: a run from a preset or a TOML file."""

from functools import partial
from pathlib import Path

import click

from sparseviz.cli.console import console
from sparseviz.cli.options import debug, refuse_existing, trust
from sparseviz.config import EMBEDDED, RunConfig, parse_assignments, settings


def _settings_help() -> str:
    lines = [f"  {name}: {setting.description}" for name, setting in settings().items()]
    return "\b\nSettings:\n" + "\n".join(lines)


@click.command(epilog=_settings_help())
@click.argument("config", default=EMBEDDED, metavar="[PRESET | CONFIG.toml]")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a setting; may be repeated.")
@click.option("--seed", type=int, help="Seed of weights, batches and draws.")
@click.option("--device", help="auto, cpu, mps, cuda or cuda:N.")
@click.option("--data-dir", help="Folder that holds the data set's files.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="RUN.h5", help="The run file to write; never overwritten."
)
@click.option("--estimate", is_flag=True, help="Tell what memory the run needs, and do not train.")
@trust
@debug
def train(  # noqa: PLR0913  # one argument an option
    config: str,
    pairs: tuple[str, ...],
    seed: int | None,
    device: str | None,
    data_dir: str | None,
    *,
    out: Path | None,
    estimate: bool,
    trust_code: bool,
) -> None:
    """Train as a preset or a TOML file says, and record the run; without one, the embedded example."""
    options = {"seed": seed, "device": device, "data.folder": data_dir}
    given = {name: value for name, value in options.items() if value is not None}
    run_config = RunConfig.load(config).changed(parse_assignments(pairs) | given)
    refuse_existing(out)
    from sparseviz.cli.record import record, show_memory  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.cli.table import show_run  # noqa: PLC0415
    from sparseviz.runs.recording import record_run  # noqa: PLC0415

    if estimate:
        click.echo(show_memory(run_config, trusted=trust_code))
        return
    show_run(record(console(stderr=True), partial(record_run, run_config, out), trusted=trust_code))
