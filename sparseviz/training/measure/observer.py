"""What a snapshot says of each layer, reduced on the training device: only counts and the preview cross over."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sparseviz.methods import Method
from sparseviz.methods.base import evaluated_state
from sparseviz.networks import readers
from sparseviz.training.copies import Copied, as_arrays
from sparseviz.training.measure import cpu_reductions
from sparseviz.training.measure.reductions import Band, as_matrix, bands, count, preview_shape, reduced
from sparseviz.training.measure.transfer import fetch
from sparseviz.values import masks as mask_bits
from sparseviz.values.cells import NEVER, Cells, Order, Part, Planes, Source, answer, read_planes
from sparseviz.values.snapshot import (
    Arrays,
    ByteArray,
    Checkpoint,
    LayerInfo,
    LayerSnapshot,
)


class Observer:
    """Takes the layers' snapshots of one run; it remembers the last masks to count flips."""

    def __init__(self, model: nn.Module, method: Method, multiply_adds: Mapping[str, int]) -> None:
        self._method = method
        self._readers = readers(model)
        self._last: dict[str, Tensor] = {}
        self._number = 0  # of the next snapshot
        self.infos = {name: self._info(name, multiply_adds[name]) for name in method.layers}
        # int32, in the weight's shape: the snapshot that last saw it cut which was kept, or NEVER
        self.cut_at = {name: _rows_apart(method.weight(name), NEVER, torch.int32) for name in method.layers}

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
        """The layers now, in the order of the model; the device is waited for once."""
        with _one_thread():
            told = fetch({(name, what): tensor for name in self.infos for what, tensor in self._reduced(name)})
        self._number += 1
        return tuple(self._layer(name, told) for name in self.infos)

    def packed_masks(self) -> ByteArray | None:
        """The masks that the last snapshot saw; None for a network too large to keep them."""
        if not mask_bits.are_kept(tuple(self.infos.values())):
            return None
        return mask_bits.pack(fetch(self._last).values())

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
                self._last[name] = _rows_apart(ages, 0, torch.bool).copy_(state[f"seen/{name}"])

    @property
    def snapshots(self) -> int:
        """How many were taken."""
        return self._number

    def cells(self, part: Part, step: int) -> Cells:
        """The true weights now, of a part of a layer's matrix."""
        info = self.infos[part.layer]
        source = self._source(part.layer)
        return answer(part, step, "live", read_planes(source, part, (info.rows, info.columns)))

    def _source(self, name: str) -> Source:
        """Only what is asked for crosses over from the device."""
        weight, cut_at = map(as_matrix, (self._method.weight(name), self.cut_at[name]))
        mask, quantity = self._method.mask_rows(name), self._method.quantity_rows(name)

        def planes(rows: slice | Order, columns: slice | Order) -> Planes:
            parts = (weight[rows], mask(rows), quantity(rows), cut_at[rows])
            weights, kept, values, ages = (part[:, columns].detach().cpu().numpy() for part in parts)
            return Planes(weights, kept.astype(np.float32), values, ages)

        return planes

    def _reduced(self, name: str) -> Iterable[tuple[str, Tensor]]:
        """What `_layer` tells, by name, still on the device."""
        weight, is_first = as_matrix(self._method.weight(name)), name not in self._last
        if is_first:  # what is cut before it was seen is cut now
            self._last[name] = _rows_apart(self._method.weight(name), 1, torch.bool)
        if cpu_reductions.can_read(weight):
            told = cpu_reductions.reduced(self._observed(name, weight))
        else:
            told = reduced(weight, self._bands(name, weight.shape), self.infos[name].quantity)
        if is_first:
            told["flips"] = torch.zeros_like(told["flips"])
        return told.items()

    def _observed(self, name: str, weight: Tensor) -> cpu_reductions.Observed:
        masks, values = self._method.mask_rows(name), self._method.quantity_rows(name)
        last, cut_at = as_matrix(self._last[name]), as_matrix(self.cut_at[name])
        return cpu_reductions.Observed(weight, masks, values, last, cut_at, self._number, self.infos[name].quantity)

    def _bands(self, name: str, shape: torch.Size) -> Iterator[Band]:
        """The layer's bands; behind each, what was cut there and the mask are noted for the next snapshot."""
        last, cut_at = as_matrix(self._last[name]), as_matrix(self.cut_at[name])
        masks, values = self._method.mask_rows(name), self._method.quantity_rows(name)
        for rows in bands(*shape):
            mask = masks(rows)
            flipped = mask != last[rows]
            yield Band(rows, mask, values(rows), count(flipped))
            cut = flipped.logical_and_(last[rows])  # now, and kept before
            number = cut.view(torch.uint8).int().mul_(self._number - NEVER).add_(NEVER)  # of this snapshot, or NEVER
            torch.maximum(cut_at[rows], number, out=cut_at[rows])  # numbers grow: a masked fill takes 20 times as long
            last[rows].copy_(mask)

    def _layer(self, name: str, told: Mapping[tuple[str, str], npt.NDArray[Any]]) -> LayerSnapshot:
        info, one = self.infos[name], {what: told[layer, what] for layer, what in told if layer == name}
        dead = self._dead_units(name, told)
        return LayerSnapshot(
            info=info,
            kept=int(one["kept"]),
            **_of_gates(info, one),
            flips=int(one["flips"]),
            dead_units=int(dead.sum()),
            biases_kept=int((~dead).sum()) if info.biases else 0,
            threshold=self._method.threshold(name),
            histogram=one["histogram"],
            row_kept=one["row_kept"],
            column_kept=one["column_kept"],
            preview=one["preview"],
            preview_scale=float(one["preview_scale"]),
        )

    def _dead_units(self, name: str, told: Mapping[tuple[str, str], npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
        """True for output units that nothing needs, (rows,).

        With no incoming weight a unit gives a constant, which folds into its reader's biases; with no outgoing
        weight nobody reads it. Only where the one reader is known; a unit of the answer is never dead.
        """
        row_kept = told[name, "row_kept"]
        if name not in self._readers:
            return np.zeros(len(row_kept), np.bool_)
        read = told[self._readers[name], "column_kept"]  # of (in, *kernel), or (in * places) behind a flatten
        found: npt.NDArray[np.bool_] = (row_kept == 0) | ~read.reshape(len(row_kept), -1).any(axis=1)
        return found


def _of_gates(info: LayerInfo, one: Mapping[str, npt.NDArray[Any]]) -> dict[str, float]:
    """Shares of the kept and of the cut that are undecided, 0 of nothing, and the gates' moments; NaN without gates."""
    if not info.quantity.is_gate:
        return dict.fromkeys(("undecided_kept", "undecided_cut", "gate_mean", "gate_variance"), math.nan)
    kept, of_kept, of_all = (int(one[what]) for what in ("kept", "open_kept", "open"))
    return {
        "undecided_kept": of_kept / max(kept, 1),
        "undecided_cut": (of_all - of_kept) / max(info.weights - kept, 1),
        "gate_mean": float(one["gate_sum"]) / info.weights,
        "gate_variance": float(one["gate_variance_sum"]) / info.weights,
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    """A pass over a band takes microseconds: threads that must meet after each cost more than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _rows_apart(like: Tensor, value: int, dtype: torch.dtype) -> Tensor:
    """A tensor of this shape in row-major order, of which `as_matrix` is a view, whatever the weight's format."""
    return torch.full(like.shape, value, dtype=dtype, device=like.device)


@torch.no_grad()
def take_checkpoint(
    step: int, model: nn.Module, method: Method, observer: Observer, state: Arrays | None = None
) -> Checkpoint:
    """The model, the method's decisions, and when the snapshots saw them, each array to be copied when it is read."""
    shapes = {name: method.weight(name) for name in method.layers}
    masks = {name: Copied(tuple(one.shape), np.dtype(bool), partial(method.mask, name)) for name, one in shapes.items()}
    values = {name: replace(Copied.of(one), make=partial(method.quantity_values, name)) for name, one in shapes.items()}
    return Checkpoint(
        step=step,
        parameters=as_arrays({name: Copied.of(one) for name, one in evaluated_state(model, method).items()}),
        masks=as_arrays(masks),
        quantities=as_arrays(values),
        cut_at=as_arrays({name: Copied.of(observer.cut_at[name]) for name in method.layers}),
        state=state,
    )
