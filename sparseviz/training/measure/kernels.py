"""What a processor counts of rows of a layer's matrix, compiled: a quarter of the time of the tensors' own functions.

A mask is read as bytes of 0 and 1. Each loop goes over few arrays: only so it becomes vector instructions. No kernel
holds Python's lock, so that a window goes on drawing. Importing this module compiles, or finds what was compiled.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

Function: TypeAlias = Callable[..., Any]
Floats: TypeAlias = npt.NDArray[np.float32]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int32]

_AT_ONCE = 2048  # values whose bins are known before they are counted: they lie in the nearest cache

_inlined: Callable[[Function], Function] = numba.njit(nogil=True)


def _compiled(signature: str, **options: Any) -> Callable[[Function], Function]:
    """Compile it now, for these types alone, or take what an earlier process has compiled."""

    def kernel_of(function: Function) -> Function:
        try:
            kernel: Function = numba.njit(signature, nogil=True, cache=True, **options)(function)
        except Exception:  # noqa: BLE001  # no folder to keep it in, a full disk, a damaged file: each has its own words
            kernel = numba.njit(signature, nogil=True, **options)(function)
        return kernel

    return kernel_of


@_compiled("i8(u1[:, ::1], u1[:, ::1], i4[:, ::1], i4)")
def note_flips(mask: Bytes, last: Bytes, cut_at: Ints, number: int) -> int:
    """How many entries are not those of the last mask, which becomes this one; at those cut now `number` is noted."""
    flips = 0
    for row in range(len(mask)):
        now, before, noted = mask[row], last[row], cut_at[row]
        found = 0
        for column in range(len(now)):
            found += now[column] ^ before[column]
        if found:  # seldom: what is noted need not be read otherwise
            flips += found
            for column in range(len(now)):
                noted[column] = number if now[column] < before[column] else noted[column]
                before[column] = now[column]
    return flips


@_compiled("void(f4[::1], f4, f4, i8[::1])")
def count_bins(values: Floats, low: float, scale: float, counts: npt.NDArray[np.int64]) -> None:
    """Add how many values lie in each bin, 1 / scale wide from `low` on; those outside, and NaN in the first."""
    least, most = np.float32(0), np.float32(len(counts) - 1)
    bins = np.empty(_AT_ONCE, np.uint8)
    beside = np.zeros((4, len(counts)), np.int64)  # the same bin anew would wait for the count before
    for first in range(0, len(values), _AT_ONCE):
        part = values[first : first + _AT_ONCE]
        for at in range(len(part)):
            bins[at] = np.uint8(min(most, max(least, (part[at] - low) * scale)))
        for at in range(len(part)):
            beside[at % 4, bins[at]] += 1
    for way in range(4):
        for place in range(len(counts)):
            counts[place] += beside[way, place]


@_compiled("void(f4[::1], u1[::1], f4, f4, f8[::1])", fastmath={"reassoc"})  # sums in any order
def sum_gates(gates: Floats, mask: Bytes, low: float, high: float, sums: npt.NDArray[np.float64]) -> None:
    """Add g and g (1 - g) to `sums`, and how many gates lie between `low` and `high`, of all and of the kept."""
    total, variance, between, kept = 0.0, 0.0, 0, 0
    for at in range(len(gates)):
        gate = np.float64(gates[at])
        total += gate
        variance += gate - gate * gate
    for at in range(len(gates)):
        is_between = (gates[at] > low) & (gates[at] < high)
        between += is_between
        kept += is_between & mask[at]
    sums[0] += total
    sums[1] += variance
    sums[2] += between
    sums[3] += kept


@_inlined
def _add_row(weights: Floats, mask: Bytes, columns: Floats) -> int:
    """Take a row's kept weights into what its columns have; how many they are."""
    high, low, kept = columns[0], columns[1], columns[2]
    for column in range(len(weights)):
        weight = weights[column] * np.float32(mask[column])
        high[column] = weight if (weight > high[column]) | np.isnan(weight) else high[column]
        low[column] = min(low[column], weight)
    count = 0
    for column in range(len(weights)):
        count += mask[column]
        kept[column] += np.float32(mask[column])
    return count


@_inlined
def _add_columns(columns: Floats, width: int, blocks: Floats) -> None:
    """Take what the columns have into their blocks: the first of every block, then the second, and so on."""
    high, low, kept = columns[0], columns[1], columns[2]
    highest, lowest, count = blocks[0], blocks[1], blocks[2]
    for offset in range(width):
        wide = (len(high) - offset + width - 1) // width  # the last block may be narrower
        for block in range(wide):
            one = high[block * width + offset]
            highest[block] = one if (one > highest[block]) | np.isnan(one) else highest[block]
        for block in range(wide):
            lowest[block] = min(lowest[block], low[block * width + offset])
        for block in range(wide):
            count[block] += kept[block * width + offset]


@_compiled("void(f4[:, ::1], u1[:, ::1], UniTuple(i8, 2), i4[::1], i4[::1], f4[:, :, ::1])")
def look_at(  # noqa: PLR0913, PLR0917  # rows, how they are divided, and what of the matrix they are added to
    weights: Floats, mask: Bytes, block: tuple[int, int], row_kept: Ints, column_kept: Ints, blocks: Floats
) -> None:
    """Count the kept by row and column, and find what the preview's blocks show, of rows that are whole block rows.

    `block` are the rows and columns of one. `blocks`, (block rows, 3, block columns), begin at 0: the highest and the
    lowest kept weight, and how many are kept. A weight of NaN, and an infinite one that is cut, makes the highest NaN.
    """
    height, width = block
    columns = np.zeros((3, weights.shape[1]), np.float32)  # the same three, of each column in the block row under way
    for row in range(len(weights)):
        row_kept[row] = _add_row(weights[row], mask[row], columns)
        if (row + 1) % height == 0 or row + 1 == len(weights):
            for column in range(len(column_kept)):
                column_kept[column] += np.int32(columns[2, column])
            _add_columns(columns, width, blocks[row // height])
            columns[:] = 0


@_inlined
def _extreme(blocks: Floats, row: int, column: int) -> np.float32:
    """A block's kept weight of the largest magnitude."""
    high, low = blocks[row, 0, column], blocks[row, 1, column]
    return low if -low > high else high  # type: ignore[no-any-return]


@_inlined
def _level(extreme: np.float32, scale: np.float32) -> np.uint8:
    """128 and up to 127 more or less, at least one; 0 of what is not finite."""
    level = np.rint(np.float32(127) * extreme / scale)
    if not np.isfinite(level):
        return np.uint8(0)
    one = np.float32(1)
    return np.uint8(np.float32(128) + (min(level, -one) if extreme < 0 else max(level, one)))


@_compiled("f4(f4[:, :, ::1], UniTuple(i8, 4), u1[:, :, ::1])")
def paint(blocks: Floats, size: tuple[int, int, int, int], preview: Bytes) -> np.float32:
    """Fill a preview's two planes (see `reductions.take_preview`) with what `look_at` has found; returns the scale.

    `size` are the rows and columns of the whole matrix and of a block.
    """
    scale = np.float32(0)
    for row in range(len(blocks)):
        for column in range(blocks.shape[2]):
            most = abs(_extreme(blocks, row, column))
            scale = most if (most > scale) | np.isnan(most) else scale
    rows, columns, height, width = size
    one, by = np.float32(1), np.float32(1) if scale == 0 else scale
    for row in range(len(blocks)):
        inside = min(height, rows - row * height)
        for column in range(blocks.shape[2]):
            density = blocks[row, 2, column] / np.float32(inside * min(width, columns - column * width))
            preview[0, row, column] = _level(_extreme(blocks, row, column), by) if density > 0 else 128
            preview[1, row, column] = np.uint8(max(one, np.rint(np.float32(255) * density))) if density > 0 else 0
    return scale
