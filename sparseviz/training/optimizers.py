"""Optimizers of the weights and the gates, and an average of where the weights have been."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import Parameter

from sparseviz.config.parts import OptimizerConfig
from sparseviz.training.copies import Copied

# torch's names of what they remember of a parameter; Adam counts its steps besides
_MOMENTS = {torch.optim.Adam: ("exp_avg", "exp_avg_sq"), torch.optim.SGD: ("momentum_buffer",)}


def new_optimizers(
    config: OptimizerConfig, weights: list[Parameter], gates: list[Parameter], rates: list[Tensor]
) -> list[torch.optim.Optimizer]:
    """What weights and gates ask for; their rates are 0-dim tensors on the device."""
    # fused: one pass over the memory, and rates that are tensors
    kinds = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    beside = {"momentum": config.momentum} if config.weights == "sgd" else {}
    decay = config.weight_decay
    found = [kinds[config.weights](weights, lr=rates[0], weight_decay=decay, fused=True, **beside)]
    if gates:
        found.append(kinds[config.gates](gates, lr=rates[1], fused=True))
    return found


def moments(optimizers: Iterable[torch.optim.Optimizer], named: Mapping[str, Parameter]) -> dict[str, Copied]:
    """What is remembered of every parameter: Adam's two moments as (2, *shape), SGD's momentum as (1, *shape).

    Adam's count of steps is under `<name>.steps`, (1,).
    """
    found: dict[str, Copied] = {}
    for optimizer, name, parameter, kinds in _remembered(optimizers, named):
        state = optimizer.state.get(parameter, {})  # none before the first step that moves it
        whole = Copied.of(parameter)
        found[name] = replace(whole, shape=(len(kinds), *whole.shape), make=partial(_stacked, state, kinds, parameter))
        if isinstance(optimizer, torch.optim.Adam):
            found[f"{name}.steps"] = Copied.of(state.get("step", parameter.new_zeros(())).detach().reshape(1))
    return found


def _stacked(state: Mapping[str, Tensor], kinds: Iterable[str], parameter: Parameter) -> Tensor:
    found = (state.get(kind) for kind in kinds)  # SGD's momentum is None in a step without a gradient
    return torch.stack([torch.zeros_like(parameter) if one is None else one.detach() for one in found])


def put_moments(
    optimizers: Iterable[torch.optim.Optimizer], named: Mapping[str, Parameter], values: Mapping[str, Tensor]
) -> None:
    """Put back what `moments` gave; zeros stand for an optimizer that has not begun, as does none."""
    for optimizer, name, parameter, kinds in _remembered(optimizers, named):
        if name not in values or len(values[name]) != len(kinds):  # another optimizer moved it
            continue
        # in the parameter's memory format
        state = {kind: torch.zeros_like(parameter).copy_(values[name][place]) for place, kind in enumerate(kinds)}
        if isinstance(optimizer, torch.optim.Adam):
            state["step"] = values[f"{name}.steps"][0].to(parameter.device, torch.float32, copy=True)
        optimizer.state[parameter] = state


def _remembered(
    optimizers: Iterable[torch.optim.Optimizer], named: Mapping[str, Parameter]
) -> Iterator[tuple[torch.optim.Optimizer, str, Parameter, tuple[str, ...]]]:
    """Every parameter of which something is remembered, with its name; SGD without momentum remembers nothing."""
    names = {id(parameter): name for name, parameter in named.items()}
    for optimizer in optimizers:
        for group in optimizer.param_groups if optimizer.defaults.get("momentum", 1) else ():
            for parameter in group["params"]:
                yield optimizer, names[id(parameter)], parameter, _MOMENTS[type(optimizer)]


class WeightAverage:
    """An exponential average, which often errs less than the last weights.

    Follows parameters: average = decay * average + (1 - decay) * parameter, after every step.
    """

    def __init__(self, parameters: Iterable[Parameter], decay: float) -> None:
        self._parameters, self._decay = list(parameters), decay
        self._averages = [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the parameters as they are now."""
        for average, parameter in zip(self._averages, self._parameters, strict=True):
            average.lerp_(parameter, 1 - self._decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block the parameters are the averages; afterwards they are themselves, bit for bit."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for average, parameter in zip(self._averages, self._parameters, strict=True):
            kept = parameter.clone()
            parameter.copy_(average)
            average.copy_(kept)
