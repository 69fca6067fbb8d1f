"""No sparsity: the baseline that every other method is measured against."""

import math

import torch
from torch import Tensor

from sparseviz.methods.base import Method
from sparseviz.values.snapshot import Quantity

# In units of the layer's own standard deviation, so that all layers share a scale.
RELATIVE_MAGNITUDE = Quantity("|w| / std", 0, 4, is_gate=False)


class Dense(Method):
    """Every weight is kept; what is shown is its magnitude."""

    def mask(self, layer: str) -> Tensor:
        """The mask: every weight is kept."""
        return torch.ones_like(self.weight(layer), dtype=torch.bool)

    def quantity(self, layer: str) -> Quantity:  # noqa: ARG002
        """The magnitude in standard deviations."""
        return RELATIVE_MAGNITUDE

    def quantity_values(self, layer: str) -> Tensor:
        """|w| / std(w)."""
        return relative_magnitude(self.weight(layer))

    def threshold(self, layer: str) -> float:  # noqa: ARG002
        """No threshold: nothing is decided."""
        return math.nan


@torch.no_grad()
def relative_magnitude(weight: Tensor) -> Tensor:
    """|w| / std(w), in the shape of the weight."""
    return weight.abs().div_(weight.std(correction=0).clamp_min(1e-12))
