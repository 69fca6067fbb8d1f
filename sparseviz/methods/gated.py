"""Gated training: the paper's method."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.base import first_of, matching, register
from sparseviz.methods.dense import Dense
from sparseviz.methods.gates import Gate, gate_scale
from sparseviz.values.prior import THRESHOLD
from sparseviz.values.snapshot import Quantity

GATE = Quantity("gate", 0, 1, is_gate=True)


class Gated(Dense):
    """Every weight has a learnable gate; the mask is g >= 0.5; the loss gains lambda1 g (1 - g) + lambda2 g.

    Layers that `gate.layers` does not name stay dense.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self.gates: dict[str, Gate] = {}
        self._scales: dict[str, float] = {}
        self._lambda1 = self._lambda2 = 0.0  # numbers cross to a device without waiting for it

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight its gates; a shared weight gets one shared set. Raises ConfigError."""
        super().attach(model)
        for setting in ("start_by_layer", "top_share"):
            matching(self.layers, getattr(self.config.gate, setting), f"gate.{setting}")
        gated = matching(self.layers, self.config.gate.layers, "gate.layers")
        total = sum(self.layers[name].weight.numel() for name in gated)
        for name in gated:
            layer = self.layers[name]
            self._scales[name] = gate_scale(self.config.penalty.scale, layer.weight.numel(), total)
            self.gates[name] = self._new_gate(name, layer.weight)
            register(model, layer, self.gates[name])

    def _new_gate(self, name: str, weight: Tensor) -> Gate:
        method, gate = self.config.method, self.config.gate
        start = first_of(name, gate.start_by_layer, gate.start)
        top_share = first_of(name, gate.top_share, None)
        return Gate(weight, start, method.draw, method.estimator, gate.granularity, top_share)

    def parameters(self) -> list[nn.Parameter]:
        """The parameters of all gates."""
        return [parameter for gate in self.gates.values() for parameter in gate.sets.values()]

    def set_lambdas(self, lambda1: float, lambda2: float) -> None:
        """Keep the two numbers for the steps to come."""
        self._lambda1, self._lambda2 = lambda1, lambda2

    def penalties(self) -> tuple[Tensor, Tensor]:
        """lambda1 * scale * sum g (1 - g) and lambda2 * scale * sum g."""
        bimodal, count = torch.zeros(()), torch.zeros(())
        for name, gate in self.gates.items():
            sums = gate.penalty_sums(self.config.penalty.count)
            bimodal += self._scales[name] * sums[0]
            count += self._scales[name] * sums[1]
        return self._lambda1 * bimodal, self._lambda2 * count

    def draw(self) -> None:
        """Draw the masks that the next forward pass uses."""
        for gate in self.gates.values():
            gate.redraw()

    def after_backward(self) -> None:
        """Add the penalties' gradient to the gates'."""
        if not self.frozen:
            for name, gate in self.gates.items():
                gate.add_penalty_gradient(self._lambda1, self._lambda2, self._scales[name], self.config.penalty.count)

    def after_step(self) -> None:
        """Project the gates where the estimator asks for it."""
        if not self.frozen:
            for gate in self.gates.values():
                gate.project()

    def freeze(self) -> None:
        """Stop the gates: their update is skipped, their threshold mask stays."""
        super().freeze()
        for gate in self.gates.values():
            gate.freeze()

    def mask(self, layer: str) -> Tensor:
        """True where g >= 0.5; everywhere in a layer without gates."""
        return self.gates[layer].mask() if layer in self.gates else super().mask(layer)

    def quantity(self, layer: str) -> Quantity:
        """The gate, or the relative magnitude of a layer without gates."""
        return GATE if layer in self.gates else super().quantity(layer)

    def quantity_values(self, layer: str) -> Tensor:
        """G in [0, 1]; of several gates the least, which decides."""
        return self.gates[layer].gates() if layer in self.gates else super().quantity_values(layer)

    def mask_rows(self, layer: str) -> Callable[[Any], Tensor]:
        """The mask of these rows alone."""
        return self.gates[layer].mask_rows if layer in self.gates else super().mask_rows(layer)

    def quantity_rows(self, layer: str) -> Callable[[Any], Tensor]:
        """The gates of these rows alone."""
        return self.gates[layer].rows if layer in self.gates else super().quantity_rows(layer)

    def threshold(self, layer: str) -> float:
        """The gate from which a weight is kept."""
        return THRESHOLD if layer in self.gates else super().threshold(layer)

    def state_dict(self) -> Mapping[str, Tensor]:
        """The gates' parameters, by layer and by what they stand for."""
        return {
            f"{name}.{kind}": parameter.detach()
            for name, gate in self.gates.items()
            for kind, parameter in gate.sets.items()
        }
