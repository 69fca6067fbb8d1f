"""Networks of the tests' own, as a person would bring one: `tests.networks:small`."""

from collections import OrderedDict

from torch import nn


def small() -> nn.Module:
    """Two layers, 9,550 parameters; input (B, 1, 28, 28)."""
    layers = OrderedDict(flatten=nn.Flatten(), fc1=nn.Linear(784, 12), relu=nn.ReLU(), fc2=nn.Linear(12, 10))
    return nn.Sequential(layers)
