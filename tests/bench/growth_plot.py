"""The growth of every cost as one picture: both axes logarithmic, a panel for each thing that grows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from matplotlib.figure import Figure

MARKERS = "osD^vPX"  # told apart without colour


class _Growth(Protocol):
    @property
    def of(self) -> str: ...
    @property
    def cost(self) -> str: ...
    @property
    def points(self) -> dict[int, float]: ...


def draw(found: Sequence[_Growth], path: Path) -> None:
    """Write the picture; every cost is relative to its largest, so that a line of slope 1 is the grey one."""
    names = list(dict.fromkeys(one.of for one in found))
    figure = Figure(figsize=(4 * max(len(names), 1), 3.8), layout="constrained")
    for place, name in enumerate(names, start=1):
        axes = figure.add_subplot(1, len(names), place)
        mine = [one for one in found if one.of == name and any(value > 0 for value in one.points.values())]
        for number, one in enumerate(mine):
            most = max(one.points.values())
            shares = [value / most for value in one.points.values()]
            axes.plot(list(one.points), shares, marker=MARKERS[number % len(MARKERS)], label=one.cost)
        ends = sorted({point for one in mine for point in one.points})
        if ends:
            axes.plot([ends[0], ends[-1]], [ends[0] / ends[-1], 1], color="0.6", linestyle=":", label="linear")
        axes.set(xscale="log", yscale="log", xlabel=name, ylabel="share of the largest")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
