"""From numbers to the 256 levels of a heatmap: previews as they come, true cells pooled to what a screen can show."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparseviz.gui.theme import NONE_KEPT, Colours, Theme, count_colours, magnitude_colours, sign_colours
from sparseviz.snapshot import ByteArray, Cells, LayerInfo, LayerSnapshot, Quantity

MOST_POINTS = 1024  # of a halftone along one side
SHOWS = ("magnitude", "sign", "density", "quantity")  # what a heatmap can show
_SIGNED = ("magnitude", "sign")


@dataclass(frozen=True, slots=True)
class Scale:
    """A colour bar: the colours from its low end to its high end, and the numbers there."""

    low: float
    high: float
    first: int  # the level of the low end; the high end is level 255
    label: str


def colours(show: str, theme: Theme) -> Colours:
    """The colour of each level, (256, 3)."""
    return {"magnitude": magnitude_colours, "sign": sign_colours}.get(show, count_colours)(theme)


def scale_of(show: str, extreme: float, densest: float, quantity: Quantity) -> Scale:
    """The colour bar for what is shown; `extreme` is the |w| and `densest` the share at its high end."""
    extreme = extreme or 1.0
    return {
        "magnitude": Scale(0, extreme, NONE_KEPT, "|w|"),
        "sign": Scale(-extreme, extreme, 1, "w"),
        "density": Scale(0, 100 * densest, 0, "%"),
    }.get(show) or Scale(quantity.low, quantity.high, 0, quantity.name)


def block_of(info: LayerInfo) -> tuple[int, int]:
    """Rows and columns of the matrix in one pixel of its preview."""
    height, width = info.preview_shape
    return math.ceil(info.rows / height), math.ceil(info.columns / width)


def preview_levels(layer: LayerSnapshot, show: str, *, stretch: bool) -> tuple[ByteArray, float]:
    """The levels of a preview, and the share kept that level 255 stands for: the densest of all if stretched."""
    assert layer.preview is not None  # noqa: S101  # the caller has asked for one that has
    if show in _SIGNED:
        block = block_of(layer.info)
        return halftone(layer.preview[0], layer.preview[1], block, NONE_KEPT), 1.0
    densest = int(layer.preview[1].max()) if stretch else 255
    if not densest:
        return layer.preview[1], 1.0
    return np.ceil(layer.preview[1] * (255 / densest)).clip(0, 255).astype(np.uint8), densest / 255


def cell_levels(cells: Cells, show: str, extreme: float, quantity: Quantity) -> ByteArray:
    """The level of every true cell, (rows, columns)."""
    if show in _SIGNED:
        return _signed(cells, extreme)
    if show == "density":
        return np.where(cells.kept, np.uint8(255), np.uint8(0))
    share = (cells.quantity - quantity.low) / ((quantity.high - quantity.low) or 1.0)
    return np.asarray((1 + 254 * np.nan_to_num(share)).clip(1, 255), dtype=np.uint8)


def _signed(cells: Cells, extreme: float) -> ByteArray:
    """As in a preview: 128 is none kept, a kept weight is at least one level away from it."""
    size = np.ceil(np.abs(cells.weight) * (127 / (extreme or 1.0))).clip(1, 127)
    level = NONE_KEPT + np.where(cells.weight < 0, -size, size)
    return np.where(cells.kept, np.nan_to_num(level, nan=255), NONE_KEPT).astype(np.uint8)


def largest(cells: Cells) -> float:
    """The largest |w| that is kept; 0 where none is."""
    return float(np.abs(cells.weight[cells.kept]).max(initial=0.0))


def halftone(levels: ByteArray, density: ByteArray, block: tuple[int, int], rest: int) -> ByteArray:
    """Draw each pixel of a preview as points: as large a part of its block as is kept, at places of no meaning."""
    parts = tuple(min(cells, max(MOST_POINTS // pixels, 1)) for cells, pixels in zip(block, levels.shape, strict=True))
    if parts == (1, 1):
        return levels
    lit = _spread(density, parts) > _thresholds(density.shape, parts)
    return np.where(lit, _spread(levels, parts), np.uint8(rest))


def _spread(pixels: ByteArray, parts: tuple[int, ...]) -> ByteArray:
    return pixels.repeat(parts[0], axis=0).repeat(parts[1], axis=1)


@lru_cache(maxsize=8)
def _thresholds(shape: tuple[int, ...], parts: tuple[int, ...]) -> ByteArray:
    """From which density on each point is drawn: the same at every moment, so that points do not flicker."""
    count = parts[0] * parts[1]
    random = np.random.default_rng(0).random((*shape, count), dtype=np.float32)
    ranks = random.argsort(axis=2).argsort(axis=2).reshape(*shape, *parts)
    values = np.where(ranks == 0, 0, 255 * (ranks + 0.5) / count).astype(np.uint8)
    return values.transpose(0, 2, 1, 3).reshape(shape[0] * parts[0], shape[1] * parts[1])


def pool(levels: ByteArray, height: int, width: int, rest: int) -> ByteArray:
    """Fewer pixels, each the level of its cells that is farthest from `rest`, so that no kept cell vanishes."""
    if levels.shape == (height, width):
        return levels
    high = _reduce(np.maximum, levels, height, width)
    if rest == 0:
        return high
    low = _reduce(np.minimum, levels, height, width)
    farther = high.astype(np.int16) - rest >= rest - low.astype(np.int16)
    return np.where(farther, high, low)


def _reduce(ufunc: np.ufunc, levels: ByteArray, height: int, width: int) -> ByteArray:
    """Uneven blocks to one pixel each; gathering is some twenty times quicker than ufunc.reduceat."""
    for axis, count in enumerate((height, width)):
        cells = levels.shape[axis]
        bounds = np.arange(count + 1) * cells // count
        first, last = bounds[:-1], bounds[1:] - 1
        reduced = levels.take(first, axis)
        for further in range(1, int((last - first).max()) + 1):
            reduced = ufunc(reduced, levels.take(np.minimum(first + further, last), axis))
        levels = reduced
    return levels


def rest_level(show: str) -> int:
    """The level of a cell that is not there."""
    return NONE_KEPT if show in _SIGNED else 0
