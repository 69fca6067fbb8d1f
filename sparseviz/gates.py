"""The paper: gates, their draws, the straight-through estimator and the two penalties.

"Training Sparse Neural Networks", Srinivas, Subramanya and Babu, arXiv 1611.06694 (CVPR Workshops 2017).
W are the weights of a layer, G its gates, one real number a weight, Gs the 0/1 mask drawn from them, and
Ws = W * Gs what the layer computes with.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

THRESHOLD = 0.5

Draw = Literal["threshold", "bernoulli"]
Estimator = Literal["clip", "sigmoid", "plain"]
Scale = Literal["mean", "layer_mean", "sum"]


def clip(x: Tensor) -> Tensor:
    """0 below 0, 1 above 1, x between (paper, section on the estimator)."""
    return x.clamp(0, 1)


def penalty(gates: Tensor, lambda1: float | Tensor, lambda2: float | Tensor) -> Tensor:
    """The penalty lambda1 * sum g (1 - g) + lambda2 * sum g of gates in [0, 1] (paper, equation 2); a scalar."""
    return lambda1 * (gates * (1 - gates)).sum() + lambda2 * gates.sum()


def penalty_gradient(gates: Tensor, lambda1: float | Tensor, lambda2: float | Tensor) -> Tensor:
    """Its gradient lambda1 (1 - 2 g) + lambda2, elementwise, in the shape of `gates`."""
    return lambda1 * (1 - 2 * gates) + lambda2


def turning_point(lambda1: float, lambda2: float) -> float:
    """g* = (lambda1 + lambda2) / (2 lambda1): the penalty pulls gates above it toward 1 and below it toward 0.

    Below 1 only where lambda2 < lambda1; otherwise every gate is pulled to 0. Infinite for lambda1 = 0.
    """
    return (lambda1 + lambda2) / (2 * lambda1) if lambda1 else float("inf")


def gate_scale(scale: Scale, layer_gates: int, all_gates: int) -> float:
    """What multiplies the sums over a layer's gates: 1, 1 / all gates of the network, or 1 / the layer's."""
    return {"sum": 1.0, "mean": 1 / all_gates, "layer_mean": 1 / layer_gates}[scale]


class _StraightThrough(torch.autograd.Function):
    """Ws = W * Gs with dGs/dg = 1: dL/dW = (dL/dWs) * Gs and dL/dg = (dL/dWs) * W."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, gate: Tensor | None, mask: Tensor) -> Tensor:
        del gate  # its value acts through the mask alone
        ctx.save_for_backward(weight, mask)
        # The named output keeps the weight's memory format: a channels_last weight of one input channel would
        # otherwise lose its strides, and the convolution after it would fall back to a slower layout.
        return torch.mul(weight, mask, out=torch.empty_like(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, None]:
        weight, mask = ctx.saved_tensors
        return grad * mask, grad * weight if ctx.needs_input_grad[1] else None, None


def masked(weight: Tensor, mask: Tensor, gate: Tensor | None = None) -> Tensor:
    """Ws = W * Gs, in the shape and memory format of the weight; `mask` is 0 or 1 in the weight's type.

    The gradient of the weight is masked; that of the gate, where one is given, goes straight through.
    """
    return _StraightThrough.apply(weight, gate, mask)  # type: ignore[no-any-return,no-untyped-call]


class Gate(nn.Module):
    """The gates of one weight, as a parametrization of it.

    Training draws the mask as `draw` says; evaluation, and everything once frozen, uses the threshold mask.
    The parameter is g itself, or s with g = sigmoid(s) for the estimator "sigmoid".
    """

    def __init__(self, weight: Tensor, start: float, draw: Draw, estimator: Estimator) -> None:
        super().__init__()
        self.draw, self.estimator = draw, estimator
        self._drawn: Tensor | None = None  # None where the threshold mask is the draw
        self._frozen_mask: Tensor | None = None
        start_value = torch.tensor(start).logit(eps=1e-6).item() if estimator == "sigmoid" else start
        self.parameter = nn.Parameter(torch.full_like(weight.detach(), start_value))  # in the weight's shape

    def forward(self, weight: Tensor) -> Tensor:
        """Ws = W * Gs, in the shape and memory format of the weight."""
        if self._frozen_mask is not None:
            return masked(weight, self._frozen_mask)
        drawn = self._drawn if self.training and self._drawn is not None else self.mask()
        gate = self.parameter.sigmoid() if self.estimator == "sigmoid" else self.parameter
        return masked(weight, drawn.to(weight.dtype), gate)

    def redraw(self) -> None:
        """Draw the mask of a training step: once, also where several modules share the weight."""
        self._drawn = torch.bernoulli(self.gates()) if self.draw == "bernoulli" else None

    def freeze(self) -> None:
        """Keep the threshold mask from now on, and stop learning."""
        self._frozen_mask = self.mask().to(self.parameter.dtype)
        self.parameter.requires_grad = False
        self.parameter.grad = None

    @torch.no_grad()
    def gates(self) -> Tensor:
        """G in [0, 1], in the weight's shape: clip(g), or sigmoid(s)."""
        return self.parameter.sigmoid() if self.estimator == "sigmoid" else clip(self.parameter)

    @torch.no_grad()
    def mask(self) -> Tensor:
        """The threshold mask, Gs = 1 where g >= 0.5; bool, in the weight's shape."""
        gates = self.gates() if self.estimator == "sigmoid" else self.parameter
        return gates >= THRESHOLD

    @torch.no_grad()
    def add_penalty_gradient(self, lambda1: Tensor, lambda2: Tensor, scale: float) -> None:
        """Add the scaled gradient of `penalty` to the parameter's own: cheaper than a graph for a known formula."""
        gates = self.gates()
        pull = penalty_gradient(gates, lambda1 * scale, lambda2 * scale)
        if self.estimator == "sigmoid":
            pull *= gates * (1 - gates)
        elif self.estimator == "plain":
            pull *= (self.parameter > 0) & (self.parameter < 1)  # clip(g) is flat outside
        grad = self.parameter.grad
        self.parameter.grad = pull if grad is None else grad.add_(pull)

    @torch.no_grad()
    def project(self) -> None:
        """After an update: "clip" puts g back on [0, 1]."""
        if self.estimator == "clip":
            self.parameter.clamp_(0, 1)
