"""Times of works that are repeated in turns, so that whatever else the machine does falls on all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of one value it is that value three times."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)


def seconds(work: Work) -> float:
    """How long the work takes once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(works: Mapping[str, Work], repeats: int, *, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of every repeat of every work, by name; the first `warm` rounds are not counted."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(warm + repeats):
        for name, work in works.items():
            gc.collect()
            took = seconds(work)
            if number >= warm:
                found[name].append(took)
    return found


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Of each turn's two times: what both suffered together cancels."""
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])
