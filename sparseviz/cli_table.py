"""The layer table of a run, as text."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

COLUMNS = ("layer", "shape", "before", "kept", "sparse", "compression", "undecided kept / cut", "dead units")


def show_summary(console: Console, run: dict[str, Any]) -> None:
    """Print a run's layer table and how it ended; `run` is what `store.summary` gives."""
    if run.get("layers"):
        console.print(_table(run))
        console.print(
            f"compression  {_times(run['compression'])} of all parameters, "
            f"{_times(run['compression_weights'])} of the weights"
        )
        errors = ", ".join(f"{split} {_percent(value)}" for split, value in run["error_percent"].items())
        console.print(f"error        {errors}")
    console.print(f"status       {_status(run)}, {run['snapshots']} snapshots", markup=False)
    if parent := run["parent"]:
        console.print(f"branched     from {parent['name']} at step {parent['step']:,}", markup=False)
    console.print(f"checkpoints  at steps {', '.join(map(str, run['checkpoints']))}", markup=False)
    if run["data_note"]:
        console.print(f"data         {run['data_note']}", markup=False)


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
