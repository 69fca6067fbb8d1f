"""Methods that cut in rounds: what they share."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.config.parts import MethodConfig
from sparseviz.methods.base import matching, register
from sparseviz.methods.dense import Dense
from sparseviz.methods.gates import masked


class FixedMask(nn.Module):
    """A parametrization w * mask; the gradient is masked too, so that what is cut stays cut."""

    mask: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones_like(weight.detach(), dtype=torch.bool))

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight, in the memory format of the weight."""
        return masked(weight, self.mask.to(weight.dtype))


class Pruned(Dense):
    """Cuts the weights with the least decisive quantity in `method.rounds` rounds, down to the share `method.keep`.

    The rounds are spread evenly between the ends of warm-up (`schedule.warm_up_until`) and of the ramp
    (`schedule.ramp_until`; where that is 0, two thirds of the run), and the rest of the run fine-tunes. Layers that
    `method.layers` does not name stay dense.
    """

    new_mask = FixedMask

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self.masks: dict[str, FixedMask] = {}
        self._cut_at = torch.zeros(0)  # (layers that are cut,) of the decisive quantity; NaN before the first cut
        rounds = config.method.rounds
        self.rounds = {self.at((number + 1) / rounds): number + 1 for number in range(rounds)}

    def at(self, share: float) -> int:
        """The step at this share of the time in which the method cuts; before any at which the ramp has ended."""
        first = self.config.schedule.warm_up_until
        last = max(self.config.schedule.ramp_until, first) or 2 / 3
        step = round((first + (last - first) * share) * (self.steps - 1))
        return max(min(step, round(last * self.steps) - 1), 0)  # the masks may freeze where the ramp ends

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight a mask of ones. Raises ConfigError."""
        super().attach(model)
        for name in self.choose(model):
            layer = self.layers[name]
            self.masks[name] = self.new_mask(layer.weight)
            register(model, layer, self.masks[name])
        self._cut_at = next(model.parameters()).new_full((len(self.masks),), torch.nan)

    def choose(self, model: nn.Module) -> list[str]:  # noqa: ARG002
        """The layers that may be cut."""
        return matching(self.layers, self.config.method.layers, "method.layers")

    def before_step(self, step: int) -> None:
        """Cut where a round falls on this step."""
        if step in self.rounds and not self.frozen:
            self.cut(share_after(self.rounds[step], self.config.method))

    @torch.no_grad()
    def cut(self, keep: float) -> None:
        """Keep this share of the weights, of the whole network or of each layer; what was cut before stays cut."""
        names = list(self.masks)
        for group in [names] if self.config.method.share_of == "network" else [[name] for name in names]:
            values = [self.quantity_values(name) for name in group]
            kept, bar = largest(values, [self.mask(name) for name in group], keep)
            for name, mask in zip(group, kept, strict=True):
                self.leave(name, mask)
                self.set_threshold(name, bar)

    def leave(self, name: str, mask: Tensor) -> None:
        """Keep these weights of a layer and set the others to 0."""
        self.masks[name].mask.copy_(mask)
        self.weight(name).mul_(mask)

    def set_threshold(self, name: str, bar: Tensor) -> None:
        """Note where the last cut of a layer lay, a scalar."""
        self._cut_at[list(self.masks).index(name)] = bar

    def mask(self, layer: str) -> Tensor:
        """True where no round has cut the weight."""
        return self.masks[layer].mask if layer in self.masks else super().mask(layer)

    def threshold(self, layer: str) -> float:
        """Where the last round cut, as the quantity was at that moment; NaN before the first."""
        if layer not in self.masks:
            return super().threshold(layer)
        return float(self._cut_at[list(self.masks).index(layer)])

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks, by layer, and where the last round cut."""
        return {f"{name}.mask": module.mask for name, module in self.masks.items()} | {"cut_at": self._cut_at}


def share_after(number: int, method: MethodConfig) -> float:
    """What is kept after this many of the rounds: each keeps the same share of what is left, or a cubic.

    The cubic is equation 1 of "To prune, or not to prune", Zhu and Gupta, 2017, from a sparsity of 0:
    s = s_f - s_f (1 - t)^3 at the share t of the rounds.
    """
    done = number / method.rounds
    if method.decline == "cubic":
        return 1 - (1 - method.keep) * (1 - (1 - done) ** 3)
    return float(method.keep**done)


def largest(values: Sequence[Tensor], masks: Iterable[Tensor], share: float) -> tuple[list[Tensor], Tensor]:
    """Masks of the share of all values that are largest, none of them cut before; and the least kept, a scalar.

    Exactly so many, at least one, where so many are left; of equal values the earlier or later as the sort has it.
    """
    lowest = -torch.inf
    flat = torch.cat([value.masked_fill(~mask, lowest).flatten() for value, mask in zip(values, masks, strict=True)])
    best = flat.topk(max(1, round(share * flat.numel())))
    kept = torch.zeros_like(flat, dtype=torch.bool)
    kept[best.indices] = best.values > lowest
    parts = torch.split(kept, [value.numel() for value in values])
    bar = best.values.masked_fill(best.values == lowest, torch.inf).min()
    return [part.reshape(value.shape) for part, value in zip(parts, values, strict=True)], bar
