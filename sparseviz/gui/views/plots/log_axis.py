"""A log axis: its numbers as they are written, and the range that values need on it."""

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from sparseviz.gui.views.plots.axis import PaintedAxis, Ticks
from sparseviz.values.snapshot import FloatArray

_LEAST_SPAN = 0.2  # decades
_LEVELS = 3  # of ticks, at most
_PARTS = [math.log10(factor) for factor in range(1, 10)]  # of a decade


class LogAxis(PaintedAxis):
    """Numbers of a log axis as they are written: 0.1, 20k."""

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        """Powers of ten, as pyqtgraph spaces them, and below them 2, 3, 4 ... times a power where there is room."""
        if not self.logMode:
            return super().tickValues(low, high, size)
        found: Ticks = []
        seen: set[float] = set()
        for spacing in (spacing for spacing, _ in self.tickSpacing(low, high, size) if spacing >= 1):
            places = [number * spacing for number in range(math.ceil(low / spacing), math.floor(high / spacing) + 1)]
            found.append((spacing, [place for place in places if place not in seen]))
            seen |= set(places)
        if len(found) < _LEVELS:
            decades = range(math.floor(low), math.ceil(high))
            found.append((None, [at for decade in decades for part in _PARTS if low < (at := decade + part) < high]))
        return found

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002
        """The texts at these powers of ten."""
        texts = [_written(10.0**value) for value in values]
        fewer = [text if text.strip("0.,e-kM")[:1] in "1235" else "" for text in texts]
        return fewer if len(list(filter(None, fewer))) > 1 else texts


@lru_cache(maxsize=1000)
def _written(number: float) -> str:
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if number > 0.99 * size:
            return f"{number / size:,.0f}{sign}"
    return f"{number:.0f}" if number > 0.99 else f"{number:.1g}"


def on_log_axis(values: FloatArray) -> FloatArray:
    """The values that have a place on a log axis; NaN for the others."""
    return np.where(values > 0, values, np.nan)


def log_range(parts: Iterable[FloatArray]) -> tuple[float, float] | None:
    """The powers of ten from the least to the largest value, not too near to each other; None without values."""
    values = np.concatenate([np.zeros(0), *parts])
    values = values[values > 0]
    if not len(values):
        return None
    low, high = np.log10([values.min(), values.max()]).tolist()
    widen = max(_LEAST_SPAN - (high - low), 0) / 2
    return low - widen, high + widen
