"""How cost grows with gates, layers, snapshots and runs; each point in a process of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.child import ChildError, call
from tests.bench.growth_plot import draw

SERIES: dict[str, tuple[str, tuple[int, ...]]] = {  # what grows, what measures it, and where
    "gates": ("growth_points:gates", (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)),
    "layers": ("growth_points:deep", (4, 12, 40, 120, 400)),
    "snapshots": ("growth_points:snapshots", (10, 100, 1000, 10_000, 100_000)),
    "runs": ("growth_points:runs", (10, 100, 1000, 10_000)),
}
LINEAR = 1.15  # an exponent up to here is told as linear: times are never exact


@dataclass(frozen=True)
class Growth:
    """One cost at every point."""

    of: str
    cost: str
    points: dict[int, float]

    def exponent(self) -> float | None:
        """The slope in a log-log plot over the upper half of the points, where what is fixed no longer counts."""
        found = sorted(self.points.items())[-3:]
        if len(found) < 2 or min(value for _, value in found) <= 0:
            return None
        points, costs = np.log(np.array(found)).T
        return float(np.polyfit(points, costs, 1)[0])


def measure_growth(
    machine: Mapping[str, str], stem: Path, series: Mapping[str, tuple[str, tuple[int, ...]]] = SERIES
) -> list[Growth]:
    """Measure all, print the table, and write STEM.json, STEM.md and STEM.png."""
    found: list[Growth] = []
    for name, (function, points) in series.items():
        costs: dict[str, dict[int, float]] = {}
        for point in points:
            for cost, value in _at(function, point).items():
                costs.setdefault(cost, {})[point] = value
        found += [Growth(name, cost, values) for cost, values in costs.items()]
    stem.parent.mkdir(parents=True, exist_ok=True)
    content = [{"of": one.of, "cost": one.cost, "points": one.points, "exponent": one.exponent()} for one in found]
    stem.with_suffix(".json").write_text(json.dumps({"machine": machine, "growth": content}, indent=1) + "\n")
    text = as_markdown(machine, found)
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    draw(found, stem.with_suffix(".png"))
    print(text)
    return found


def _at(function: str, point: int) -> dict[str, float]:
    try:
        values: dict[str, float] = call(function, point)
    except ChildError as error:
        print(f"{function} at {point:,} broke off: {error}")
        return {}
    print(f"{function} at {point:,}: {', '.join(f'{name} {value:.4g}' for name, value in values.items())}", flush=True)
    return values


def as_markdown(machine: Mapping[str, str], found: Sequence[Growth]) -> str:
    """A table for each thing that grows."""
    lines = [f"{', '.join(f'{name} {value}' for name, value in machine.items())}."]
    for of in dict.fromkeys(one.of for one in found):
        mine = [one for one in found if one.of == of]
        points = sorted({point for one in mine for point in one.points})
        lines += [
            "",
            f"| {of} | {' | '.join(f'{point:,}' for point in points)} | exponent |",
            "|---" * (len(points) + 2) + "|",
        ]
        for one in mine:
            cells = [f"{one.points[point]:.4g}" if point in one.points else "" for point in points]
            lines.append(f"| {one.cost} | {' | '.join(cells)} | {_told(one.exponent())} |")
    return "\n".join([*lines, ""])


def _told(exponent: float | None) -> str:
    if exponent is None:
        return ""
    return f"{exponent:.2f}" if exponent <= LINEAR else f"**{exponent:.2f}**"
