"""From numbers to the 256 levels of a heatmap: previews as they come, true cells pooled to what a screen can show."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparseviz.gui.qt.theme import NONE_KEPT, Colours, Theme, count_colours, magnitude_colours, sign_colours
from sparseviz.values.cells import Cells, FloatPlane
from sparseviz.values.snapshot import ByteArray, LayerInfo, LayerSnapshot, Quantity

MOST_POINTS = 1024  # of a halftone along one side
SHOWS = ("magnitude", "sign", "mask", "density", "quantity", "age")  # what a heatmap can show
FROM_CELLS = ("quantity", "age")  # what no preview tells
_SIGNED = ("magnitude", "sign")


@dataclass(frozen=True, slots=True)
class Scale:
    """A colour bar: the colours from its low end to its high end, and the numbers there."""

    low: float
    high: float
    first: int  # the level of the low end; the high end is level 255
    label: str


@dataclass(frozen=True, slots=True)
class CellLevels:
    """Levels of a heatmap, or shares kept that become levels once it is known how many fall into a pixel."""

    values: ByteArray | FloatPlane  # (rows, columns); shares from 0 to 1
    rest: int  # the level of a cell that is not there
    shares: bool = False

    def fitted(self, height: int, width: int) -> tuple[ByteArray, float]:
        """Levels in no more pixels than this, and the share that the strongest stands for (1 of what is no share)."""
        if not self.shares:
            return pool(np.asarray(self.values, np.uint8), height, width, self.rest), 1.0
        shares = mean_pool(np.asarray(self.values, np.float32), height, width)
        densest = float(shares.max(initial=0.0)) or 1.0
        return np.ceil(shares * (255 / densest)).clip(0, 255).astype(np.uint8), densest


def colours(show: str, theme: Theme) -> Colours:
    """The colour of each level, (256, 3)."""
    return {"magnitude": magnitude_colours, "sign": sign_colours}.get(show, count_colours)(theme)


def scale_of(show: str, extreme: float, quantity: Quantity, newest: int) -> Scale:
    """The colour bar for what is shown; `extreme` is the |w|, `newest` the snapshot at its high end."""
    extreme = extreme or 1.0
    return {
        "magnitude": Scale(0, extreme, NONE_KEPT, "|w|"),
        "sign": Scale(-extreme, extreme, 1, "w"),
        "mask": Scale(0, 1, 0, "mask"),
        "density": Scale(0, 100, 0, "%"),
        "age": Scale(1, max(newest, 1) + 1, 1, "snapshot"),
    }.get(show) or Scale(quantity.low, quantity.high, 1, quantity.name)


def block_of(info: LayerInfo) -> tuple[int, int]:
    """Rows and columns of the matrix in one pixel of its preview."""
    height, width = info.preview_shape
    return math.ceil(info.rows / height), math.ceil(info.columns / width)


def preview_picture(layer: LayerSnapshot, show: str) -> CellLevels:
    """A preview as a picture; one of FROM_CELLS it cannot tell."""
    assert layer.preview is not None  # noqa: S101  # the caller has asked for one that has
    extreme, density = layer.preview
    if show == "density":
        return CellLevels(density / np.float32(255), 0, shares=True)
    if show == "mask":
        everywhere = np.full_like(density, 255)
        return CellLevels(halftone(everywhere, density, block_of(layer.info), 0), 0)
    return CellLevels(halftone(extreme, density, block_of(layer.info), NONE_KEPT), NONE_KEPT)


def cells_picture(cells: Cells, show: str, extreme: float, quantity: Quantity, newest: int) -> CellLevels:
    """True cells, or blocks of them, as a picture of their shape."""
    if show in _SIGNED:
        return CellLevels(_signed(cells, extreme), NONE_KEPT)
    if show == "density":
        return CellLevels(cells.density, 0, shares=True)
    if show == "mask":
        return CellLevels(np.where(cells.kept, np.uint8(255), np.uint8(0)), 0)
    if show == "age":
        return CellLevels(_ages(cells, newest), 0)
    share = (cells.quantity - quantity.low) / ((quantity.high - quantity.low) or 1.0)
    return CellLevels((1 + 254 * np.nan_to_num(share, neginf=0)).clip(1, 255).astype(np.uint8), 0)


def _ages(cells: Cells, newest: int) -> ByteArray:
    """When each cell was last cut; 0 is kept, or never seen to be cut."""
    if cells.cut_at is None:
        return np.zeros(cells.weight.shape, np.uint8)
    level = 1 + 254 * (cells.cut_at.clip(0, newest) / max(newest, 1))
    shown = (cells.cut_at >= 0) & (cells.density < 1)
    return np.where(shown, level, 0).astype(np.uint8)


def _signed(cells: Cells, extreme: float) -> ByteArray:
    """As in a preview: 128 is none kept, a kept weight is at least one level away from it."""
    size = np.ceil(np.abs(cells.weight) * (127 / (extreme or 1.0))).clip(1, 127)
    level = NONE_KEPT + np.where(cells.weight < 0, -size, size)
    return np.where(cells.kept, np.nan_to_num(level, nan=255), NONE_KEPT).astype(np.uint8)


def largest(cells: Cells) -> float:
    """The largest finite |w| that is kept; 0 where none is."""
    sizes = np.abs(cells.weight[cells.kept])
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))


def halftone(levels: ByteArray, density: ByteArray, block: tuple[int, int], rest: int) -> ByteArray:
    """Draw each pixel of a preview as points: as large a part of its block as is kept, at places of no meaning."""
    parts = tuple(min(cells, max(MOST_POINTS // pixels, 1)) for cells, pixels in zip(block, levels.shape, strict=True))
    if parts == (1, 1):
        return levels
    height, across = len(levels), levels.shape[1] * parts[1]
    wide_levels, wide_density = (pixels.repeat(parts[1], axis=1)[:, None] for pixels in (levels, density))
    lit = wide_density > _thresholds(density.shape, parts).reshape(height, parts[0], across)
    drawn = lit.view(np.uint8) * (wide_levels - np.uint8(rest)) + np.uint8(rest)  # quicker than to choose; it wraps
    return drawn.reshape(height * parts[0], across)


@lru_cache(maxsize=8)
def _thresholds(shape: tuple[int, ...], parts: tuple[int, ...]) -> ByteArray:
    """From which density on each point is drawn: the same at every moment, so that points do not flicker."""
    count = parts[0] * parts[1]
    random = np.random.default_rng(0).random((*shape, count), dtype=np.float32)
    order, ranks = random.argsort(axis=2), np.empty((*shape, count), dtype=np.uint16)
    np.put_along_axis(ranks, order, np.arange(count, dtype=np.uint16), axis=2)
    ranks = ranks.reshape(*shape, *parts)
    values = np.where(ranks == 0, 0, 255 * (ranks + 0.5) / count).astype(np.uint8)
    return values.transpose(0, 2, 1, 3).reshape(shape[0] * parts[0], shape[1] * parts[1])


def pool(levels: ByteArray, height: int, width: int, rest: int) -> ByteArray:
    """Fewer pixels, each the level of its cells that is farthest from `rest`, 0 or NONE_KEPT: no kept cell vanishes."""
    if levels.shape == (height, width):
        return levels
    if rest == 0:
        return _largest(levels, height, width)
    return _from_distance(_largest(_to_distance(levels), height, width))


def _to_distance(levels: ByteArray) -> ByteArray:
    """Twice the distance from NONE_KEPT, and one less for the negative of two that are equally far from it."""
    doubled: ByteArray = levels - np.uint8(NONE_KEPT)  # bytes wrap, here and below
    doubled += doubled
    doubled ^= np.uint8(255) * (levels < NONE_KEPT).view(np.uint8)
    return doubled


def _from_distance(distances: ByteArray) -> ByteArray:
    levels: ByteArray = np.right_shift(distances, np.uint8(1))
    levels ^= np.uint8(255) * (distances & np.uint8(1))
    levels += np.uint8(NONE_KEPT)
    return levels


def _largest(levels: ByteArray, height: int, width: int) -> ByteArray:
    """Uneven blocks to the largest of each; gathering is some twenty times quicker than ufunc.reduceat."""
    for axis, count in enumerate((height, width)):
        cells = levels.shape[axis]
        if cells == count:
            continue
        bounds = np.arange(count + 1) * cells // count
        first, last = bounds[:-1], bounds[1:] - 1
        reduced = levels.take(first, axis)
        for further in range(1, int((last - first).max()) + 1):
            reduced = np.maximum(reduced, levels.take(np.minimum(first + further, last), axis))
        levels = reduced
    return levels


def mean_pool(shares: FloatPlane, height: int, width: int) -> FloatPlane:
    """Fewer pixels, each the mean of its cells."""
    for axis, count in enumerate((height, width)):
        cells = shares.shape[axis]
        if cells != count:
            bounds = np.arange(count) * cells // count
            sizes = np.diff(np.append(bounds, cells))
            total = np.add.reduceat(shares, bounds, axis=axis)
            shares = (total / np.expand_dims(sizes, 1 - axis)).astype(np.float32)
    return shares
