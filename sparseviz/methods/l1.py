"""LASSO: a penalty on the weights' magnitude, then a cut, then fine-tuning.

"Regression Shrinkage and Selection via the Lasso", Tibshirani, 1996; its proximal step as in "A Fast Iterative
Shrinkage-Thresholding Algorithm for Linear Inverse Problems", Beck and Teboulle, 2009, equation 1.5.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.gates import gate_scale
from sparseviz.methods.magnitude import Magnitude


class Lasso(Magnitude):
    """The loss gains lambda2 * scale * sum |w| until the last round; each round cuts the smallest magnitudes.

    The proximal step (`method.proximal`) moves a weight by rate * lambda2 * scale towards 0 after each update and
    leaves it there if it would pass: it makes true zeros, which count as cut and may return until the last round.
    Otherwise the penalty's subgradient is part of the gradient. What is left is shrunk, as LASSO does.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self._scales: dict[str, float] = {}
        self._lambda = torch.zeros(())
        self._acting = torch.ones((), dtype=torch.bool)

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight a mask of ones, and its share of the penalty."""
        super().attach(model)
        sizes = {name: self.weight(name).numel() for name in self.masks}
        scale, total = self.config.penalty.scale, sum(sizes.values())
        self._scales = {name: gate_scale(scale, size, total) for name, size in sizes.items()}
        self._lambda = next(model.parameters()).new_zeros(())
        self._acting = torch.ones_like(self._lambda, dtype=torch.bool)

    def set_lambdas(self, lambda1: float, lambda2: float) -> None:  # noqa: ARG002
        """Weigh the penalty by lambda2."""
        self._lambda.fill_(lambda2)

    @torch.no_grad()
    def penalties(self) -> tuple[Tensor, Tensor]:
        """0 and lambda2 * scale * sum |w|."""
        sums = [self._pull(name) * self.weight(name).abs().sum() for name in self.masks]
        return torch.zeros_like(self._lambda), torch.stack(sums).sum()

    def _pull(self, name: str) -> Tensor:
        return self._lambda * self._acting * self._scales[name]

    @torch.no_grad()
    def after_backward(self) -> None:
        """Add the subgradient where that is asked for."""
        if not self.config.method.proximal:
            for name in self.masks:
                weight = self.weight(name)
                if weight.grad is not None:
                    weight.grad += self._pull(name) * weight.sign()

    @torch.no_grad()
    def after_step(self) -> None:
        """Take the proximal step where that is asked for."""
        if self.config.method.proximal:
            for name in self.masks:
                weight = self.weight(name)
                weight.copy_(soft_threshold(weight, self.rate * self._pull(name)))

    def before_step(self, step: int) -> None:
        """Cut where a round falls on this step; the last one ends the penalty."""
        super().before_step(step)
        if step in self.rounds and step == max(self.rounds):
            self._settle()

    def freeze(self) -> None:
        """End the penalty, and keep what is not 0."""
        super().freeze()
        self._settle()

    def _settle(self) -> None:
        for name, module in self.masks.items():
            module.mask.copy_(self.mask(name))
        self._acting.fill_(False)

    def mask(self, layer: str) -> Tensor:
        """True where no round has cut the weight and, while the proximal step acts, it is not 0."""
        mask = super().mask(layer)
        if layer in self.masks and self.config.method.proximal:
            return mask & ((self.weight(layer) != 0) | ~self._acting)
        return mask

    def threshold(self, layer: str) -> float:
        """Where the last round cut; before the first the smallest number above 0 where the step makes zeros."""
        threshold = super().threshold(layer)
        zeros = layer in self.masks and self.config.method.proximal and math.isnan(threshold)
        return torch.finfo(torch.float32).tiny if zeros else threshold

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks, where the last round cut, and whether the penalty still acts."""
        return {**super().state_dict(), "acting": self._acting}


def soft_threshold(weight: Tensor, bar: Tensor) -> Tensor:
    """sign(w) max(|w| - bar, 0): the minimum over x of (x - w)^2 / 2 + bar |x|, elementwise."""
    return weight.sign() * (weight.abs() - bar).clamp_min(0)
