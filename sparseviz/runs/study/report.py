"""A study's table (CSV, Markdown) and picture, from its run files."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from sparseviz.config.whole_file import whole_file
from sparseviz.runs.study.plan import Plan, PlannedRun
from sparseviz.runs.study.work import run_path
from sparseviz.store import RunReader, summary

NOT_RUN = "not run"
SIZES = ("sparsity", "expected", "variance", "weights kept", "parameters kept", "compression by weights")
MEASURED = (*SIZES, "validation error", "test error")
Row = dict[str, Any]  # column to value; None where there is none


def write_report(plan: Plan, folder: Path) -> tuple[Path, ...]:
    """Write runs.csv, layers.csv, table.md and plot.png into `folder`, of all runs that are there; their paths.

    Percent throughout. `sparsity` is the share removed of the gated layers' weights by the threshold mask, also
    after bernoulli draws; `expected` is 100 * mean(1 - g) and `variance` 100 * mean(g (1 - g)) over their gates
    (paper, equation 3).
    """
    from sparseviz.runs.study.picture import draw  # noqa: PLC0415  # matplotlib takes half a second, and no window needs it

    found = [(run, _summary(run_path(folder, run))) for run in plan.runs]
    rows = [_row(plan, run, told) for run, told in found]
    layers = [row for run, told in found for row in _layer_rows(run, told)]
    shown = (means(rows), rows) if plan.study.x or plan.study.published else (means(rows), rows, layers)
    text = "\n\n".join([f"# {plan.title}", *filter(None, map(_markdown, shown))]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    return (
        _write_whole(folder / "runs.csv", partial(_write_text, _csv(rows))),
        _write_whole(folder / "layers.csv", partial(_write_text, _csv(layers))),
        _write_whole(folder / "table.md", partial(_write_text, text)),
        _write_whole(folder / "plot.png", partial(draw, plan, rows, layers)),
    )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _write_whole(path: Path, write: Callable[[Path], None]) -> Path:
    """A reader finds the old file or the new one, never half of it."""
    with whole_file(path) as temporary:
        write(temporary)
    return path


def _summary(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    with RunReader(path) as run:
        return summary(run)


def _row(plan: Plan, run: PlannedRun, told: Mapping[str, Any] | None) -> Row:
    row: Row = {"series": run.series, **dict(zip(plan.study.x, run.values, strict=True)), "seed": run.seed}
    row["paper sparsity"], row["paper variance"] = run.paper, run.paper_variance
    row |= dict.fromkeys(MEASURED)
    row["status"] = told["status"] if told else NOT_RUN
    if told:
        row |= _measured(told)
    return row


def _measured(told: Mapping[str, Any]) -> Row:
    gated = [layer for layer in told["layers"] if layer["expected_sparsity"] is not None]
    weights = sum(layer["parameters"] for layer in gated)

    def mean(name: str) -> float | None:
        return 100 * sum(layer[name] * layer["parameters"] for layer in gated) / weights if weights else None

    return {
        "sparsity": 100 * (1 - sum(layer["kept"] for layer in gated) / weights) if weights else None,
        "expected": mean("expected_sparsity"),
        "variance": mean("gate_variance"),
        "weights kept": told["weights_kept"],
        "parameters kept": told["kept"],
        "compression by weights": told["compression_weights"],
        "validation error": told["error_percent"]["validation"],
        "test error": told["error_percent"]["test"],
    }


def means(rows: Sequence[Row]) -> list[Row]:
    """Over the seeds of each series and value, of the figures that all of these have; none where there is one seed."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        given = {name: value for name, value in row.items() if name not in MEASURED and name != "seed"}
        groups.setdefault(tuple(given.items()), []).append(row)
    if all(len(group) == 1 for group in groups.values()):
        return []
    return [dict(given) | {"seeds": len(group)} | _mean(group) for given, group in groups.items()]


def _mean(group: Sequence[Row]) -> Row:
    columns = {name: [row[name] for row in group] for name in MEASURED}
    return {name: None if None in values else fmean(values) for name, values in columns.items()}


def _layer_rows(run: PlannedRun, told: Mapping[str, Any] | None) -> Iterable[Row]:
    if told is None:
        return
    whole = {"name": "total", "parameters": told["weights"], "kept": told["weights_kept"], "dead_units": None}
    for layer in [*told["layers"], whole]:
        yield {
            "run": run.name,
            "layer": layer["name"],
            "weights": layer["parameters"],
            "kept": layer["kept"],
            "sparsity": 100 * (1 - layer["kept"] / layer["parameters"]),
            "paper sparsity": run.paper_layers.get(layer["name"]),
            "compression": layer["parameters"] / layer["kept"] if layer["kept"] else None,
            "dead units": layer["dead_units"],
        }


def _csv(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _markdown(rows: Sequence[Row]) -> str:
    """Columns in which no row has a value are left out."""
    if not rows:
        return ""
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    lines = [columns, ["---"] * len(columns), *([_cell(row[name]) for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}" if math.isclose(value, round(value, 2)) or abs(value) >= 1 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
