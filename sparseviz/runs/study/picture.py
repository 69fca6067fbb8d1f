"""A study's picture: ours in full lines, the published figures dashed."""

import itertools
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure  # not pyplot: no window, no global state
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from sparseviz.runs.study.plan import Plan, Series, Study, Values

Row = Mapping[str, Any]
_MARKERS = "osD^vPX*<>"  # told apart without colour
_SIZE = "parameters kept"
_SHIFT = 0.03  # of methods of one size, which would lie on each other
_LOG_SPAN = 100  # an axis whose values span more than this is logarithmic


def draw(plan: Plan, rows: Sequence[Row], layers: Sequence[Row], path: Path) -> None:
    """Write the picture of a plan's rows (`report.write_report`) to an image file at `path`."""
    study = plan.study
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    if study.published:
        _draw_points(axes, plan, rows)
    elif study.x:
        _draw_lines(axes, study, rows)
    else:
        _draw_layers(axes, layers)
    axes.set_title(plan.title)
    axes.grid(alpha=0.3)
    if study.published:
        figure.legend(fontsize="small", loc="outside right upper", title="full: test\nhollow: validation")
    elif axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=150, format="png")


def _draw_lines(axes: Axes, study: Study, rows: Sequence[Row]) -> None:
    places, ticks = _places(study, rows)
    for number, series in enumerate(study.series):
        mine = [row for row in rows if row["series"] == series.name]
        quantity, word = _quantity(series)
        marker = _MARKERS[number % len(_MARKERS)]
        style: dict[str, Any] = {"color": f"C{number}", "marker": marker, "linestyle": "" if ticks else "-"}
        axes.plot(*_means(study, mine, places, quantity), **style, label=f"{series.name}, ours ({word})")
        style |= {"linestyle": "" if ticks else "--", "markerfacecolor": "none"}
        if series.paper:
            axes.plot(*_means(study, mine, places, "paper sparsity"), **style, label=f"{series.name}, paper")
    axes.set_xlabel(", ".join(study.x))
    axes.set_ylabel("sparsity, % of the gated weights")
    if ticks:  # cases, which have no order
        axes.set_xticks(range(len(ticks)), ticks)
    elif min(places.values()) > 0 and max(places.values()) > _LOG_SPAN * min(places.values()):
        axes.set_xscale("log")


def _quantity(series: Series) -> tuple[str, str]:
    """The column that compares with the paper's figure for such a draw, and its name in the legend."""
    sampled = series.settings.get("method.draw") == "bernoulli"
    return ("expected", "expected") if sampled else ("sparsity", "threshold mask")


def _places(study: Study, rows: Sequence[Row]) -> tuple[dict[Values, float], list[str]]:
    """Where each value lies on the axis, and the texts beneath where several settings make a value."""
    values = dict.fromkeys(_value(study, row) for row in rows)
    if len(study.x) == 1:
        return {value: value[0] for value in values}, []
    texts = [", ".join(f"{part:g}" for part in value) for value in values]
    return {value: place for place, value in enumerate(values)}, texts


def _value(study: Study, row: Row) -> Values:
    return tuple(row[name] for name in study.x)


def _means(
    study: Study, rows: Sequence[Row], places: Mapping[Values, float], column: str
) -> tuple[list[float], list[float]]:
    """Places on the axis, and the means over the seeds that are there."""
    found: dict[Values, list[float]] = {}
    for row in rows:
        if row[column] is not None:
            found.setdefault(_value(study, row), []).append(row[column])
    return [places[value] for value in found], [fmean(column) for column in found.values()]


def _draw_layers(axes: Axes, layers: Sequence[Row]) -> None:
    names = list(dict.fromkeys(row["layer"] for row in layers))
    runs = list(dict.fromkeys(row["run"] for row in layers))
    width = 0.8 / max(len(runs), 1)
    for number, run in enumerate(runs):
        mine = {row["layer"]: row for row in layers if row["run"] == run}
        places = [place + (number - (len(runs) - 1) / 2) * width for place in range(len(names))]
        axes.bar(
            places, [mine[name]["sparsity"] for name in names], width, label=run, hatch=["", "//", ".."][number % 3]
        )
        paper = [(place, mine[name]["paper sparsity"]) for place, name in zip(places, names, strict=True)]
        told = [(place, value) for place, value in paper if value is not None]
        if told:
            axes.plot(*zip(*told, strict=True), "k_", markersize=18, label=f"{run}, paper")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("sparsity, %")


def _draw_points(axes: Axes, plan: Plan, rows: Sequence[Row]) -> None:
    """Every run twice, its test error full and its validation error hollow; published networks as letters."""
    study = plan.study
    for number, series in enumerate(study.series):
        style: dict[str, Any] = {"color": f"C{number}", "marker": _MARKERS[number % len(_MARKERS)], "linestyle": ""}
        for split, face, label in (("validation", "none", None), ("test", f"C{number}", series.name)):
            sizes, errors = points_of(rows, series.name, split, study.against)
            places = [size * (1 + _SHIFT) ** number for size in sizes] if study.against == _SIZE else sizes
            axes.plot(places, errors, **style, markerfacecolor=face, label=label)
    if all(run.config.data.name == "mnist" for run in plan.runs):  # as the published networks were trained
        _draw_published(axes, study)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    shift = f"parameters kept (each method is drawn {_SHIFT:.0%} to the right of the one before, to be told apart)"
    axes.set_xlabel(shift if study.against == _SIZE else "compression by weights, times")
    axes.set_ylabel("error, %")


def _draw_published(axes: Axes, study: Study) -> None:
    """A letter each, told in the legend: names beside the points would lie on each other."""
    published = sorted(study.published, key=lambda point: point.compression)
    for letter, point in zip(itertools.cycle(string.ascii_uppercase), published, strict=False):
        size = point.weights_kept if study.against == _SIZE else point.compression
        axes.plot(size or 0, point.error, "k", marker=f"${letter}$", linestyle="", label=point.name)


def points_of(
    rows: Sequence[Row], series: str, split: str, against: str = "compression by weights"
) -> tuple[list[float], list[float]]:
    """Size and error in percent of the runs of a series that have both."""
    found = [(row[against], row[f"{split} error"]) for row in rows if row["series"] == series]
    whole = [point for point in found if None not in point]
    return [size for size, _ in whole], [error for _, error in whole]
