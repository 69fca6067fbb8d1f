"""Optimal Brain Damage: cut the weights whose loss, told by the diagonal of the Hessian, is least; retrain; repeat.

"Optimal Brain Damage", LeCun, Denker and Solla, 1989.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.base import Batches
from sparseviz.methods.curvature import gauss_newton_diagonal
from sparseviz.methods.pruned import Pruned
from sparseviz.values.snapshot import Quantity

SALIENCY = Quantity("log10 saliency", -20, 0, is_gate=False)


class OptimalBrainDamage(Pruned):
    """The saliency of a weight is h w^2 / 2 (step 4 of the recipe), with h the diagonal of the Gauss-Newton matrix.

    Before each round, and at the first step, h is measured anew on `method.images` training images.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self.diagonals: dict[str, Tensor] = {}

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight a mask of ones and a curvature of 0, which is not measured yet."""
        super().attach(model)
        self.diagonals = {name: torch.zeros_like(self.weight(name), requires_grad=False) for name in self.masks}

    def needs_data(self, step: int) -> bool:
        """At the first step and before each round."""
        return not self.frozen and (step == 0 or step in self.rounds)

    def on_data(self, model: nn.Module, batches: Batches) -> None:
        """Measure the Gauss-Newton diagonal on these images."""
        layers = {name: self.layers[name] for name in self.masks}
        for name, diagonal in gauss_newton_diagonal(model, layers, batches).items():
            self.diagonals[name].copy_(diagonal)

    def quantity(self, layer: str) -> Quantity:
        """The saliency, on a log scale; the relative magnitude of a layer that is not cut."""
        return SALIENCY if layer in self.masks else super().quantity(layer)

    @torch.no_grad()
    def quantity_values(self, layer: str) -> Tensor:
        """log10 of h w^2 / 2, the cut ones at the low end of the range."""
        if layer not in self.masks:
            return super().quantity_values(layer)
        saliency = self.diagonals[layer] * (self.weight(layer) * self.mask(layer)).square() / 2
        return saliency.clamp_min(10**SALIENCY.low).log10()

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks, where the last round cut, and the curvature."""
        return {**super().state_dict(), **{f"{name}.diagonal": value for name, value in self.diagonals.items()}}
