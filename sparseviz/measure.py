"""What a snapshot says of each layer, reduced on the training device: only counts and the preview cross over."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor, nn

from sparseviz import masks as mask_bits
from sparseviz.cells import NEVER, Cells, Order, Part, Planes, answer, read_planes
from sparseviz.methods import Method
from sparseviz.methods.base import evaluated_state
from sparseviz.models import readers
from sparseviz.ranks import ALONE, Ranks
from sparseviz.snapshot import (
    HISTOGRAM_BINS,
    PREVIEW_SIDE,
    UNDECIDED,
    Arrays,
    ByteArray,
    Checkpoint,
    LayerInfo,
    LayerSnapshot,
    Quantity,
)

SUMS = ("loss", "wrong", "images")  # since the last snapshot


class Tally:
    """Sums over batches, on the device: loss, wrong answers, images; each rank counts its share of them."""

    def __init__(self, device: torch.device, ranks: Ranks = ALONE) -> None:
        self.sums = torch.zeros(len(SUMS), device=device)
        self._ranks = ranks

    def count(self, loss: Tensor, answers: Tensor, labels: Tensor) -> None:
        """Add a batch: its mean loss, answers (B, classes) and labels (B,)."""
        wrong = (answers.argmax(dim=1) != labels).sum()
        self.sums[0] += loss * len(labels)
        self.sums[1] += wrong
        self.sums[2] += len(labels)

    def take(self) -> list[float]:
        """The sums over all ranks, which begin anew. Waits for the device."""
        self._ranks.add_up(self.sums)
        sums: list[float] = self.sums.tolist()
        self.sums.zero_()
        return sums

    def collect(self) -> None:
        """Have what all ranks counted in rank 0, whose state is stored."""
        self._ranks.collect(self.sums)

    def put(self, sums: Iterable[float]) -> None:
        """Put back what was stored: in rank 0."""
        self.sums.copy_(torch.tensor(list(sums)) * self._ranks.is_first)


class Observer:
    """Takes the layers' snapshots of one run; it remembers the last masks to count flips."""

    def __init__(self, model: nn.Module, method: Method, multiply_adds: Mapping[str, int]) -> None:
        self._method = method
        self._readers = readers(model)
        self._last: dict[str, Tensor] = {}
        self._number = 0  # of the next snapshot
        self.infos = {name: self._info(name, multiply_adds[name]) for name in method.layers}
        # int32, in the weight's shape: the snapshot that last saw it cut which was kept, or NEVER
        self.cut_at = {
            name: torch.full_like(method.weight(name), NEVER, dtype=torch.int32, requires_grad=False)
            for name in method.layers
        }

    def _info(self, name: str, multiply_adds: int) -> LayerInfo:
        layer = self._method.layers[name]
        matrix = as_matrix(self._method.weight(name))
        return LayerInfo(
            name=name,
            shape=tuple(layer.weight.shape),
            biases=0 if layer.bias is None else layer.bias.numel(),
            multiply_adds=multiply_adds,
            quantity=self._method.quantity(name),
            preview_shape=preview_shape(*matrix.shape),
        )

    @torch.no_grad()
    def layers(self) -> tuple[LayerSnapshot, ...]:
        """The layers now, in the order of the model."""
        masks = {name: self._method.mask(name) for name in self.infos}
        taken = tuple(self._layer(name, masks) for name in self.infos)
        if not self._last or any(layer.flips for layer in taken):
            self._note_cuts(masks)
            self._last = {name: mask.clone() for name, mask in masks.items()}
        self._number += 1
        return taken

    def packed_masks(self) -> ByteArray | None:
        """The masks that the last snapshot saw; None for a network too large to keep them."""
        if not mask_bits.are_kept(tuple(self.infos.values())):
            return None
        return mask_bits.pack(mask.cpu().numpy() for mask in self._last.values())

    def state(self) -> dict[str, Tensor]:
        """By path, what the next snapshot is held against; the masks of none seen yet mean nothing."""
        seen = {name: self._last[name] if self._last else self._method.mask(name) for name in self.infos}
        ages = {f"cut_at/{name}": value for name, value in self.cut_at.items()}
        return {f"seen/{name}": mask for name, mask in seen.items()} | ages

    def put_state(self, state: Mapping[str, Tensor], number: int) -> None:
        """Put back what `state` gave; `number` is the next snapshot's."""
        self._number = number
        for name, ages in self.cut_at.items():
            ages.copy_(state[f"cut_at/{name}"])
            if number:
                self._last[name] = torch.empty_like(self._method.mask(name)).copy_(state[f"seen/{name}"])

    @property
    def snapshots(self) -> int:
        """How many were taken."""
        return self._number

    def _note_cuts(self, masks: Mapping[str, Tensor]) -> None:
        """What is cut now and was kept before, or was never seen, is cut at this snapshot."""
        for name, mask in masks.items():
            cut = self._last[name] & ~mask if name in self._last else ~mask
            self.cut_at[name].masked_fill_(cut, self._number)

    def cells(self, part: Part, step: int) -> Cells:
        """The true weights now, of a part of a layer's matrix."""
        info = self.infos[part.layer]
        source = partial(self._planes, part.layer)
        return answer(part, step, "live", read_planes(source, part, (info.rows, info.columns)))

    def _planes(self, name: str, rows: slice | Order, columns: slice | Order) -> Planes:
        """Only what is asked for crosses over from the device."""
        method = self._method
        planes = (method.weight(name), method.mask(name), method.quantity_values(name), self.cut_at[name])
        weight, kept, quantity, cut_at = (as_matrix(plane)[rows][:, columns].detach().cpu().numpy() for plane in planes)
        return Planes(weight, kept.astype(np.float32), quantity, cut_at)

    def _layer(self, name: str, masks: Mapping[str, Tensor]) -> LayerSnapshot:
        info, mask = self.infos[name], as_matrix(masks[name])
        values = self._method.quantity_values(name)
        dead = self._dead_units(name, masks)
        preview, scale = take_preview(as_matrix(self._method.weight(name)), mask)
        gate_mean, gate_variance = gate_moments(values, info.quantity)
        undecided_kept, undecided_cut = undecided(values, masks[name], info.quantity)
        return LayerSnapshot(
            info=info,
            kept=int(mask.sum()),
            undecided_kept=undecided_kept,
            undecided_cut=undecided_cut,
            gate_mean=gate_mean,
            gate_variance=gate_variance,
            flips=int((masks[name] != self._last[name]).sum()) if name in self._last else 0,
            dead_units=int(dead.sum()),
            biases_kept=int((~dead).sum()) if info.biases else 0,
            threshold=self._method.threshold(name),
            histogram=histogram(values, info.quantity).cpu().numpy(),
            row_kept=mask.sum(dim=1, dtype=torch.int32).cpu().numpy(),
            column_kept=mask.sum(dim=0, dtype=torch.int32).cpu().numpy(),
            preview=preview.cpu().numpy(),
            preview_scale=scale,
        )

    def _dead_units(self, name: str, masks: Mapping[str, Tensor]) -> Tensor:
        """True for output units that nothing needs, bool (rows,).

        With no incoming weight a unit gives a constant, which folds into its reader's biases; with no outgoing
        weight nobody reads it. Only where the one reader is known; a unit of the answer is never dead.
        """
        mask = as_matrix(masks[name])
        if name not in self._readers:
            return torch.zeros(mask.shape[0], dtype=torch.bool, device=mask.device)
        read = masks[self._readers[name]]  # (out, in, *kernel), or (out, in * places) behind a flatten
        per_unit = read.reshape(read.shape[0], mask.shape[0], -1)
        return ~mask.any(dim=1) | ~per_unit.any(dim=2).any(dim=0)


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in, *kernel) as (out, in * kernel); a linear layer's stays as it is."""
    return weight.reshape(weight.shape[0], -1)


def histogram(values: Tensor, quantity: Quantity) -> Tensor:
    """Counts over the quantity's range, int64 (HISTOGRAM_BINS,); what lies outside falls into the end bins."""
    bins = (values.float() - quantity.low).mul_(HISTOGRAM_BINS / (quantity.high - quantity.low))
    # counted as bytes: a quarter of histc's time
    return torch.bincount(bins.clamp_(0, HISTOGRAM_BINS - 1).to(torch.uint8).flatten(), minlength=HISTOGRAM_BINS)


def undecided(values: Tensor, mask: Tensor, quantity: Quantity) -> tuple[float, float]:
    """Shares of the kept and of the cut whose gate lies in UNDECIDED; NaN without gates, 0 of nothing."""
    if not quantity.is_gate:
        return math.nan, math.nan
    open_still = (values > UNDECIDED[0]) & (values < UNDECIDED[1])
    kept, of_all, of_kept = (int(true.sum()) for true in (mask, open_still, open_still & mask))
    return of_kept / max(kept, 1), (of_all - of_kept) / max(mask.numel() - kept, 1)


def gate_moments(values: Tensor, quantity: Quantity) -> tuple[float, float]:
    """Mean g and mean g (1 - g): a bernoulli mask's mean and variance (paper, equation 3); NaN without gates."""
    if not quantity.is_gate:
        return math.nan, math.nan
    return float(values.mean(dtype=torch.float64)), float((values * (1 - values)).mean(dtype=torch.float64))


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
    return as_preview(*block_extremes(weight, mask, preview_blocks(*weight.shape)))


def block_extremes(weight: Tensor, mask: Tensor, block: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Of every block of a matrix, or of a band of whole blocks: the largest kept weight, and the share kept."""
    kept = _blocks((weight * mask).float(), block)
    high, low = (_reduce(kept, reduction) for reduction in (torch.amax, torch.amin))
    density = _reduce(_blocks(mask, block), torch.sum) / (_filled(weight, block) * block[0] * block[1])
    return torch.where(high >= -low, high, low), density


def as_preview(extreme: Tensor, density: Tensor) -> tuple[Tensor, float]:
    """What `take_preview` gives, from `block_extremes` of the whole matrix."""
    scale = float(extreme.abs().max())
    level = (127 * extreme / (scale or 1.0)).round()
    seen = torch.where(extreme < 0, level.clamp_max(-1), level.clamp_min(1))
    signed = 128 + torch.where(density > 0, seen, 0.0)
    share = (255 * density).round().clamp_min(1)
    return torch.stack([signed, torch.where(density > 0, share, 0.0)]).to(torch.uint8), scale


def _blocks(matrix: Tensor, block: tuple[int, int]) -> Tensor:
    """(rows, columns) as (block rows, rows in one, block columns, columns in one), with zeros at the far edges."""
    padding = (0, -matrix.shape[1] % block[1], 0, -matrix.shape[0] % block[0])
    padded = F.pad(matrix, padding) if any(padding) else matrix
    return padded.reshape(-1, block[0], padded.shape[1] // block[1], block[1])


def _reduce(blocks: Tensor, reduction: Callable[..., Tensor]) -> Tensor:
    """One number a block; rows first, since they lie apart in memory."""
    return reduction(reduction(blocks, dim=1), dim=2)


def _filled(matrix: Tensor, block: tuple[int, int]) -> Tensor:
    """Share of each block's cells that lie inside the matrix: below 1 only at the right and bottom edges."""
    edges = [
        torch.arange(0, cells, size, device=matrix.device) for cells, size in zip(matrix.shape, block, strict=True)
    ]
    inside = [
        (cells - edge).clamp_max(size) / size for edge, cells, size in zip(edges, matrix.shape, block, strict=True)
    ]
    return torch.outer(*inside)


@torch.no_grad()
def take_checkpoint(
    step: int, model: nn.Module, method: Method, observer: Observer, state: Arrays | None = None
) -> Checkpoint:
    """A copy of the model, of the method's decisions, and of when the snapshots saw them."""
    return Checkpoint(
        step=step,
        parameters={name: copied(value) for name, value in evaluated_state(model, method).items()},
        masks={name: copied(method.mask(name)) for name in method.layers},
        quantities={name: copied(method.quantity_values(name)) for name in method.layers},
        cut_at={name: copied(observer.cut_at[name]) for name in method.layers},
        state=state,
    )


def copied(tensor: Tensor) -> npt.NDArray[Any]:
    """A copy in plain row-major order: the file's reader knows no memory formats."""
    return np.array(tensor.detach().cpu().numpy(), order="C")
