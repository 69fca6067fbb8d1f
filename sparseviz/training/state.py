"""Training state: what the next step needs besides a checkpoint's weights; put back bit for bit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sparseviz.methods import Method
from sparseviz.methods.base import plain_state, weights_of
from sparseviz.training.copies import Copied, as_arrays, copies
from sparseviz.training.device import random_states, set_random_states
from sparseviz.training.measure.observer import Observer
from sparseviz.training.optimizers import moments, put_moments
from sparseviz.values.snapshot import Arrays, numbers_of


class StateKeeper:
    """Takes the state of one training, and puts one back into a training of the same configuration."""

    def __init__(
        self, model: nn.Module, method: Method, optimizers: list[torch.optim.Optimizer], observer: Observer
    ) -> None:
        self._model, self._method, self._optimizers, self._observer = model, method, optimizers, observer
        self._device = next(model.parameters()).device
        self._named, self._weights = dict(model.named_parameters()), weights_of(model, method)

    def take(self, numbers: Mapping[str, float], *, averaged: bool) -> Arrays:
        """By path, to be copied when they are read: `numbers` as one record, and weights where a checkpoint has others.

        What the last snapshot saw is left out where the checkpoint says the same, and else copied now: the next
        snapshot changes it.
        """
        tensors = {f"method/{name}": value for name, value in self._method.state_dict().items()}
        tensors |= {f"random/{name}": value for name, value in random_states(self._device).items()}
        if averaged or self._method.scales_weights:
            tensors |= {f"weights/{name}": value for name, value in self._weights.items()}
        taken = {name: Copied.of(value) for name, value in tensors.items()}
        taken |= {f"moments/{name}": value for name, value in moments(self._optimizers, self._named).items()}
        seen = {name: Copied.of(value) for name, value in self._observer.state().items() if numbers["seen_apart"]}
        return {"numbers": _record(numbers), **as_arrays(taken), **copies(as_arrays(seen))}

    @torch.no_grad()
    def put_weights(self, parameters: Arrays) -> None:
        """The weights of a checkpoint: where there is an average, the average; else as they are evaluated."""
        for name, value in plain_state(self._model).items():
            value.copy_(torch.from_numpy(np.asarray(parameters[name])))

    @torch.no_grad()
    def put(self, state: Arrays) -> None:
        """Everything but the numbers, the weights' average and the random state."""
        tensors = {name: torch.from_numpy(values) for name, values in state.items() if name != "numbers"}
        self._method.load_state_dict(_below("method/", tensors))
        put_moments(self._optimizers, self._named, _below("moments/", tensors))
        self._observer.put_state(tensors, int(numbers_of(state)["snapshots"]))

    @torch.no_grad()
    def put_trained(self, state: Arrays) -> None:
        """The weights as they trained, where the checkpoint has their average."""
        for name, weight in self._weights.items():
            if (path := f"weights/{name}") in state:
                weight.copy_(torch.from_numpy(state[path]))

    def put_random(self, state: Arrays) -> None:
        """The generators' state; last, since nothing may draw after it."""
        prefix = "random/"
        held = {name: torch.from_numpy(state[name]) for name in state if name.startswith(prefix)}
        set_random_states(self._device, _below(prefix, held))


def _record(numbers: Mapping[str, float]) -> npt.NDArray[Any]:
    return np.array([tuple(numbers.values())], dtype=[(name, "f8") for name in numbers])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
