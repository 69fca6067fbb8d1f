"""Counts of weights as heights, as levels of colour and as ticks, on a log or a linear scale."""

import math

import numpy as np
import numpy.typing as npt

from sparseviz.values.snapshot import ByteArray, FloatArray, IntArray

LEAST_SHARE = 1e-3  # the log scale of shares ends here; what is less but not nothing is as faint as can be
_PARTS = {1: 5, 2: 4, 3: 3, 4: 4, 5: 5, 6: 3, 8: 4}  # the ends of a linear axis, and in how many parts it is divided
Ticks = list[list[tuple[float, str]]]  # major and minor, each a place and its text


def heights(counts: IntArray, *, log: bool) -> FloatArray:
    """Where counts stand on an axis; on the log scale at log10(1 + count), so that 0 has a place."""
    return np.log10(1.0 + counts) if log else counts.astype(np.float64)


def levels(counts: IntArray, most: int, *, log: bool) -> ByteArray:
    """Counts as levels: 0 is none, 255 is `most`; a single weight is seen."""
    share = np.log1p(counts) / math.log1p(most) if log else counts / most
    return np.ceil(255 * share).clip(0, 255).astype(np.uint8)


def share_levels(shares: npt.NDArray[np.floating], *, log: bool) -> ByteArray:
    """Shares as levels: 0 is none or NaN, 255 is all; the log scale begins at LEAST_SHARE."""
    known = np.nan_to_num(shares, nan=0.0)
    part = 1 - np.log10(known.clip(LEAST_SHARE, 1)) / math.log10(LEAST_SHARE) if log else known
    return np.where(known > 0, np.ceil(255 * part).clip(1, 255), 0).astype(np.uint8)


def round_top(most: int) -> int:
    """The smallest of 1, 2, 3, 4, 5, 6, 8, 10, 20 ... that is not below `most`."""
    power = int("1" + "0" * (len(str(max(most, 1))) - 1))
    return next(factor * power for factor in (*_PARTS, 10) if factor * power >= most)


def log_ticks(most: int, every: int) -> Ticks:
    """Where 0, 1, 10, 100 ... stand; every so many of the powers beyond 1 is written out."""
    powers = [10**exponent for exponent in range(int(math.log10(most)) + 1)] if most else []
    places = [(math.log10(1 + power), written(power)) for power in powers]
    return [[(0.0, "0"), *places[::every][1:]], [(place, "") for place, _ in places]]


def linear_ticks(top: int, *, few: bool) -> Ticks:
    """Ticks up to what `round_top` gives: both ends alone, or round counts between them, too."""
    parts = _PARTS[int(str(top)[0])]
    between = [] if few or top % parts else [top * part // parts for part in range(1, parts)]
    return [[(float(count), written(count)) for count in (0, *between, top)], [(top / 2, "")]]


def brief(count: int) -> str:
    """A count in at most four signs: 999, 9.9k, 400k, 12M."""
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if count >= 0.9995 * size:
            parts = count / size
            return f"{parts:.1f}{sign}" if parts < 9.95 else f"{parts:.0f}{sign}"
    return f"{count}"


def written(count: int) -> str:
    """A round count on an axis: 1k, not 1.0k."""
    return brief(count).replace(".0", "")
