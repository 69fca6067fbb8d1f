"""What a layer's weights, mask and decisive quantity come down to, on their device: counts and a preview.

A large matrix is read in bands of whole preview blocks: all that is needed besides is a few copies of a band, which the
processor's cache holds. Nothing here waits for the device but `take_preview`.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor

from sparseviz.methods.comparing import compare
from sparseviz.values.snapshot import HISTOGRAM_BINS, PREVIEW_SIDE, UNDECIDED, Quantity

BAND_CELLS = 1 << 19  # read at once, about: some copies of them lie in the cache


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in, *kernel) as (out, in * kernel); a linear layer's stays as it is."""
    return weight.reshape(weight.shape[0], -1)


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of a layer's matrix as a snapshot sees them."""

    rows: slice
    mask: Tensor  # bool (rows, columns)
    values: Tensor  # the decisive quantity, (rows, columns)
    flips: Tensor  # int64 scalar: mask entries that changed since the last snapshot


def bands(rows: int, columns: int) -> Iterator[slice]:
    """All rows of a matrix, some whole blocks of its preview at a time."""
    block = _block(rows)
    height = max(BAND_CELLS // (columns * block), 1) * block
    for first in range(0, rows, height):
        yield slice(first, min(first + height, rows))


def reduced(weight: Tensor, bands_: Iterable[Band], quantity: Quantity) -> dict[str, Tensor]:
    """All that is told of a matrix, by name, from its `bands` in their order.

    Counts by row and column are int32, others int64, and sums of gates float64; `preview` and `preview_scale` as in
    `take_preview`.
    """
    blocks = preview_blocks(*weight.shape)
    places = {"row_kept": 1, "extreme": blocks[0], "density": blocks[0]}  # rows that become one
    told: dict[str, Tensor] = {}  # filled in place: small tensors that stay would lie between the bands' memory
    for band in bands_:
        found = _of_band(weight[band.rows], band, quantity, blocks)
        if band.rows == slice(0, len(weight)):
            told = found
            continue
        for what, one in found.items():
            if what not in told:
                shape = (-(-len(weight) // places[what]), *one.shape[1:]) if what in places else one.shape
                told[what] = one.new_zeros(shape)
            first = band.rows.start // places.get(what, 1)
            (told[what][first : first + len(one)] if what in places else told[what]).add_(one)
    told["preview"], told["preview_scale"] = as_preview(told.pop("extreme"), told.pop("density"))
    return told | {"kept": told["row_kept"].sum()}


def _of_band(weight: Tensor, band: Band, quantity: Quantity, blocks: tuple[int, int]) -> dict[str, Tensor]:
    ones = as_ones(band.mask)  # a product with ones is the quickest sum, exact below 2^24
    rows, columns = ones @ ones.new_ones(ones.shape[1]), ones.new_ones(len(ones)) @ ones
    extreme, density = block_extremes(weight, band.mask, blocks)
    found = {"row_kept": rows.int(), "column_kept": columns.int(), "extreme": extreme, "density": density}
    found |= {"flips": band.flips, "histogram": histogram(band.values, quantity)}
    return found | (_of_gates(band.values, band.mask) if quantity.is_gate else {})


def as_ones(mask: Tensor) -> Tensor:
    """1.0 where a mask is true, float32: read as bytes, a seventh of the time."""
    return mask.view(torch.uint8).float()


def count(mask: Tensor) -> Tensor:
    """How many entries of a mask are true, an int64 scalar on its device."""
    if mask.device.type != "cpu":
        return torch.count_nonzero(mask)
    return torch.tensor(np.count_nonzero(mask.numpy()))  # a sixth of the time


def _of_gates(gates: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The sums of g and g (1 - g), and how many are undecided, of all and of the kept.

    The two sums are a bernoulli mask's mean and variance (paper, equation 3).
    """
    open_still = compare(gates, ">", UNDECIDED[0]).logical_and_(compare(gates, "<", UNDECIDED[1]))
    return {
        "gate_sum": gates.sum(dim=1).double().sum(),
        "gate_variance_sum": torch.addcmul(gates, gates, gates, value=-1).sum(dim=1).double().sum(),
        "open": count(open_still),
        "open_kept": count(open_still.logical_and_(mask)),
    }


def histogram(values: Tensor, quantity: Quantity) -> Tensor:
    """Counts over the quantity's range, int64 (HISTOGRAM_BINS,); what lies outside falls into the end bins."""
    scale = HISTOGRAM_BINS / (quantity.high - quantity.low)
    bins = values.float() * scale if quantity.low == 0 else (values.float() - quantity.low).mul_(scale)
    bins.clamp_(0, HISTOGRAM_BINS - 1)
    if bins.is_cuda:  # whose bincount waits
        return torch.histc(bins.floor_().add_(0.5), HISTOGRAM_BINS, 0, HISTOGRAM_BINS).long()
    # counted as bytes, a quarter of histc's time; made signed, a fifth of the time of unsigned ones
    return torch.bincount(bins.to(torch.int8).view(torch.uint8).flatten(), minlength=HISTOGRAM_BINS)


def preview_shape(rows: int, columns: int) -> tuple[int, int]:
    """Pixels of a matrix's preview: whole blocks of cells, at most PREVIEW_SIDE a side."""
    return math.ceil(rows / _block(rows)), math.ceil(columns / _block(columns))


def preview_blocks(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of a matrix that one pixel of its preview stands for."""
    return _block(rows), _block(columns)


def _block(cells: int) -> int:
    return math.ceil(cells / PREVIEW_SIDE)


def take_preview(weight: Tensor, mask: Tensor) -> tuple[Tensor, float]:
    """A small picture of a matrix in which no kept weight vanishes; both inputs are (rows, columns).

    Returns uint8 (2, *preview_shape) and the scale. Plane 0 is the kept weight of the largest magnitude in the
    block with its sign, 128 + 127 * w / scale, at least one level away from 128, which means none kept.
    Plane 1 is the share of the block that is kept, 255 for all, at least 1 where any is.
    """
    preview, scale = as_preview(*block_extremes(weight, mask, preview_blocks(*weight.shape)))
    return preview, float(scale)


def block_extremes(weight: Tensor, mask: Tensor, block: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Of every block of a matrix, or of a band of whole blocks: the largest kept weight, and the share kept."""
    ones = _blocks(as_ones(_padded(mask, block)), block)
    kept = _blocks(_padded(weight.float(), block), block) * ones
    high, low = (_reduce(kept, reduction) for reduction in (torch.amax, torch.amin))
    density = _reduce(ones, torch.sum) / _inside(*weight.shape, block, weight.device)
    return torch.where(high >= -low, high, low), density


def as_preview(extreme: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
    """What `take_preview` gives, from `block_extremes` of the whole matrix; the scale is a scalar on the device."""
    scale = extreme.abs().max()
    level = (127 * extreme / torch.where(scale == 0, 1.0, scale)).round()
    seen = torch.where(extreme < 0, level.clamp_max(-1), level.clamp_min(1))
    signed = 128 + torch.where(density > 0, seen, 0.0)
    share = (255 * density).round().clamp_min(1)
    return torch.stack([signed, torch.where(density > 0, share, 0.0)]).to(torch.uint8), scale


def _padded(matrix: Tensor, block: tuple[int, int]) -> Tensor:
    """With zeros at the far edges, that all blocks be whole."""
    padding = (0, -matrix.shape[1] % block[1], 0, -matrix.shape[0] % block[0])
    return F.pad(matrix, padding) if any(padding) else matrix


def _blocks(padded: Tensor, block: tuple[int, int]) -> Tensor:
    """(rows, columns) as (block rows, rows in one, block columns, columns in one)."""
    return padded.reshape(-1, block[0], padded.shape[1] // block[1], block[1])


def _reduce(blocks: Tensor, reduction: Callable[..., Tensor]) -> Tensor:
    """One number a block; rows first, since they lie apart in memory."""
    return reduction(reduction(blocks, dim=1), dim=2)


@lru_cache(maxsize=256)
def _inside(rows: int, columns: int, block: tuple[int, int], device: torch.device) -> Tensor:
    """How many cells of each block lie inside the matrix: fewer than a block's only at the right and bottom edges."""
    inside = [
        (cells - torch.arange(0, cells, size, device=device)).clamp_max(size)
        for cells, size in zip((rows, columns), block, strict=True)
    ]
    return torch.outer(*inside).float()
