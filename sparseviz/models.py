"""The networks. A new one is a function here and a line in MODELS; the person's own is `package.module:function`."""

import importlib
import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparseviz.config import ConfigError, InputError, choose

Layer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
LAYER_TYPES = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)

# What may stand between two layers of a chain without mixing units.
_NO_PADDING = ("valid", (0,), (0, 0), (0, 0, 0))
_UNITWISE = (nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Dropout, nn.Identity)


def lenet300(before_fc2: float = 0, before_fc3: float = 0) -> nn.Module:
    """LeNet-300-100: 266,610 parameters, 266,200 of them weights. Input (B, 1, 28, 28); arguments are dropout."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(784, 300),
            relu1=nn.ReLU(),
            drop2=nn.Dropout(before_fc2),
            fc2=nn.Linear(300, 100),
            relu2=nn.ReLU(),
            drop3=nn.Dropout(before_fc3),
            fc3=nn.Linear(100, 10),
        )
    )


def lenet5(before_fc1: float = 0, before_fc2: float = 0) -> nn.Module:
    """LeNet-5 as Caffe has it: 431,080 parameters, 430,500 of them weights. Input (B, 1, 28, 28); with dropout."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 20, 5),  # (B, 20, 24, 24)
            pool1=nn.MaxPool2d(2),  # (B, 20, 12, 12)
            conv2=nn.Conv2d(20, 50, 5),  # (B, 50, 8, 8)
            pool2=nn.MaxPool2d(2),  # (B, 50, 4, 4)
            flatten=nn.Flatten(),  # (B, 800)
            drop1=nn.Dropout(before_fc1),
            fc1=nn.Linear(800, 500),
            relu=nn.ReLU(),
            drop2=nn.Dropout(before_fc2),
            fc2=nn.Linear(500, 10),
        )
    )


MODELS: dict[str, Callable[..., nn.Module]] = {"lenet5": lenet5, "lenet300": lenet300}


def build(network: str, dropout: Sequence[float] = ()) -> nn.Module:
    """A new network by its name in MODELS or as `package.module:function`, on the CPU, with fresh weights.

    `dropout` are the arguments of the function in MODELS. Raises ConfigError for an unknown name or too many of
    them, InputError where the person's function fails.
    """
    if ":" not in network:
        make = choose("network", network, MODELS, otherwise="package.module:function")
        places = len(inspect.signature(make).parameters)
        if len(dropout) > places:
            raise ConfigError(f"dropout: {network} has {places} places for it, not {len(dropout)}")
        return make(*dropout)
    if dropout:
        raise ConfigError("dropout: is for the program's own networks; put nn.Dropout into yours")
    module_name, _, function_name = network.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # the installed command would not look where `python -m` does
    try:
        model = getattr(importlib.import_module(module_name), function_name)()
    except Exception as error:
        raise InputError(f"network '{network}' could not be made: {type(error).__name__}: {error}") from error
    if not isinstance(model, nn.Module):
        raise InputError(f"network '{network}' gave a {type(model).__name__}, not a torch.nn.Module")
    # A network that is one layer gets a name for it.
    return nn.Sequential(model) if isinstance(model, LAYER_TYPES) else model


def layers(model: nn.Module) -> dict[str, Layer]:
    """The layers whose weights can be cut, by name, in the order of the model; a shared weight counts once."""
    seen: set[int] = set()
    found: dict[str, Layer] = {}
    for name, module in model.named_modules():
        if isinstance(module, LAYER_TYPES) and id(stored_weight(module)) not in seen:
            seen.add(id(stored_weight(module)))
            found[name] = module
    return found


def stored_weight(layer: Layer) -> Tensor:
    """The layer's weight before any mask: the parameter itself, which a parametrized layer keeps elsewhere."""
    if parametrize.is_parametrized(layer, "weight"):
        return layer.get_parameter("parametrizations.weight.original")
    return layer.weight


def readers(model: nn.Module) -> dict[str, str]:
    """Which layer alone reads each layer's units, name to name, where that is certain: in a plain chain.

    The last layer, whose units are the answer, and whatever is not a chain have no entry.
    """
    if type(model).forward is not nn.Sequential.forward:
        return {}
    modules = model._modules  # noqa: SLF001  # named_children() leaves out a module that stands twice
    if [name for name, module in modules.items() if isinstance(module, LAYER_TYPES)] != list(layers(model)):
        return {}  # a layer or a weight stands twice, or a layer stands deeper
    chain: dict[str, str] = {}
    writer: str | None = None
    for name, module in modules.items():
        if isinstance(module, LAYER_TYPES):
            unpadded = isinstance(module, nn.Linear) or (module.padding in _NO_PADDING and module.groups == 1)
            if writer and unpadded:
                chain[writer] = name
            writer = name
        elif not isinstance(module, _UNITWISE):
            writer = None
    return chain


@torch.no_grad()
def multiply_adds(model: nn.Module, images: Tensor) -> dict[str, int]:
    """Multiply-adds of each layer for one input; `images` is (1, C, H, W) on the model's device.

    Raises InputError where the network cannot read such images.
    """
    counts: dict[str, int] = {}
    hooks = [module.register_forward_hook(_counter(name, counts)) for name, module in layers(model).items()]
    training = model.training
    try:
        model.eval()(images)
    except Exception as error:
        raise InputError(f"network cannot read images of shape {tuple(images.shape[1:])}: {error}") from error
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return {name: counts.get(name, 0) for name in layers(model)}


def _counter(name: str, counts: dict[str, int]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, LAYER_TYPES)  # noqa: S101  # only layers() are hooked
        places = output[0].numel() // module.weight.shape[0]  # of a convolution's output; 1 of a linear layer's
        counts[name] = counts.get(name, 0) + places * module.weight.numel()

    return count
