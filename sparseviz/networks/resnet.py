"""Residual networks for CIFAR-10 (He et al. 2015, section 4.2)."""

from collections import OrderedDict

import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor, nn

_STAGES = ((16, 1), (32, 2), (64, 2))  # filters, and the stride of the first block


def resnet20_cifar10(*, classes: int = 10) -> nn.Module:
    """ResNet-20 with shortcuts of option A: 269,722 parameters. Input (B, 3, H, W), published for 32 x 32."""
    parts = OrderedDict[str, nn.Module](conv1=_convolution(3, 16), norm1=nn.BatchNorm2d(16), relu1=nn.ReLU())
    channels = 16
    for number, (filters, stride) in enumerate(_STAGES, start=1):
        blocks = [Block(channels, filters, stride), Block(filters, filters), Block(filters, filters)]
        parts[f"stage{number}"] = nn.Sequential(*blocks)
        channels = filters
    return nn.Sequential(
        parts | OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(64, classes))
    )


class Block(nn.Module):
    """Two convolutions of 3 x 3 and a shortcut without weights: every second pixel, and zeros for new channels."""

    def __init__(self, channels: int, filters: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.norm1 = _convolution(channels, filters, stride), nn.BatchNorm2d(filters)
        self.conv2, self.norm2 = _convolution(filters, filters), nn.BatchNorm2d(filters)
        self._stride, self._new = stride, filters - channels

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, filters, H / stride, W / stride)."""
        inner = F.relu(self.norm1(self.conv1(images)))
        shortcut = images[:, :, :: self._stride, :: self._stride]
        if self._new:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, self._new // 2, self._new - self._new // 2))
        return F.relu(self.norm2(self.conv2(inner)) + shortcut)


def _convolution(channels: int, filters: int, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution
