"""What moves the weights and the gates, and an average of where the weights have been."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Parameter

from sparseviz.config import OptimizerConfig


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
