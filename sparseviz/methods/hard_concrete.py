"""Hard concrete gates: a weight is 0 with a probability that is learned, by noise through which gradients pass.

"Learning Sparse Neural Networks through L0 Regularization", Louizos, Welling and Kingma, 2018.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.base import matching, register
from sparseviz.methods.dense import Dense
from sparseviz.methods.gates import gate_scale
from sparseviz.values.snapshot import Quantity

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1  # temperature and stretch of the source's experiments
SHIFT = BETA * math.log(-GAMMA / ZETA)  # P(open) = sigmoid(log alpha - SHIFT), equation 12
OPENS_AT = 1 / (1 + math.exp(SHIFT - math.log(-GAMMA / ZETA)))  # P(open) at which the gate of evaluation opens
SURE = 20.0  # log alpha of a gate that is decided: its probability is 0 or 1
P_OPEN = Quantity("P(open)", 0, 1, is_gate=True)


class HardConcreteGate(nn.Module):
    """A parametrization w * z: z is drawn in training, and what equation 13 says in evaluation and once frozen."""

    def __init__(self, weight: Tensor, start: float) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.full_like(weight.detach(), math.log(start / (1 - start)) + SHIFT))
        self._noise: Tensor | None = None

    def forward(self, weight: Tensor) -> Tensor:
        """The gated weight, in the memory format of the weight."""
        if self.training and self._noise is not None:
            return weight * drawn(self.log_alpha, self._noise)
        return weight * self.sure()

    def redraw(self) -> None:
        """Draw the noise of a training step: once, also where several modules share the weight."""
        if self.log_alpha.requires_grad:
            self._noise = torch.rand_like(self.log_alpha)

    @torch.no_grad()
    def open(self) -> Tensor:
        """P(z > 0), the probability of being open (equation 12)."""
        return torch.sigmoid(self.log_alpha - SHIFT)

    def mask(self) -> Tensor:
        """True where the gate of evaluation is above 0."""
        return self.open() >= OPENS_AT

    @torch.no_grad()
    def sure(self) -> Tensor:
        """The gate of evaluation: min(1, max(0, sigmoid(log alpha) (zeta - gamma) + gamma)), equation 13."""
        gate = (torch.sigmoid(self.log_alpha) * (ZETA - GAMMA) + GAMMA).clamp(0, 1)
        return gate * self.mask()

    @torch.no_grad()
    def decide(self, weight: Tensor) -> None:
        """Put the gate of evaluation into the weight, and be 0 or 1 from now on; a second time changes nothing."""
        mask = self.mask()
        weight.mul_(torch.where(mask, self.sure(), 1.0))
        self.log_alpha.copy_(torch.where(mask, SURE, -SURE))
        self.log_alpha.requires_grad = False
        self.log_alpha.grad, self._noise = None, None


def drawn(log_alpha: Tensor, noise: Tensor) -> Tensor:
    """The hard concrete variable of uniform noise in [0, 1): equations 10 and 11; elementwise."""
    noise = noise.clamp(1e-6, 1 - 1e-6)
    soft = torch.sigmoid((noise.log() - (-noise).log1p() + log_alpha) / BETA)
    return (soft * (ZETA - GAMMA) + GAMMA).clamp(0, 1)


class HardConcrete(Dense):
    """Every weight has a hard concrete gate; the loss gains lambda2 * scale * sum P(open).

    Layers that `method.layers` does not name stay dense. When the masks freeze, the gates go into the weights.
    """

    scales_weights = True

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self.gates: dict[str, HardConcreteGate] = {}
        self._scales: dict[str, float] = {}
        self._lambda = torch.zeros(())

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight its gates. Raises ConfigError."""
        super().attach(model)
        method = self.config.method
        sizes = {name: self.weight(name).numel() for name in matching(self.layers, method.layers, "method.layers")}
        self._lambda = next(model.parameters()).new_zeros(())
        for name, size in sizes.items():
            layer = self.layers[name]
            self._scales[name] = gate_scale(self.config.penalty.scale, size, sum(sizes.values()))
            self.gates[name] = HardConcreteGate(layer.weight, method.open)
            register(model, layer, self.gates[name])

    def parameters(self) -> list[nn.Parameter]:
        """The gates' log alpha."""
        return [gate.log_alpha for gate in self.gates.values()]

    def set_lambdas(self, lambda1: float, lambda2: float) -> None:  # noqa: ARG002
        """lambda2 weighs the expected number of open gates."""
        self._lambda.fill_(lambda2)

    def penalties(self) -> tuple[Tensor, Tensor]:
        """0 and lambda2 * scale * sum P(open)."""
        sums = [self._scales[name] * gate.open().sum() for name, gate in self.gates.items()]
        return torch.zeros_like(self._lambda), self._lambda * torch.stack(sums).sum()

    def draw(self) -> None:
        """Draw the noise that the next forward pass uses."""
        for gate in self.gates.values():
            gate.redraw()

    def after_backward(self) -> None:
        """Add the penalty's gradient, lambda2 * scale * P (1 - P)."""
        for name, gate in self.gates.items():
            if gate.log_alpha.grad is not None:
                open_ = gate.open()
                gate.log_alpha.grad += self._lambda * self._scales[name] * open_ * (1 - open_)

    def freeze(self) -> None:
        """Decide every gate for good."""
        super().freeze()
        for name, gate in self.gates.items():
            gate.decide(super().weight(name))

    def weight(self, layer: str) -> Tensor:
        """What an open weight counts in evaluation: w times its gate, and w where it is cut."""
        weight = super().weight(layer)
        if layer not in self.gates:
            return weight
        gate = self.gates[layer]
        return weight.detach() * torch.where(gate.mask(), gate.sure(), 1.0)

    def mask(self, layer: str) -> Tensor:
        """True where the gate of evaluation is above 0."""
        return self.gates[layer].mask() if layer in self.gates else super().mask(layer)

    def quantity(self, layer: str) -> Quantity:
        """The probability of being open; the relative magnitude of a layer without gates."""
        return P_OPEN if layer in self.gates else super().quantity(layer)

    def quantity_values(self, layer: str) -> Tensor:
        """P(open)."""
        return self.gates[layer].open() if layer in self.gates else super().quantity_values(layer)

    def threshold(self, layer: str) -> float:
        """The probability at which the gate of evaluation opens, 0.31."""
        return OPENS_AT if layer in self.gates else super().threshold(layer)

    def state_dict(self) -> Mapping[str, Tensor]:
        """The gates' log alpha, by layer."""
        return {f"{name}.log_alpha": gate.log_alpha.detach() for name, gate in self.gates.items()}
