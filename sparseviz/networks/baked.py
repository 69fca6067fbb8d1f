"""The network that is shipped: a checkpoint's parameters with the masks in them. No ONNX is needed for it."""

from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode  # the only place that has it

from sparseviz.config import InputError
from sparseviz.networks import MODELS, build
from sparseviz.values.snapshot import Checkpoint


def baked_model(network: str, checkpoint: Checkpoint, classes: int | None = None) -> nn.Module:
    """The plain network with the checkpoint's parameters, its cut weights +0.0, in evaluation mode.

    `classes` are the run's, where the network's own number shall not do.
    """
    state = {name: torch.from_numpy(values) for name, values in checkpoint.parameters.items()}
    for layer, mask in checkpoint.masks.items():
        name = f"{layer}.weight"
        state[name] = torch.where(torch.from_numpy(mask), state[name], 0.0)
    with torch.device("meta") if network in MODELS else _OwnDraws():  # a person's may keep more than its state
        model = build(network, classes=classes)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise InputError(f"network '{network}' is no longer the one of the run: {error}") from error
    return model.eval()


class _OwnDraws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Random numbers come from a generator of its own: the default one belongs to a run that may train beside us."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = torch.Generator()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded in func.tags:
            return func.overloadpacket(*args, **kwargs | {"generator": self._generator})
        return func(*args, **kwargs)
