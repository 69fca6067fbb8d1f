"""Random small networks with random cuts, as a person might bring them: for the tests of compaction."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

FUNCTIONS: list[Callable[[Tensor], Tensor]] = [
    torch.relu,
    torch.sigmoid,
    torch.tanh,
    functional.gelu,
    functional.leaky_relu,
    functional.hardtanh,
    functional.hardswish,
    functional.silu,
    lambda x: x * 0.5 + 1,
    lambda x: x.clamp(min=0.1).sqrt(),
]


class RandomNetwork(nn.Module):
    """Blocks of these names one after the other, then a head; input (B, 2, 10, 10), output (B, 5)."""

    def __init__(self, blocks: list[str], head: str, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.parts = nn.ModuleList()
        self.steps: list[Callable[[Tensor], Tensor]] = []
        shape: tuple[int, ...] = (2, 10, 10)
        for name in blocks:
            shape = self._add(getattr(self, f"_{name}")(*shape), shape)
        for step in getattr(self, f"_{head}")(*shape):
            shape = self._add(step, shape)
        self.eval()

    def _add(self, step: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> tuple[int, ...]:
        self.steps.append(step)
        with torch.no_grad():
            return tuple(step(torch.zeros(2, *shape)).shape[1:])

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = step(x)
        return x

    def _keep(self, part: Any) -> Any:
        self.parts.append(part.eval())
        return part

    def _pick(self, *choices: Any) -> Any:
        return choices[self.random.integers(len(choices))]

    def _conv2d(self, inputs: int, outputs: int, *, same: bool = False, groups: int = 1) -> Any:
        size = self._pick(1, 3)
        padding = size // 2 if same else self._pick(0, 1)
        conv = nn.Conv2d(inputs, outputs, size, padding=padding, groups=groups, bias=bool(self._pick(0, 1, 1)))
        return self._keep(conv)

    def _conv(self, channels: int, height: int, _: int):
        return self._conv2d(channels, self._pick(3, 4, 6), same=height < 4)

    def _function(self, *_: int):
        return self._pick(*FUNCTIONS)

    def _grouped(self, channels: int, *_: int):
        groups = self._pick(channels, 2 if channels % 2 == 0 else channels)
        return self._conv2d(channels, channels * self._pick(1, 2), same=True, groups=groups)

    def _transposed(self, channels: int, *_: int):
        return self._keep(nn.ConvTranspose2d(channels, 4, 3, padding=1))

    def _normalised(self, channels: int, *_: int):
        conv, norm = self._conv2d(channels, channels, same=True), self._keep(nn.BatchNorm2d(channels))
        return self._pick(lambda x: torch.relu(norm(conv(x))), lambda x: norm(torch.relu(conv(x))))

    def _residual(self, channels: int, *_: int):
        first, second = self._conv2d(channels, 5, same=True), self._conv2d(5, channels, same=True)
        return self._pick(lambda x: x + second(torch.relu(first(x))), lambda x: torch.relu(second(first(x)) - x))

    def _concatenated(self, channels: int, *_: int):
        one, two = self._conv2d(channels, 3, same=True), self._conv2d(channels, 2, same=True)
        return self._pick(
            lambda x: torch.cat([one(x), torch.relu(two(x))], 1),
            lambda x: torch.cat([x, one(x)], 1),
            lambda x: torch.cat([one(x), one(torch.relu(x))], 2),
        )

    def _shared(self, channels: int, *_: int):
        conv = self._conv2d(channels, channels, same=True)
        return lambda x: conv(torch.relu(conv(x)))

    def _excited(self, channels: int, *_: int):
        squeeze, excite = self._keep(nn.Linear(channels, 3)), self._keep(nn.Linear(3, channels))
        return lambda x: x * torch.sigmoid(excite(torch.relu(squeeze(x.mean((2, 3))))))[:, :, None, None]

    def _scaled(self, channels: int, *_: int):
        scale = torch.tensor(self.random.choice([0, 0.5, -1.5], (channels, 1, 1)).astype(np.float32))
        slope = self._keep(nn.PReLU(channels))
        return self._pick(lambda x: x * scale, lambda x: slope(x) + scale)

    def _cut(self, channels: int, *_: int):
        half = (channels + 1) // 2
        return self._pick(
            lambda x: x[:, :half] * torch.sigmoid(x[:, channels - half :]),
            lambda x: torch.cat(x.split([half, channels - half], 1)[::-1], 1),
            lambda x: x[:, :, : max(x.shape[2] - 1, 1)],
        )

    def _pooled(self, _: int, height: int, width: int):
        if min(height, width) < 4:
            return self._keep(nn.AvgPool2d(1))
        return self._pick(
            *map(
                self._keep,
                (
                    nn.MaxPool2d(2),
                    nn.MaxPool2d(3, 2, padding=1),
                    nn.AvgPool2d(2, padding=1),
                    nn.AvgPool2d(2, padding=1, count_include_pad=False),
                    nn.MaxPool2d(3, 2, ceil_mode=True),
                    nn.ZeroPad2d(1),
                ),
            )
        )

    def _unknown(self, *_: int):
        return lambda x: torch.cumsum(x, 1)

    def _linear(self, inputs: int, outputs: int) -> Any:
        return self._keep(nn.Linear(inputs, outputs, bias=bool(self._pick(0, 1, 1))))

    def _flat(self, channels: int, height: int, width: int):
        hidden, last = self._linear(channels * height * width, 6), self._linear(6, 5)
        flatten = self._pick(
            lambda x: x.flatten(1), lambda x: x.contiguous().view(x.size(0), -1), lambda x: x.flatten(2).flatten(1)
        )
        return flatten, hidden, self._function(), self._linear(6, 6), torch.relu, last

    def _mean(self, channels: int, *_: int):
        twice, norm, last = (
            self._linear(channels, channels),
            self._keep(nn.BatchNorm1d(channels)),
            self._linear(channels, 5),
        )
        pool = self._pick(
            lambda x: x.mean((2, 3)),
            lambda x: functional.adaptive_avg_pool2d(x, 1).flatten(1),
            lambda x: x.amax((2, 3)),
        )
        return pool, lambda x: norm(twice(torch.relu(twice(x)))), lambda x: x + torch.tanh(twice(x)), last

    def _sequence(self, channels: int, *_: int):
        first, second, last = self._linear(channels, 6), self._linear(6, channels), self._linear(channels, 5)
        return (
            lambda x: x.flatten(2).transpose(1, 2),
            lambda x: x + second(functional.gelu(first(x))),
            lambda x: x.mean(1),
            last,
        )


BLOCKS = [
    "conv", "function", "grouped", "transposed", "normalised", "residual", "concatenated", "shared", "excited",
    "scaled", "cut", "pooled", "unknown",
]  # fmt: skip
HEADS = ["flat", "mean", "sequence"]


class SideBySide(nn.Module):
    """Networks that read the same images, their answers side by side: one export for all, which takes seconds."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([network(x) for network in self.networks], 1)


@torch.no_grad()
def cut(network: nn.Module, seed: int) -> None:
    """Random cuts of single weights, whole rows and whole columns; statistics and biases as after a training."""
    random = np.random.default_rng(seed)
    for name, values in network.state_dict().items():
        if values.ndim > 1:
            mask = random.random(values.shape) < random.choice([0.2, 0.6, 1])
            mask &= random.random((len(mask), *[1] * (mask.ndim - 1))) < random.choice([0.5, 0.9])
            mask &= random.random((1, mask.shape[1], *[1] * (mask.ndim - 2))) < random.choice([0.5, 0.9])
            values.copy_(torch.where(torch.from_numpy(mask), values * 2, 0.0))
        elif name.endswith("running_var"):
            values.copy_(torch.from_numpy(random.uniform(0.5, 2, values.shape)))
        elif values.ndim == 1:
            values.copy_(torch.from_numpy(random.normal(0, 0.5, values.shape) * random.choice([0, 1], values.shape)))
