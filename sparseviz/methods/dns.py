"""Dynamic network surgery: cut weights that have become small, and splice in again those that have grown.

"Dynamic Network Surgery for Efficient DNNs", Guo, Yao and Chen, 2016.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.base import first_of, matching
from sparseviz.methods.gates import masked
from sparseviz.methods.pruned import FixedMask, Pruned
from sparseviz.values.snapshot import Quantity

MAGNITUDE = Quantity("|w| / (mean + c std)", 0, 4, is_gate=False)
MARGIN = 0.1  # a = 0.9, b = 1.1 of the threshold, as in the authors' code
DECAY = 1e-4  # surgery comes with probability 1 / (1 + this * step), as in the authors' code


class Spliced(FixedMask):
    """A parametrization w * mask whose gradient is not masked, so that a weight that is cut goes on learning."""

    frozen = False

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight; once frozen the gradient is masked too."""
        mask = self.mask.to(weight.dtype)
        return masked(weight, mask) if self.frozen else weight + (weight * mask - weight).detach()


class NetworkSurgery(Pruned):
    """A weight is cut where |w| < a, spliced in where |w| >= b, and else left as it is (equation 3).

    a and b are 0.9 and 1.1 of mean + c * std of the layer's |w| (`method.deviations` is c, which may differ by layer),
    measured when surgery begins, at the end of warm-up. It goes on to the end of the ramp (where that is 0, two thirds
    of the run), ever more rarely; weights that are cut get the gradient of what they would do (equation 2).
    """

    new_mask = Spliced

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self._bars = torch.zeros(0)  # (layers that are cut,): mean + c * std of |w|

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight a mask of ones. Raises ConfigError."""
        super().attach(model)
        matching(self.layers, self.config.method.deviations_by_layer, "method.deviations_by_layer")
        self._bars = torch.ones_like(self._cut_at)
        self._measure()

    @torch.no_grad()
    def _measure(self) -> None:
        method = self.config.method
        for place, name in enumerate(self.masks):
            size, number = self.weight(name).abs(), first_of(name, method.deviations_by_layer, method.deviations)
            self._bars[place] = size.mean() + number * size.std(correction=0)
        self._bars.clamp_min_(1e-12)

    def before_step(self, step: int) -> None:
        """Operate, by chance, while surgery lasts."""
        if self.frozen or not self.at(0) <= step <= self.at(1):
            return
        if step == self.at(0):
            self._measure()
            self._cut_at.fill_(1)
        chance = 1 / (1 + DECAY * (step - self.at(0)))
        self.operate(torch.rand((), device=self._bars.device) < chance)

    @torch.no_grad()
    def operate(self, now: Tensor) -> None:
        """Cut and splice where `now`, a bool scalar on the device, is true."""
        for name, module in self.masks.items():
            values = self.quantity_values(name)
            changed = (module.mask | (values >= 1 + MARGIN)) & (values >= 1 - MARGIN)
            module.mask.copy_(torch.where(now, changed, module.mask))

    def freeze(self) -> None:
        """End the surgery, and the learning of what is cut."""
        super().freeze()
        for module in self.masks.values():
            if isinstance(module, Spliced):
                module.frozen = True

    def quantity(self, layer: str) -> Quantity:
        """|w| over the layer's threshold; the relative magnitude of a layer that is not cut."""
        return MAGNITUDE if layer in self.masks else super().quantity(layer)

    def quantity_values(self, layer: str) -> Tensor:
        """|w| / (mean + c * std), those of the start of surgery."""
        if layer not in self.masks:
            return super().quantity_values(layer)
        return self.weight(layer).detach().abs() / self._bars[list(self.masks).index(layer)]

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks, by layer, and the thresholds."""
        return {**super().state_dict(), "bars": self._bars}
