"""The command line: gui | train | resume | branch | study | export | info | convert | manual.

Wrong use ends with status 2, a failed job with 1, and a traceback is shown only with --debug. Only
`gui` imports Qt.
"""

import json
import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from sparseviz.cli.console import console
from sparseviz.cli.trust import trusting
from sparseviz.config import EMBEDDED, InputError, RunConfig, own_code, parse_assignments, paths, settings
from sparseviz.config.version import __version__
from sparseviz.training import launch


class _Launcher(click.Group):
    """Without a command's name the window opens, on the files that are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `gui` in front of whatever is not a command or an option."""
        if not args or (args[0] not in self.commands and not args[0].startswith("-")):
            args = ["gui", *args]
        return super().parse_args(ctx, args)


_debug = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
_trust = click.option("--trust-code", is_flag=True, help="Run the files of code that are named, without a question.")


@click.group(cls=_Launcher, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sparseviz")
@_debug
@click.pass_context
def _cli(context: click.Context) -> None:
    """Watch a neural network decide which of its weights it needs; ship what is left.

    `sparseviz [FILE ...]` opens the window, with these runs or model files.
    """
    command, together = str(context.invoked_subcommand), ("train", "resume", "branch")
    if launch.processes() > 1 and command not in together:
        raise click.UsageError(f"'{command}' is for one process; torchrun is for {', '.join(together)}")


@_cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@_debug
def gui(files: tuple[Path, ...]) -> None:
    """Open the window, with these runs or model files (ONNX, safetensors, PyTorch state_dict)."""
    for path in files:
        if not path.is_file():
            known = ", ".join(_cli.commands)
            raise click.UsageError(f"'{path}' is no file and no command; commands: {known}")
    from sparseviz.gui.app import start  # noqa: PLC0415  # the other commands do not import Qt

    sys.exit(start(files))


def _settings_help() -> str:
    lines = [f"  {name}: {setting.description}" for name, setting in settings().items()]
    return "\b\nSettings:\n" + "\n".join(lines)


@_cli.command(epilog=_settings_help())
@click.argument("config", default=EMBEDDED, metavar="[PRESET | CONFIG.toml]")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a setting; may be repeated.")
@click.option("--seed", type=int, help="Seed of weights, batches and draws.")
@click.option("--device", help="auto, cpu, mps, cuda or cuda:N.")
@click.option("--data-dir", help="Folder that holds the data set's files.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="RUN.h5", help="The run file to write; never overwritten."
)
@click.option("--estimate", is_flag=True, help="Tell what memory the run needs, and do not train.")
@_trust
@_debug
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
    _refuse_existing(out)
    from sparseviz.cli.record import record, show_memory  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.runs.recording import record_run  # noqa: PLC0415

    if estimate:
        click.echo(show_memory(run_config, trusted=trust_code))
        return
    _show_run(record(console(stderr=True), partial(record_run, run_config, out), trusted=trust_code))


@_cli.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="NEW.h5", help="The run file to write; beside the old by default."
)
@_trust
@_debug
def resume(run: Path, out: Path | None, *, trust_code: bool) -> None:
    """Go on with an interrupted or stopped run, in a new file that begins as a copy of the old."""
    _refuse_existing(out)
    from sparseviz.cli.record import record  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.runs.recording import resume_run  # noqa: PLC0415

    _show_run(record(console(stderr=True), partial(resume_run, run, out), trusted=trust_code))


@_cli.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option(
    "--at", "step", type=click.IntRange(0), help="Step of the checkpoint (see `info`); the newest by default."
)
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a setting; may be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="NEW.h5", help="The run file to write; beside the old by default."
)
@_trust
@_debug
def branch(run: Path, step: int | None, pairs: tuple[str, ...], out: Path | None, *, trust_code: bool) -> None:
    """Go on from a checkpoint with settings changed, as a new run that begins as a copy of the old.

    Penalties, rates, epochs, schedule, target, draw, seed and more may change; the network, its data and gates stay.
    """
    changed = parse_assignments(pairs)
    _refuse_existing(out)
    from sparseviz.cli.record import record  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.runs.recording import branch_run  # noqa: PLC0415

    _show_run(record(console(stderr=True), partial(branch_run, run, step, changed, out), trusted=trust_code))


def _refuse_existing(out: Path | None) -> None:
    if out and out.exists():
        raise click.UsageError(f"{out} exists already and is not overwritten; choose another name")


@_cli.command(epilog="Studies: " + ", ".join(paths.studies()))
@click.argument("name", metavar="STUDY | STUDY.toml")
@click.option("--small", is_flag=True, help="A quick version on the embedded digits, in under two minutes.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Seed of a run; may be repeated. 0 unless given.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Change a setting in every run.")
@click.option("--data-dir", help="Folder that holds the data set's files.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Runs at a time, each in a process of its own.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Named after the study unless given.")
@_trust
@_debug
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


@_cli.command()
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
@_trust
@_debug
def export(run: Path, out: Path | None, *, trust_code: bool, **choices: Any) -> None:
    """Export a run's network to ONNX, with the proof that it computes the same."""
    _refuse_existing(out or run.with_suffix(".onnx"))
    from sparseviz.cli.export import show_export  # noqa: PLC0415  # torch takes seconds: only when needed
    from sparseviz.export import ExportOptions, export_run  # noqa: PLC0415

    report = trusting(lambda: export_run(run, out, ExportOptions(**choices)), trusted=trust_code)
    show_export(console(), report)
    for path in (*report.files, report.path):
        click.echo(path)


@_cli.command()
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.h5 | MODEL]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_debug
def info(run: Path | None, *, as_json: bool) -> None:
    """Tell of a run or a model file (ONNX, safetensors, state_dict); without one, of versions, device and folders."""
    if run is not None and not as_json:
        _show_run(run)
        return
    from sparseviz.cli.about import about  # noqa: PLC0415  # keeps --help quick
    from sparseviz.cli.table import read_facts  # noqa: PLC0415

    facts = read_facts(run) if run else about()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        out = console()
        for name, value in facts.items():
            out.print(f"{name:<12}", value if isinstance(value, str) else json.dumps(value), markup=False)


@_cli.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
@click.option("--to", "form", type=click.Choice(["csv", "tensorboard", "safetensors"]), required=True)
@click.option("--step", type=click.IntRange(0), help="The run as it stood at this step; as it is now unless given.")
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="Beside the run unless given.")
@_debug
def convert(run: Path, form: str, step: int | None, out: Path | None) -> None:
    r"""Write a run for other tools.

    \b
    csv          a folder with scalars.csv, layers.csv and histograms.csv
    tensorboard  a folder with an event file: scalars and histograms
    safetensors  a file with a checkpoint's weights (cut ones 0) and masks
    """
    from sparseviz.export.convert import convert_run, place_beside  # noqa: PLC0415  # keeps --help quick

    _refuse_existing(out or place_beside(run, form))
    click.echo(convert_run(run, form, out, step=step))


@_cli.command()
@click.argument("page", default="contents")
@_debug
def manual(page: str) -> None:
    """Show a page of the manual; without its name the contents."""
    from sparseviz.cli.manual import show_page  # noqa: PLC0415  # keeps --help quick

    show_page(page)


def _show_run(path: Path) -> None:
    if launch.rank() > 0:  # rank 0 speaks
        return
    from sparseviz.cli.table import read_facts, show_facts  # noqa: PLC0415  # keeps --help quick

    show_facts(console(), path, read_facts(path))
    click.echo(path)


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: errors are turned into words here, once."""
    args = sys.argv[1:] if args is None else args
    if "--debug" in args:
        logging.basicConfig(level=logging.INFO)
        sys.exit(_cli.main(args, prog_name="sparseviz", standalone_mode=False))
    sys.exit(_guarded(lambda: _cli.main(args, prog_name="sparseviz", standalone_mode=False)))


def _guarded(job: Callable[[], Any]) -> int:
    try:
        return job() or 0
    except click.ClickException as error:
        if launch.is_first_to_tell():
            error.show()
        return error.exit_code
    except InputError as error:
        return _complain(error, error.status)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", 130)
    except Exception as error:  # noqa: BLE001  # the last place where it can be put in words
        return _complain(f"unexpected {type(error).__name__}: {error}; --debug shows where{own_code.where(error)}", 1)


def _complain(error: object, status: int) -> int:
    if launch.is_first_to_tell():
        click.echo(f"sparseviz: {error}", err=True)
    return status
