"""Optimal Brain Surgeon, layer by layer: cut what the layer's output misses least, and mend the rest for it.

"Second Order Derivatives for Network Pruning: Optimal Brain Surgeon", Hassibi and Stork, 1993; a layer at a time as
in "Learning to Prune Deep Neural Networks via Layer-wise Optimal Brain Surgeon", Dong, Chen and Pan, 2017.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.base import Batches
from sparseviz.methods.curvature import input_moments
from sparseviz.methods.pruned import Pruned
from sparseviz.values.snapshot import Quantity

SALIENCY = Quantity("log10 relative saliency", -12, 0, is_gate=False)
BLOCK = 1024  # inputs of a unit that are looked at together: a Hessian of 4 MB, one unit at a time


class OptimalBrainSurgeon(Pruned):
    """The saliency of a weight is w^2 / (2 [H^-1]), with H the Hessian of its layer's output error.

    H is the second moment of what the layer reads, the same for all its units but for what each has lost already.
    Saliencies are told as a share of the layer's output power, so that layers can be compared. When a round cuts,
    the weights left in a unit move to where the layer's output is nearest to what it was. H is measured before each
    round, and at the first step, on `method.images` training images; `method.damping` times its mean diagonal is added.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self._moments: dict[str, list[Tensor]] = {}  # held for the round alone
        self._saliencies: dict[str, Tensor] = {}  # of the last measurement

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight a mask of ones and a saliency of 0, which is not measured yet."""
        super().attach(model)
        self._saliencies = {name: torch.zeros_like(self.weight(name), requires_grad=False) for name in self.masks}

    def needs_data(self, step: int) -> bool:
        """At the first step and before each round."""
        return not self.frozen and (step == 0 or step in self.rounds)

    @torch.no_grad()
    def on_data(self, model: nn.Module, batches: Batches) -> None:
        """Measure the layers' Hessians and what they say of each weight."""
        layers = {name: self.layers[name] for name in self.masks}
        damping = self.config.method.damping
        measured = input_moments(model, layers, batches, BLOCK)
        self._moments = {name: damped(moments, damping) for name, moments in measured.items()}
        for name, moments in self._moments.items():
            weight, mask = self.weight(name), self.mask(name).flatten(1)
            left = weight.flatten(1) * mask
            found = saliencies(left, mask, moments) / output_power(left, moments)
            self._saliencies[name].copy_(found.reshape(weight.shape))

    def before_step(self, step: int) -> None:
        """Cut where a round falls on this step."""
        super().before_step(step)
        self._moments = {}

    def leave(self, name: str, mask: Tensor) -> None:
        """Keep these weights of a layer, moved to make up for the others, which become 0."""
        weight, flat = self.weight(name), mask.flatten(1)
        if name in self._moments:
            mended = corrected((weight * self.mask(name)).flatten(1), flat, self._moments[name])
            weight.copy_(mended.reshape(weight.shape))
        super().leave(name, mask)

    def quantity(self, layer: str) -> Quantity:
        """The saliency, on a log scale; the relative magnitude of a layer that is not cut."""
        return SALIENCY if layer in self.masks else super().quantity(layer)

    @torch.no_grad()
    def quantity_values(self, layer: str) -> Tensor:
        """log10 of w^2 / (2 [H^-1]) over the layer's output power when last measured; the cut ones at the low end."""
        if layer not in self.masks:
            return super().quantity_values(layer)
        return (self._saliencies[layer] * self.mask(layer)).clamp_min(10**SALIENCY.low).log10()

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks, where the last round cut, and the saliencies."""
        return {**super().state_dict(), **{f"{name}.saliency": value for name, value in self._saliencies.items()}}


def damped(moments: list[Tensor], damping: float) -> list[Tensor]:
    """H + damping * mean(diag H) * I of each block and group: it has an inverse where inputs are never active."""
    found = []
    for part in moments:
        mean = part.diagonal(dim1=-2, dim2=-1).mean(dim=-1).clamp_min(1e-12)
        unit = torch.eye(part.shape[-1], dtype=part.dtype, device=part.device)
        found.append(part + damping * mean[:, None, None] * unit)
    return found


def output_power(weight: Tensor, hessians: list[Tensor]) -> Tensor:
    """The sum over units of w^T H w, the layer's mean squared output; a scalar."""
    parts = [(hessian, weight[rows, columns]) for hessian, rows, columns in _blocks(hessians, weight)]
    return torch.stack([((part @ hessian) * part).sum() for hessian, part in parts]).sum()


def saliencies(weight: Tensor, mask: Tensor, hessians: list[Tensor]) -> Tensor:
    """w^2 / (2 [H^-1]_qq) of each kept weight, with H of what its unit keeps, 0 of the cut ones (equation 5).

    All are (units, D).
    """
    found = torch.zeros_like(weight)
    for hessian, rows, columns in _blocks(hessians, weight):
        whole = _inverse_diagonal(hessian)
        for row in range(rows.start, rows.stop):
            kept = mask[row, columns].nonzero()[:, 0]
            inverse = whole if len(kept) == len(whole) else _inverse_diagonal(hessian[kept][:, kept])
            found[row, columns][kept] = weight[row, columns][kept].square() / (2 * inverse)
    return found


def _inverse_diagonal(hessian: Tensor) -> Tensor:
    return torch.cholesky_inverse(torch.linalg.cholesky(hessian)).diagonal()


def corrected(weight: Tensor, mask: Tensor, hessians: list[Tensor]) -> Tensor:
    """The weights left by `mask`, moved so that (w' - w)^T H (w' - w) is least for each unit; all (units, D).

    It is equation 5's correction for all that a round cuts at once: w'_K = w_K + (H_KK)^-1 H_KQ w_Q.
    """
    found = torch.zeros_like(weight)
    for hessian, rows, columns in _blocks(hessians, weight):
        for row in range(rows.start, rows.stop):
            here, before = mask[row, columns], weight[row, columns]
            kept = here.nonzero()[:, 0]
            if len(kept):
                root = torch.linalg.cholesky(hessian[kept][:, kept])
                push = hessian[kept] @ (before * ~here)
                found[row, columns][kept] = before[kept] + torch.cholesky_solve(push[:, None], root)[:, 0]
    return found


def _blocks(hessians: list[Tensor], weight: Tensor) -> Iterator[tuple[Tensor, slice, slice]]:
    """Each block's and group's Hessian, its units and its inputs; what lies between blocks is left out."""
    first = 0
    for block in hessians:
        units, columns = len(weight) // len(block), slice(first, first + block.shape[-1])
        first = columns.stop
        for number, hessian in enumerate(block):
            yield hessian, slice(number * units, (number + 1) * units), columns
