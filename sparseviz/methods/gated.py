"""Gated training: the paper's method."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.gates import THRESHOLD, Gate, gate_scale
from sparseviz.methods.base import Method, register
from sparseviz.snapshot import Quantity

GATE = Quantity("gate", 0, 1, is_gate=True)


class Gated(Method):
    """Every weight has a learnable gate; the mask is g >= 0.5; the loss gains lambda1 g (1 - g) + lambda2 g."""

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self.gates: dict[str, Gate] = {}
        self._scales: dict[str, float] = {}
        self._lambda1 = self._lambda2 = torch.zeros(())

    def attach(self, model: nn.Module) -> None:
        """Give every layer's weight its gates; a shared weight gets one shared set."""
        super().attach(model)
        method, total = self.config.method, sum(layer.weight.numel() for layer in self.layers.values())
        for name, layer in self.layers.items():
            gate = Gate(layer.weight, self.config.gate.start, method.draw, method.estimator)
            self.gates[name] = gate
            self._scales[name] = gate_scale(self.config.penalty.scale, layer.weight.numel(), total)
            self._lambda1 = layer.weight.new_zeros(())
            self._lambda2 = layer.weight.new_zeros(())
            register(model, layer, gate)

    def parameters(self) -> list[nn.Parameter]:
        """The gates."""
        return [gate.parameter for gate in self.gates.values()]

    def set_lambdas(self, lambda1: float, lambda2: float) -> None:
        """Fill the two numbers on the device; no step waits for it."""
        self._lambda1.fill_(lambda1)
        self._lambda2.fill_(lambda2)

    @torch.no_grad()
    def penalties(self) -> tuple[Tensor, Tensor]:
        """lambda1 * scale * sum g (1 - g) and lambda2 * scale * sum g."""
        bimodal, count = torch.zeros_like(self._lambda1), torch.zeros_like(self._lambda2)
        for name, gate in self.gates.items():
            g = gate.gates()
            bimodal += self._scales[name] * (g * (1 - g)).sum()
            count += self._scales[name] * g.sum()
        return self._lambda1 * bimodal, self._lambda2 * count

    def before_step(self, step: int) -> None:  # noqa: ARG002
        """Draw the masks of this step."""
        if not self.frozen:
            for gate in self.gates.values():
                gate.redraw()

    def after_backward(self) -> None:
        """Add the penalties' gradient to the gates'."""
        if not self.frozen:
            for name, gate in self.gates.items():
                gate.add_penalty_gradient(self._lambda1, self._lambda2, self._scales[name])

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
        """G >= 0.5."""
        return self.gates[layer].mask()

    def quantity(self, layer: str) -> Quantity:  # noqa: ARG002
        """The gate."""
        return GATE

    def quantity_values(self, layer: str) -> Tensor:
        """G in [0, 1]."""
        return self.gates[layer].gates()

    def threshold(self, layer: str) -> float:  # noqa: ARG002
        """0.5."""
        return THRESHOLD

    def state_dict(self) -> Mapping[str, Tensor]:
        """The gates' parameters, by layer."""
        return {name: gate.parameter.detach() for name, gate in self.gates.items()}
