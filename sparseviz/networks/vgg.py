"""VGG with 16 layers (Simonyan and Zisserman 2014): for ImageNet as published, and for CIFAR-10 with batch norm."""

from collections import OrderedDict

from torch import nn

INPUT, CIFAR_INPUT = (3, 224, 224), (3, 32, 32)
_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))  # convolutions, and filters of each
_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # of the convolutions in torchvision's `features`
_NAMES = tuple(f"conv{block}_{number}" for block, (count, _) in enumerate(_BLOCKS, 1) for number in range(1, count + 1))
TORCHVISION = {f"features.{place}": name for place, name in zip(_PLACES, _NAMES, strict=True)}
TORCHVISION |= {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}


def vgg16(before_fc7: float = 0, before_fc8: float = 0, *, classes: int = 1000) -> nn.Module:
    """VGG-16: 138,357,544 parameters for 1000 classes. Input (B, 3, 224, 224); dropout as published: 0.5, 0.5."""
    head = OrderedDict(
        flatten=nn.Flatten(),  # (B, 512, 7, 7) to (B, 25088)
        fc6=nn.Linear(25088, 4096),
        relu6=nn.ReLU(),
        drop7=nn.Dropout(before_fc7),
        fc7=nn.Linear(4096, 4096),
        relu7=nn.ReLU(),
        drop8=nn.Dropout(before_fc8),
        fc8=nn.Linear(4096, classes),
    )
    return _started(nn.Sequential(_convolutions(normalised=False) | head))


def vgg16_cifar10(before_fc: float = 0, *, classes: int = 10) -> nn.Module:
    """VGG-16 for small images: batch norm, one linear layer; 14,724,042 parameters. Input (B, 3, 32, 32)."""
    head = OrderedDict(flatten=nn.Flatten(), drop=nn.Dropout(before_fc), fc=nn.Linear(512, classes))
    return _started(nn.Sequential(_convolutions(normalised=True) | head))


def _convolutions(*, normalised: bool) -> OrderedDict[str, nn.Module]:
    """The five blocks, each of which halves the sides; without biases where batch norm has its own."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for block, (convolutions, filters) in enumerate(_BLOCKS, start=1):
        for place in (f"{block}_{number}" for number in range(1, convolutions + 1)):
            parts[f"conv{place}"] = nn.Conv2d(channels, filters, 3, padding=1, bias=not normalised)
            if normalised:
                parts[f"norm{place}"] = nn.BatchNorm2d(filters)
            parts[f"relu{place}"] = nn.ReLU()
            channels = filters
        parts[f"pool{block}"] = nn.MaxPool2d(2)
    return parts


def _started(model: nn.Module) -> nn.Module:
    """With convolutions drawn as He et al. 2015: torch's own start lets the signal die in so deep a chain."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model
