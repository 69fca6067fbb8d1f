"""One layer of a model file, read in bands: what a snapshot says of it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparseviz.methods.dense import RELATIVE_MAGNITUDE
from sparseviz.networks.stored_tensors import StoredTensor
from sparseviz.training.measure.reductions import as_preview, block_extremes, histogram, preview_blocks, preview_shape
from sparseviz.values.cells import NEVER, FloatPlane, Order, Planes
from sparseviz.values.snapshot import CountArray, LayerInfo, LayerSnapshot

BAND_CELLS = 1 << 22  # read at once
_ROWS = 64  # read at once where single rows are asked for


@dataclass(frozen=True, slots=True)
class Spread:
    """How a layer's numbers lie; what is not finite is left out."""

    std: float  # over all of them, cut ones too
    largest: float  # |w|
    smallest: float  # |w| that is not 0; infinite where there is none
    not_finite: int


def info_of(tensor: StoredTensor) -> LayerInfo:
    """What never changes of it; how often a kernel is moved over an image is not known."""
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    return LayerInfo(
        name=tensor.name,
        shape=tensor.shape,
        biases=tensor.biases,
        multiply_adds=rows * columns if len(tensor.shape) == 2 else 0,
        quantity=RELATIVE_MAGNITUDE,
        preview_shape=preview_shape(rows, columns),
    )


def measure_spread(tensor: StoredTensor, look: Callable[[], None]) -> Spread:
    """Read all of it once; `look` is called between two bands and may raise."""
    count = not_finite = 0
    total = squares = largest = 0.0
    smallest = math.inf
    for band in _bands(tensor, 1, look):
        finite = band[np.isfinite(band)].astype(np.float64)
        size = np.abs(finite)
        count, not_finite = count + len(finite), not_finite + band.size - len(finite)
        total, squares = total + float(finite.sum()), squares + float(np.square(finite).sum())
        largest = max(largest, float(size.max(initial=0)))
        smallest = min(smallest, float(size[size > 0].min(initial=math.inf)))
    mean = total / max(count, 1)
    return Spread(math.sqrt(max(squares / max(count, 1) - mean * mean, 0.0)), largest, smallest, not_finite)


def measure_layer(tensor: StoredTensor, spread: Spread, look: Callable[[], None], *, is_last: bool) -> LayerSnapshot:
    """Read all of it once more; a weight that is 0 counts as cut.

    A unit without weights is dead, but in the last layer, whose units are the answer. For histogram and preview, what
    is not finite counts as the largest number.
    """
    info, block = info_of(tensor), preview_blocks(tensor.shape[0], math.prod(tensor.shape[1:]))
    counts, columns = (
        torch.zeros(len(RELATIVE_MAGNITUDE.bin_edges) - 1, dtype=torch.int64),
        np.zeros(info.columns, np.int32),
    )
    rows, pictures = [], []
    for band in _bands(tensor, block[0], look):
        weight = torch.from_numpy(
            np.nan_to_num(band, nan=spread.largest, posinf=spread.largest, neginf=-spread.largest)
        )
        mask = torch.from_numpy(band != 0)
        counts += histogram(weight.abs() / max(spread.std, 1e-12), RELATIVE_MAGNITUDE)
        rows.append(mask.sum(dim=1, dtype=torch.int32).numpy())
        columns += mask.sum(dim=0, dtype=torch.int32).numpy()
        pictures.append(block_extremes(weight, mask, block))
    row_kept, (preview, scale) = np.concatenate(rows), as_preview(*map(torch.cat, zip(*pictures, strict=True)))
    dead = 0 if is_last else int((row_kept == 0).sum())
    return _snapshot(info, spread, counts, row_kept, columns, preview, float(scale), dead)


def _snapshot(  # noqa: PLR0913, PLR0917  # what was measured
    info: LayerInfo,
    spread: Spread,
    counts: Tensor,
    row_kept: CountArray,
    column_kept: CountArray,
    preview: Tensor,
    scale: float,
    dead: int,
) -> LayerSnapshot:
    kept = int(row_kept.sum())
    cut_and_kept = 0 < kept < info.weights
    return LayerSnapshot(
        info=info,
        kept=kept,
        undecided_kept=math.nan,
        undecided_cut=math.nan,
        gate_mean=math.nan,
        gate_variance=math.nan,
        flips=0,
        dead_units=dead,
        biases_kept=max(info.biases - dead, 0),
        threshold=spread.smallest / max(spread.std, 1e-12) if cut_and_kept else math.nan,
        histogram=counts.numpy(),
        row_kept=row_kept,
        column_kept=column_kept,
        preview=preview.numpy(),
        preview_scale=scale,
    )


def _bands(tensor: StoredTensor, block: int, look: Callable[[], None]) -> Iterator[FloatPlane]:
    """All rows, some whole blocks of them at a time."""
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    height = max(BAND_CELLS // (columns * block), 1) * block
    for first in range(0, rows, height):
        look()
        yield tensor.read(slice(first, min(first + height, rows)))


class StoredCells:
    """A `Source` of a layer's cells, read from its file when asked; nothing is known of when a weight was cut."""

    def __init__(self, tensor: StoredTensor, spread: Spread) -> None:
        self._tensor, self._std = tensor, np.float32(max(spread.std, 1e-12))

    def __call__(self, rows: slice | Order, columns: slice | Order) -> Planes:
        """Rows and columns of the layer's matrix, by a slice or by their numbers."""
        weight = (self._tensor.read(rows) if isinstance(rows, slice) else self._some(rows))[:, columns]
        kept, never = (weight != 0).astype(np.float32), np.full(weight.shape, NEVER, np.int32)
        return Planes(weight, kept, np.asarray(np.abs(weight) / self._std, np.float32), never)

    def _some(self, rows: Order) -> FloatPlane:
        """Neighbours are read at once, each once."""
        found = np.empty((len(rows), math.prod(self._tensor.shape[1:])), np.float32)
        bands = rows // _ROWS
        for band in np.unique(bands):
            wanted, first = np.flatnonzero(bands == band), int(band) * _ROWS
            read = self._tensor.read(slice(first, min(first + _ROWS, self._tensor.shape[0])))
            found[wanted] = read[rows[wanted] - first]
        return found
