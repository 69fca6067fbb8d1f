"""The layer table of a run or a model file, as text."""

from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from sparseviz.cli.console import console
from sparseviz.config.paths import is_model_file
from sparseviz.training import launch

COLUMNS = ("layer", "shape", "before", "kept", "sparse", "compression", "undecided kept / cut", "dead units")


def read_facts(path: Path) -> dict[str, Any]:
    """What `info` says of a run or a model file, as plain values. Raises InputError."""
    if is_model_file(path):
        from sparseviz.analysis.model_file import facts, open_model  # noqa: PLC0415  # torch takes seconds: only when needed

        return facts(open_model(path))
    from sparseviz.store import RunReader, summary  # noqa: PLC0415

    with RunReader(path) as run:
        return summary(run)


def show_run(path: Path) -> None:
    """Print the table of a run or a model file, and last its path."""
    if launch.rank() == 0:  # it speaks for all
        show_facts(console(), path, read_facts(path))
        click.echo(path)


def show_facts(out: Console, path: Path, facts: dict[str, Any]) -> None:
    """Print what `read_facts` gave."""
    (show_model if is_model_file(path) else show_summary)(out, facts)


def show_model(out: Console, model: dict[str, Any]) -> None:
    """Print a model file's layer table; `model` is what `model_file.facts` gives."""
    out.print(_table(model))
    _show_compression(out, model)
    out.print(f"form         {model['form']}, stored as {', '.join(_kinds(model))}", markup=False)
    for note in model["notes"]:
        out.print(f"note         {note}", markup=False)


def _kinds(model: dict[str, Any]) -> list[str]:
    return sorted({layer["numbers"] for layer in model["layers"]})


def _show_compression(out: Console, sizes: dict[str, Any]) -> None:
    out.print(
        f"compression  {_times(sizes['compression'])} of all parameters, "
        f"{_times(sizes['compression_weights'])} of the weights"
    )


def show_summary(out: Console, run: dict[str, Any]) -> None:
    """Print a run's layer table and how it ended; `run` is what `store.summary` gives."""
    if run.get("layers"):
        out.print(_table(run))
        _show_compression(out, run)
        errors = ", ".join(f"{split} {_percent(value)}" for split, value in run["error_percent"].items())
        out.print(f"error        {errors}")
    out.print(f"status       {_status(run)}, {run['snapshots']} snapshots", markup=False)
    if parent := run["parent"]:
        out.print(f"branched     from {parent['name']} at step {parent['step']:,}", markup=False)
    out.print(f"checkpoints  at steps {', '.join(map(str, run['checkpoints']))}", markup=False)
    for what in ("data", "weights"):
        if note := run[f"{what}_note"]:
            out.print(f"{what:<12} {note}", markup=False)


def _status(run: dict[str, Any]) -> str:
    if run["writer"]:
        return f"{run['status']}, written by process {run['writer']['pid']} on {run['writer']['host']}"
    return f"{run['status']}: {run['message']}" if run["message"] else str(run["status"])


def _table(run: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in COLUMNS[:2] else "right", no_wrap=True)
    for layer in run["layers"]:
        undecided = f"{_share(layer['undecided_kept'])} / {_share(layer['undecided_cut'])}"
        shape = "×".join(map(str, layer["shape"]))
        table.add_row(
            layer["name"], shape, *_sizes(layer["parameters"], layer["kept"]), undecided, str(layer["dead_units"])
        )
    biases, biases_kept = (sum(layer[name] for layer in run["layers"]) for name in ("biases", "biases_kept"))
    table.add_row("biases", "", *_sizes(biases, biases_kept), "", "")
    others = run["parameters"] - run["weights"] - biases
    if others:
        table.add_row("others", "", *_sizes(others, others), "", "")
    table.add_section()
    table.add_row("total", "", *_sizes(run["parameters"], run["kept"]), "", "", style="bold")
    return table


def _sizes(before: int, kept: int) -> tuple[str, str, str, str]:
    sparse = f"{100 * (1 - kept / before):.2f} %" if before else ""
    return f"{before:,}", f"{kept:,}", sparse, _times(before / kept if kept else None)


def _times(value: float | None) -> str:
    return "all cut" if value is None else f"{value:.1f}x"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _percent(value: float | None) -> str:
    return "not read" if value is None else f"{value:.2f} %"
