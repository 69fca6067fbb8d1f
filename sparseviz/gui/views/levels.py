"""From numbers to the 256 levels of a heatmap: previews as they come, true cells pooled to what a screen can show."""

from dataclasses import dataclass

import numpy as np

from sparseviz.gui.theme import NONE_KEPT, Colours, Theme, count_colours, magnitude_colours, sign_colours
from sparseviz.snapshot import ByteArray, Cells, LayerSnapshot, Quantity

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


def preview_levels(layer: LayerSnapshot, show: str, *, stretch: bool) -> tuple[ByteArray, float]:
    """The levels of a preview, and the share kept that level 255 stands for: the densest of all if stretched."""
    assert layer.preview is not None  # noqa: S101  # the caller has asked for one that has
    if show in _SIGNED:
        return layer.preview[0], 1.0
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


def pool(levels: ByteArray, rows: int, columns: int, rest: int) -> ByteArray:
    """Blocks of rows x columns cells as one pixel: the level farthest from `rest`, so that no kept cell vanishes."""
    if rows <= 1 and columns <= 1:
        return levels
    padding = ((0, -levels.shape[0] % rows), (0, -levels.shape[1] % columns))
    padded = np.pad(levels, padding, constant_values=rest)
    blocks = padded.reshape(padded.shape[0] // rows, rows, padded.shape[1] // columns, columns)
    high, low = blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3))
    farther = high.astype(np.int16) - rest >= rest - low.astype(np.int16)
    return np.asarray(np.where(farther, high, low), dtype=np.uint8)


def rest_level(show: str) -> int:
    """The level of a cell that is not there."""
    return NONE_KEPT if show in _SIGNED else 0
