"""What `reductions` tells of a layer, told on a processor by compiled kernels that read each number from memory once.

All counts and the preview are the same bit for bit; sums of gates are of float64 here, of float32 in a row there.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sparseviz.training.measure.reductions import bands, preview_blocks
from sparseviz.values.snapshot import HISTOGRAM_BINS, UNDECIDED, Quantity

_UNDECIDED = tuple(map(np.float32, UNDECIDED))  # as float32 gates are compared


@dataclass(frozen=True, slots=True)
class Observed:
    """A layer's matrices, all (rows, columns), as a snapshot reads and notes them."""

    weight: Tensor  # float32, or `can_read` says no
    mask: Callable[[slice], Tensor]  # some rows of it
    values: Callable[[slice], Tensor]  # the same of the decisive quantity
    last: Tensor  # the mask that the last snapshot saw; becomes this one's
    cut_at: Tensor  # int32; where it was kept and is cut now this snapshot's number is noted
    number: int
    quantity: Quantity


def can_read(weight: Tensor) -> bool:
    """Whether there are kernels for such weights."""
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and _kernels() is not None


@lru_cache(maxsize=1)
def _kernels() -> ModuleType | None:
    """What compiles, or reads what was compiled, takes a while: not before the first snapshot."""
    try:
        from sparseviz.training.measure import kernels  # noqa: PLC0415
    except Exception as error:  # noqa: BLE001  # a run does not fail for want of speed
        logging.getLogger(__name__).warning("numba compiles nothing, so that snapshots take longer: %s", error)
        return None
    return kernels


@torch.no_grad()
def reduced(layer: Observed) -> dict[str, Tensor]:
    """What `reductions.reduced` tells, by name, and in the same types; notes the mask and what was cut."""
    kernels, quantity = cast("ModuleType", _kernels()), layer.quantity
    weight, last, cut_at = (_array(one) for one in (layer.weight, layer.last, layer.cut_at))
    (rows, columns), block = weight.shape, preview_blocks(*weight.shape)
    bins = np.float32(quantity.low), np.float32(HISTOGRAM_BINS / (quantity.high - quantity.low))
    histogram, of_gates, flips = np.zeros(HISTOGRAM_BINS, np.int64), np.zeros(4), np.int64(0)
    row_kept, column_kept = np.zeros(rows, np.int32), np.zeros(columns, np.int32)
    of_blocks = np.zeros((-(-rows // block[0]), 3, -(-columns // block[1])), np.float32)
    for part in bands(rows, columns):
        mask, values = _array(layer.mask(part)), _array(layer.values(part).float()).reshape(-1)
        flips += kernels.note_flips(mask, last[part], cut_at[part], np.int32(layer.number))
        kernels.count_bins(values, *bins, histogram)
        of_these = row_kept[part], column_kept, of_blocks[part.start // block[0] :]
        kernels.look_at(weight[part], mask, block, *of_these)
        if quantity.is_gate:
            kernels.sum_gates(values, mask.reshape(-1), *_UNDECIDED, of_gates)
    preview = np.empty((2, *of_blocks[:, 0].shape), np.uint8)
    scale = np.float32(kernels.paint(of_blocks, (rows, columns, *block), preview))
    told = {"row_kept": row_kept, "column_kept": column_kept, "kept": row_kept.sum(dtype=np.int64), "flips": flips}
    told |= {"histogram": histogram, "preview": preview, "preview_scale": scale}
    told |= _named(of_gates) if quantity.is_gate else {}
    return {name: torch.from_numpy(np.asarray(value)) for name, value in told.items()}


def _array(matrix: Tensor) -> npt.NDArray[Any]:
    """The tensor's own memory where its rows lie one after another, a mask's as bytes."""
    array = matrix.detach().contiguous().numpy()
    return array.view(np.uint8) if array.dtype == np.bool_ else array


def _named(of_gates: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[Any]]:
    """Counts are exact in float64."""
    total, variance, between, kept = of_gates
    return {
        "gate_sum": total,
        "gate_variance_sum": variance,
        "open": between.astype(np.int64),
        "open_kept": kept.astype(np.int64),
    }
