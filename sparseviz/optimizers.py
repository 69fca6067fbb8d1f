"""What moves the weights and the gates, and an average of where the weights have been."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Parameter

from sparseviz.config_parts import OptimizerConfig

_MOMENTS = ("exp_avg", "exp_avg_sq")  # torch's names


def new_optimizers(
    config: OptimizerConfig, weights: list[Parameter], gates: list[Parameter], rates: list[Tensor]
) -> list[torch.optim.Optimizer]:
    """Adam for the weights, and what the gates ask for; their rates are 0-dim tensors on the device."""
    # fused: one pass over the memory, and rates that are tensors
    found: list[torch.optim.Optimizer] = [
        torch.optim.Adam(weights, lr=rates[0], weight_decay=config.weight_decay, fused=True)
    ]
    if gates:
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[config.gates]
        found.append(kind(gates, lr=rates[1], fused=True))
    return found


def moments(optimizers: Iterable[torch.optim.Optimizer], named: Mapping[str, Parameter]) -> dict[str, Tensor]:
    """Adam's two moments of every parameter as (2, *shape), and its count of steps under `<name>.steps`, (1,)."""
    found: dict[str, Tensor] = {}
    for optimizer, name, parameter in _adam(optimizers, named):
        state = optimizer.state.get(parameter, {})  # none before the first step that moves it
        nothing = torch.zeros_like(parameter)
        found[name] = torch.stack([state.get(kind, nothing).detach() for kind in _MOMENTS])
        found[f"{name}.steps"] = state.get("step", parameter.new_zeros(())).detach().reshape(1)
    return found


def put_moments(
    optimizers: Iterable[torch.optim.Optimizer], named: Mapping[str, Parameter], values: Mapping[str, Tensor]
) -> None:
    """Put back what `moments` gave; a count of 0 stands for an optimizer that has not begun, as does none."""
    for optimizer, name, parameter in _adam(optimizers, named):
        if name not in values:  # another optimizer moved it
            continue
        # in the parameter's memory format
        state = {kind: torch.zeros_like(parameter).copy_(values[name][place]) for place, kind in enumerate(_MOMENTS)}
        state["step"] = values[f"{name}.steps"][0].to(parameter.device, torch.float32, copy=True)
        optimizer.state[parameter] = state


def _adam(
    optimizers: Iterable[torch.optim.Optimizer], named: Mapping[str, Parameter]
) -> Iterator[tuple[torch.optim.Optimizer, str, Parameter]]:
    """Every parameter that Adam moves, with its name; SGD without momentum remembers nothing."""
    names = {id(parameter): name for name, parameter in named.items()}
    for optimizer in optimizers:
        if isinstance(optimizer, torch.optim.Adam):
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    yield optimizer, names[id(parameter)], parameter


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
