"""The paper: gates, their draws, the straight-through estimator and the two penalties.

"Training Sparse Neural Networks", Srinivas, Subramanya and Babu, arXiv 1611.06694 (CVPR Workshops 2017).
W are the weights of a layer, G its gates, one real number a weight, Gs the 0/1 mask drawn from them, and
Ws = W * Gs what the layer computes with. Ours: gates may also stand for an output or an input unit, one for
all its weights; a weight is then kept where all its gates are open.
"""

import math
from collections.abc import Iterable
from functools import reduce
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sparseviz.methods.comparing import compare
from sparseviz.methods.gate_start import start_from_magnitude
from sparseviz.values.prior import THRESHOLD

_BAND = 1 << 20  # gates summed at once, so that no second copy of many is needed
_BELOW = THRESHOLD - 2**-25  # the float32 just below it
_threshold = torch.ops.aten.threshold_backward.grad_input

Draw = Literal["threshold", "bernoulli"]
Estimator = Literal["clip", "sigmoid", "plain"]
Scale = Literal["mean", "layer_mean", "sum"]
Count = Literal["l1", "l2"]


def clip(x: Tensor) -> Tensor:
    """0 below 0, 1 above 1, x between (paper, section on the estimator)."""
    return x.clamp(0, 1)


def bimodal_sum(gates: Tensor) -> Tensor:
    """The sum of g (1 - g), the variance of a bernoulli mask (paper, equations 2 and 3); a scalar."""
    return (gates * (1 - gates)).sum()


def count_sum(gates: Tensor, count: Count = "l1") -> Tensor:
    """The sum of g, the expectation of a bernoulli mask (paper, equation 2), or of its square; a scalar."""
    return gates.sum() if count == "l1" else gates.square().sum()


def penalty(gates: Tensor, lambda1: float | Tensor, lambda2: float | Tensor, count: Count = "l1") -> Tensor:
    """The penalty lambda1 * sum g (1 - g) + lambda2 * sum g of gates in [0, 1] (paper, equation 2); a scalar."""
    return lambda1 * bimodal_sum(gates) + lambda2 * count_sum(gates, count)


def penalty_gradient(gates: Tensor, lambda1: float | Tensor, lambda2: float | Tensor, count: Count = "l1") -> Tensor:
    """Its gradient lambda1 (1 - 2 g) + lambda2 (2 lambda2 g for l2), elementwise, in the shape of `gates`."""
    offset, slope = _pull(lambda1, lambda2, count)
    return slope * gates + offset


def _pull(lambda1: float | Tensor, lambda2: float | Tensor, count: Count) -> tuple[float | Tensor, float | Tensor]:
    """The penalty's gradient as a line in g: what it is at 0, and its slope."""
    return (lambda1 + lambda2, -2 * lambda1) if count == "l1" else (lambda1, 2 * (lambda2 - lambda1))


def gate_scale(scale: Scale, layer_gates: int, all_gates: int) -> float:
    """What multiplies the sums over a layer's gates: 1, 1 / all gates of the network, or 1 / the layer's."""
    return {"sum": 1.0, "mean": 1 / all_gates, "layer_mean": 1 / layer_gates}[scale]


class _StraightThrough(torch.autograd.Function):
    """Ws = W * Gs with dGs/dg = 1: dL/dW = (dL/dWs) * Gs and dL/dg = (dL/dWs) * W.

    Where several gates make the mask, Gs = Gs1 * Gs2 ..., each gets (dL/dWs) * W * the other masks, summed over
    the weights that it stands for.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, mask: Tensor, masks: tuple[Tensor, ...], *gates: Tensor) -> Tensor:
        ctx.save_for_backward(weight, mask, *masks)
        ctx.shapes = [gate.shape for gate in gates]
        # The named output keeps the weight's memory format: a channels_last weight of one input channel would
        # otherwise lose its strides, and the convolution after it would fall back to a slower layout.
        return torch.mul(weight, mask, out=torch.empty_like(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        weight, mask, *masks = ctx.saved_tensors
        through = grad * weight if ctx.shapes else grad
        gates: list[Tensor | None] = []
        for place, shape in enumerate(ctx.shapes):
            share = through
            for other in (*masks[:place], *masks[place + 1 :]):
                share = share * other
            gates.append(share.sum_to_size(shape))
        return grad * mask, None, None, *gates


class _Threshold(torch.autograd.Function):
    """The same for one gate a weight and Gs = 1 where g >= 0.5, without a mask in memory.

    Making a mask and multiplying by it takes ten times as long on a CPU: comparisons there are not vectorised.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, gates: Tensor) -> Tensor:
        ctx.save_for_backward(weight, gates)
        return _where_open(weight, gates, out=torch.empty_like(weight))  # in the weight's memory format

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor]:
        weight, gates = ctx.saved_tensors
        passed = _where_open(grad, gates, out=torch.empty_like(grad)) if ctx.needs_input_grad[0] else None
        return passed, grad * weight


def _where_open(values: Tensor, gates: Tensor, out: Tensor) -> Tensor:
    """The values where g >= 0.5, 0 elsewhere, in one pass: relu's backward with another threshold than 0."""
    below = math.nextafter(THRESHOLD, 0) if gates.dtype == torch.float64 else _BELOW  # the kernel asks for g > it
    return _threshold(values, gates, below, grad_input=out)  # type: ignore[no-any-return]


def masked(weight: Tensor, mask: Tensor, masks: tuple[Tensor, ...] = (), gates: tuple[Tensor, ...] = ()) -> Tensor:
    """Ws = W * Gs, in the shape and memory format of the weight; `mask` is 0 or 1 in the weight's type.

    The gradient of the weight is masked; those of the gates go straight through. `masks` are the factors of
    the mask, one for each of the gates, that may be broadcast to the weight.
    """
    return _StraightThrough.apply(weight, mask, masks, *gates)  # type: ignore[no-any-return,no-untyped-call]


def gate_shape(kind: str, shape: torch.Size) -> tuple[int, ...]:
    """The gates' shape for a weight (out, in, *kernel): one a "weight", an "output" or an "input" unit."""
    kept = {"weight": range(len(shape)), "output": (0,), "input": (1,)}[kind]
    return tuple(size if place in kept else 1 for place, size in enumerate(shape))


class Gate(nn.Module):
    """The gates of one weight, as a parametrization of it.

    Training draws the mask as `draw` says; evaluation, and everything once frozen, uses the threshold mask.
    A parameter is g itself, or s with g = sigmoid(s) for the estimator "sigmoid". `granularity` names what has a
    gate, such as "weight" or "weight+output"; `top_share` starts from magnitude instead of at `start`.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # each is a setting
        self,
        weight: Tensor,
        start: float,
        draw: Draw,
        estimator: Estimator,
        granularity: str = "weight",
        top_share: float | None = None,
    ) -> None:
        super().__init__()
        self.draw, self.estimator = draw, estimator
        self.shape = weight.shape
        self.sets = nn.ParameterDict()  # of gates, by what each stands for
        for kind in granularity.split("+"):
            self.sets[kind] = self._start(weight.detach(), gate_shape(kind, weight.shape), start, top_share)
        self._is_plain = granularity == "weight" and estimator != "sigmoid"  # its parameter is one g a weight
        self._drawn: tuple[Tensor, ...] | None = None  # None where the threshold mask is the draw
        self._frozen_mask: Tensor | None = None

    def _start(self, weight: Tensor, shape: tuple[int, ...], start: float, top_share: float | None) -> nn.Parameter:
        if top_share is not None:
            values = start_from_magnitude(weight, shape, top_share)
        elif shape == weight.shape:
            values = torch.full_like(weight, start)  # in the weight's memory format
        else:
            values = weight.new_full(shape, start)
        return nn.Parameter(values.logit(eps=1e-6) if self.estimator == "sigmoid" else values)

    @property
    def parameter(self) -> nn.Parameter:
        """The first set's parameter: the only one unless units have gates beside weights."""
        return cast("nn.Parameter", next(iter(self.sets.values())))

    def forward(self, weight: Tensor) -> Tensor:
        """Ws = W * Gs, in the shape and memory format of the weight."""
        if self._frozen_mask is not None:
            return masked(weight, self._frozen_mask)
        drawn = self._drawn if self.training else None
        if drawn is None and self._is_plain:
            return _Threshold.apply(weight, self.parameter)  # type: ignore[no-any-return,no-untyped-call]
        drawn = drawn or self._masks()
        masks = tuple(mask.to(weight.dtype) for mask in drawn)
        gates = tuple(self.sets.values())
        if self.estimator == "sigmoid":
            gates = tuple(gate.sigmoid() for gate in gates)
        return masked(weight, _product(masks), masks, gates)

    def redraw(self) -> None:
        """Draw the mask of a training step: once, also where several modules share the weight."""
        if self.draw == "bernoulli" and self._frozen_mask is None:
            values = [self._values(parameter) for parameter in self.sets.values()]
            # not torch.bernoulli: it refuses NaN with words of its own before the loss can tell what is wrong
            self._drawn = tuple((torch.rand_like(value) < value).to(value.dtype) for value in values)

    def freeze(self) -> None:
        """Keep the threshold mask from now on, and stop learning."""
        self._frozen_mask = self.mask().to(self.parameter.dtype)
        for parameter in self.sets.values():
            parameter.requires_grad = False
            parameter.grad = None

    @torch.no_grad()
    def _values(self, parameter: Tensor) -> Tensor:
        return parameter.sigmoid() if self.estimator == "sigmoid" else clip(parameter)

    def gates(self) -> Tensor:
        """G in [0, 1], in the weight's shape: clip(g) or sigmoid(s); of several gates the least, which decides."""
        least, *others = (self._values(parameter) for parameter in self.sets.values())
        for other in others:
            least = torch.minimum(least, other)
        return least.expand(self.shape)

    def rows(self, rows: Any) -> Tensor:
        """Rows of the matrix of `gates`, by a slice or by their numbers."""
        least = reduce(torch.minimum, map(self._values, self._sets_at(rows)))
        return least.expand(len(least), *self.shape[1:]).flatten(1)

    def mask_rows(self, rows: Any) -> Tensor:
        """Rows of the matrix of `mask`."""
        mask = _product(self._open(self._sets_at(rows)))
        return mask.expand(len(mask), *self.shape[1:]).flatten(1)

    def _sets_at(self, rows: Any) -> list[Tensor]:
        return [one.expand(self.shape[0], *one.shape[1:])[rows] for one in self.sets.values()]

    def _masks(self) -> tuple[Tensor, ...]:
        return self._open(self.sets.values())

    @torch.no_grad()
    def _open(self, sets: Iterable[Tensor]) -> tuple[Tensor, ...]:
        if self.estimator == "sigmoid":
            return tuple(compare(parameter.sigmoid(), ">=", THRESHOLD) for parameter in sets)
        return tuple(compare(parameter, ">=", THRESHOLD) for parameter in sets)

    def mask(self) -> Tensor:
        """The threshold mask, Gs = 1 where every gate g >= 0.5; bool, in the weight's shape."""
        return _product(self._masks()).expand(self.shape)

    @torch.no_grad()
    def penalty_sums(self, count: Count) -> tuple[Tensor, Tensor]:
        """The sums of g (1 - g) and of g (or its square), each gate as often as it has weights; two scalars."""
        bimodal, counted = [], []
        for parameter in self.sets.values():
            fan, rows = self._fan(parameter), max(_BAND * len(parameter) // parameter.numel(), 1)
            for part in parameter.split(rows):
                values = self._values(part)
                bimodal.append(fan * bimodal_sum(values))
                counted.append(fan * count_sum(values, count))
        return torch.stack(bimodal).sum(), torch.stack(counted).sum()

    def _fan(self, parameter: Tensor) -> int:
        """How many weights one gate closes."""
        return self.shape.numel() // parameter.numel()

    @torch.no_grad()
    def add_penalty_gradient(
        self, lambda1: float | Tensor, lambda2: float | Tensor, scale: float, count: Count = "l1"
    ) -> None:
        """Add the scaled gradient of `penalty` to the parameters' own: cheaper than a graph for a known formula.

        Those of "clip" lie in [0, 1], where they start and are put back after every update.
        """
        for parameter in self.sets.values():
            weight = scale * self._fan(parameter)
            offset, slope = _pull(lambda1 * weight, lambda2 * weight, count)
            if self.estimator == "clip" and parameter.grad is not None:  # no second copy of the gates
                parameter.grad.add_(parameter, alpha=slope).add_(offset)
                continue
            gates = self._values(parameter)
            pull = slope * gates + offset
            if self.estimator == "sigmoid":
                pull *= gates * (1 - gates)
            elif self.estimator == "plain":
                pull *= (parameter > 0) & (parameter < 1)  # clip(g) is flat outside
            parameter.grad = pull if parameter.grad is None else parameter.grad.add_(pull)

    @torch.no_grad()
    def project(self) -> None:
        """After an update: "clip" puts g back on [0, 1]."""
        if self.estimator == "clip":
            for parameter in self.sets.values():
                parameter.clamp_(0, 1)


def _product(masks: tuple[Tensor, ...]) -> Tensor:
    whole = masks[0]
    for mask in masks[1:]:
        whole = whole * mask
    return whole
