"""Iterative magnitude pruning: train, cut the smallest weights, go on, repeat.

"Learning both Weights and Connections for Efficient Neural Networks", Han, Pool, Tran and Dally, 2015.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.gates import masked
from sparseviz.methods.base import register
from sparseviz.methods.dense import Dense, relative_magnitude


class FixedMask(nn.Module):
    """A parametrization w * mask; the gradient is masked too, so that what is cut stays cut."""

    mask: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones_like(weight.detach(), dtype=torch.bool))

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight, in the memory format of the weight."""
        return masked(weight, self.mask.to(weight.dtype))


class Magnitude(Dense):
    """Cuts in `method.rounds` rounds down to the share `method.keep`, each round by the same factor.

    As in the source, a layer's threshold is a number of its own standard deviations; that number is the same
    for all layers, and such that the whole network meets the round's share. The rounds are spread evenly
    between the ends of warm-up (`schedule.warm_up_until`) and of the ramp (`schedule.ramp_until`; where
    that is 0, two thirds of the run), and the rest fine-tunes.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self._masks: dict[str, FixedMask] = {}
        self._cut_at = torch.zeros(())  # standard deviations
        first = config.schedule.warm_up_until
        last = max(config.schedule.ramp_until, first) or 2 / 3
        rounds = config.method.rounds
        at = [first + (last - first) * (number + 1) / rounds for number in range(rounds)]
        self._rounds = {round(share * (steps - 1)): number + 1 for number, share in enumerate(at)}

    def attach(self, model: nn.Module) -> None:
        """Give every layer's weight a mask of ones."""
        super().attach(model)
        for name, layer in self.layers.items():
            self._masks[name] = FixedMask(layer.weight)
            self._cut_at = layer.weight.new_zeros(())
            register(model, layer, self._masks[name])

    def before_step(self, step: int) -> None:
        """Cut where a round falls on this step."""
        if step in self._rounds and not self.frozen:
            self.cut(self.config.method.keep ** (self._rounds[step] / self.config.method.rounds))

    @torch.no_grad()
    def cut(self, keep: float) -> None:
        """Keep this share of all weights; what was cut before stays cut."""
        values = {name: self.quantity_values(name) for name in self.layers}
        everything = torch.cat([value.flatten() for value in values.values()])
        number = max(1, round(keep * everything.numel()))
        bar = everything.kthvalue(everything.numel() - number + 1).values
        self._cut_at.copy_(bar)
        for name, value in values.items():
            self._masks[name].mask &= value >= bar
            self.weight(name).mul_(self._masks[name].mask)

    def mask(self, layer: str) -> Tensor:
        """True where no round has cut the weight."""
        return self._masks[layer].mask

    def quantity_values(self, layer: str) -> Tensor:
        """|w| over the standard deviation of the layer's weights, the cut ones at 0."""
        return relative_magnitude(self.weight(layer) * self._masks[layer].mask)

    def threshold(self, layer: str) -> float:  # noqa: ARG002
        """Where the last round cut, in the standard deviations of that moment."""
        return float(self._cut_at)

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks, by layer, and where the last round cut."""
        return {f"{name}.mask": module.mask for name, module in self._masks.items()} | {"cut_at": self._cut_at}
