"""The networks. A new one is a function in a module here and its line in MODELS; or a person's own function."""

import inspect
from collections.abc import Callable, Sequence

from torch import nn

from sparseviz.config import ConfigError, InputError, choose
from sparseviz.config.own_code import OwnCodeError, in_words, load_function
from sparseviz.networks import alexnet as _alexnet
from sparseviz.networks import lenet, resnet, vgg
from sparseviz.networks.layers import LAYER_TYPES, Layer, layers, multiply_adds, readers, stored_weight
from sparseviz.networks.lenet import lenet5, lenet300

__all__ = [
    "INPUTS",
    "LAYER_TYPES",
    "MODELS",
    "OTHER_NAMES",
    "Layer",
    "build",
    "layers",
    "lenet5",
    "lenet300",
    "multiply_adds",
    "readers",
    "stored_weight",
]

MODELS: dict[str, Callable[..., nn.Module]] = {  # positional arguments are dropout; `classes` by name
    "lenet5": lenet5,
    "lenet300": lenet300,
    "alexnet": _alexnet.alexnet,
    "vgg16": vgg.vgg16,
    "vgg16-cifar10": vgg.vgg16_cifar10,
    "resnet20-cifar10": resnet.resnet20_cifar10,
}
INPUTS: dict[str, tuple[int, int, int]] = {  # channels, height and width, where no other can be read
    "lenet5": lenet.INPUT,
    "lenet300": lenet.INPUT,
    "alexnet": _alexnet.INPUT,
    "vgg16": vgg.INPUT,
    "vgg16-cifar10": vgg.CIFAR_INPUT,
}
OTHER_NAMES: dict[str, dict[str, str]] = {"vgg16": vgg.TORCHVISION}  # other libraries' layers: theirs to ours


def build(
    network: str, dropout: Sequence[float] = (), classes: int | None = None, images: tuple[int, ...] | None = None
) -> nn.Module:
    """A new network by its name in MODELS or as a person's own function, on the CPU, with fresh weights.

    `dropout` are the arguments of the function in MODELS; `classes` and `images`, (C, H, W), are the data's, where
    the network's own shall not do. Raises ConfigError for an unknown name or too much dropout, InputError for
    images that it cannot read and where the person's function fails, and Untrusted before that is run.
    """
    if ":" in network:
        return _own(network, dropout, classes)
    make = choose("network", network, MODELS, otherwise="package.module:function or file.py:function")
    places = _places(make)
    if len(dropout) > places:
        raise ConfigError(f"dropout: {network} has {places} places for it, not {len(dropout)}")
    if images is not None and images != INPUTS.get(network, images):
        needed, found = (" x ".join(map(str, shape)) for shape in (INPUTS[network], images))
        raise InputError(
            f"network {network} needs images of {needed} (channels x height x width), and those of the data are "
            f"{found}; choose another network, or data of that size"
        )
    return make(*dropout) if classes is None else make(*dropout, classes=classes)


def _places(make: Callable[..., nn.Module]) -> int:
    parameters = inspect.signature(make).parameters.values()
    return sum(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters)


def _own(network: str, dropout: Sequence[float], classes: int | None) -> nn.Module:
    if dropout:
        raise ConfigError("dropout: is for the program's own networks; put nn.Dropout into yours")
    try:
        make = load_function(network)
    except OwnCodeError as error:
        raise InputError(f"network '{network}' could not be made: {error}") from error
    try:
        model = make(classes=classes) if classes is not None and _takes_classes(make) else make()
    except Exception as error:
        raise InputError(f"network '{network}' could not be made: {in_words(error)}") from error
    if not isinstance(model, nn.Module):
        raise InputError(f"network '{network}' gave a {type(model).__name__}, not a torch.nn.Module")
    # A network that is one layer gets a name for it.
    return nn.Sequential(model) if isinstance(model, LAYER_TYPES) else model


def _takes_classes(make: Callable[..., object]) -> bool:
    return "classes" in inspect.signature(make).parameters
