"""The presets of the paper's ImageNet rows: which layers are gated, and what of each is kept at the start."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from sparseviz.config import RunConfig
from sparseviz.methods import METHODS, Method
from sparseviz.networks import INPUTS, build, layers

PRESETS = {  # shares kept at the start (paper: fully connected layers 95 % sparse, VGG's conv5_2 and conv5_3 88 %)
    "alexnet-imagenet": {"fc6": 0.05, "fc7": 0.05, "fc8": 0.05},
    "vgg16-imagenet": {"conv5_2": 0.12, "conv5_3": 0.12, "fc6": 0.05, "fc7": 0.05, "fc8": 0.05},
}
VGG16_ROWS = {"conv5_2": 235e3, "conv5_3": 235e3, "fc6": 102e3, "fc7": 167e3, "fc8": 409e3}  # kept, as the paper prints
ALEXNET_ROWS = {"fc6": 1.3e6, "fc7": 1e6, "fc8": 1.2e6}


def small_twin(network: str) -> nn.Module:
    """A network with as many layers of the same names, each of few weights."""
    with torch.device("meta"):
        names = list(layers(build(network)))
    made: list[tuple[str, nn.Module]] = [
        (name, nn.Conv2d(8, 10, 3) if name.startswith("conv") else nn.Linear(50, 40)) for name in names
    ]
    return nn.Sequential(OrderedDict(made))


def started(config: RunConfig, model: nn.Module) -> Method:
    method = METHODS[config.method.name](config, 100)
    method.attach(model)
    return method


@pytest.mark.parametrize("name", PRESETS)
def test_that_each_layer_starts_with_the_paper_s_share_of_its_largest_weights(name):
    torch.manual_seed(4)
    config = RunConfig.load(name)
    assert_shares(started(config, small_twin(config.network)), PRESETS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_that_the_whole_network_starts_with_the_paper_s_shares(name):
    torch.manual_seed(4)
    config = RunConfig.load(name)
    assert_shares(started(config, build(config.network)), PRESETS[name])


def assert_shares(method: Method, shares: dict[str, float]) -> None:
    for layer in method.layers:
        mask, values = method.mask(layer), method.quantity_values(layer)
        if layer not in shares:
            assert mask.all()
            continue
        assert int(mask.sum()) == pytest.approx(shares[layer] * mask.numel(), abs=1)
        assert values[mask].eq(1).all()
        assert values[~mask].sub(0.49).abs().max() < 1e-6
        weight = method.weight(layer).detach().abs()
        assert weight[mask].min() >= weight[~mask].max()


@pytest.mark.parametrize("name", PRESETS)
def test_that_images_have_the_size_that_the_network_reads(name):
    config = RunConfig.load(name)
    channels = {"rgb": 3, "gray": 1}[config.data.colours]
    assert INPUTS[config.network] == (channels, config.data.size, config.data.size)


def kept(network: str, rows: dict[str, float]) -> tuple[float, float]:
    """What the paper's rows add up to, its untouched layers at their true sizes; and the compression by parameters."""
    with torch.device("meta"):
        model = build(network)
    total = sum(rows.get(name, layer.weight.numel()) for name, layer in layers(model).items())
    return total, sum(parameter.numel() for parameter in model.parameters()) / total


def test_that_the_paper_s_rows_add_up_to_what_we_say():
    total, compression = kept("vgg16", VGG16_ROWS)
    assert (round(total / 1e6, 1), round(compression, 1)) == (11.1, 12.4)  # not 9.85M and 14x
    total, compression = kept("alexnet", ALEXNET_ROWS)
    assert total == pytest.approx(5.9e6, rel=0.02)
    assert compression == pytest.approx(10.3, rel=0.02)
