"""Networks of the tests' own, as a person would bring one: `tests.helpers.networks:small`."""

from collections import OrderedDict

import torch
from torch import Tensor, nn


def small() -> nn.Module:
    """Two layers, 9,550 parameters; input (B, 1, 28, 28)."""
    layers = OrderedDict(flatten=nn.Flatten(), fc1=nn.Linear(784, 12), relu=nn.ReLU(), fc2=nn.Linear(12, 10))
    return nn.Sequential(layers)


class Noisy(nn.Module):
    """Adds a fixed noise that no state_dict holds to its input."""

    noise: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("noise", torch.randn(1, 784) * 1e-3, persistent=False)
        self.fc1 = nn.Linear(784, 10)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 28, 28) to (B, 10)."""
        answers: Tensor = self.fc1(images.flatten(1) + self.noise)
        return answers


def with_a_random_buffer() -> nn.Module:
    """One that draws when it is built, even after its parameters are replaced."""
    return Noisy()


def normalised() -> nn.Module:
    """One with batch norm and dropout."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 10)
    )


class PartlyUsed(nn.Module):
    """Has a layer that no answer needs."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.idle = nn.Linear(784, 10), nn.Linear(10, 10)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 28, 28) to (B, 10)."""
        answers: Tensor = self.fc1(images.flatten(1))
        return answers


def partly_used() -> nn.Module:
    """One that two processes cannot train."""
    return PartlyUsed()


def hungry() -> nn.Module:
    """Little to learn and much to keep for the backward pass: 20 MB a hundred images; input (B, 1, 28, 28)."""
    wide = OrderedDict(wide=nn.Conv2d(1, 64, 3), relu=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(4))
    return nn.Sequential(wide | OrderedDict(flatten=nn.Flatten(), fc=nn.Linear(64 * 16, 10)))


def coloured() -> nn.Module:
    """A convolution and a linear layer for three classes of small colour images; input (B, 3, H, W)."""
    layers = OrderedDict(
        conv1=nn.Conv2d(3, 8, 3, padding=1),
        relu=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(4),
        flatten=nn.Flatten(),
        fc2=nn.Linear(128, 3),
    )
    return nn.Sequential(layers)
