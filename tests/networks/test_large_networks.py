"""AlexNet, VGG and ResNet: their sizes, their groups against a slow twin, and the classes of the data."""

import pytest
import torch
from torch import Tensor, nn

from sparseviz.config import InputError
from sparseviz.networks import INPUTS, MODELS, build, layers, multiply_adds, readers

SIZES = {  # parameters, and weights of linear and convolution layers
    "alexnet": (60_965_224, 60_954_656),
    "vgg16": (138_357_544, 138_344_128),
    "vgg16-cifar10": (14_724_042, 14_715_584),
    "resnet20-cifar10": (269_722, 268_336),
}


def on_meta(network: str, classes: int | None = None) -> nn.Module:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return build(network, classes=classes)


@pytest.mark.parametrize("network", SIZES)
def test_that_they_have_the_published_sizes(network):
    model = on_meta(network)
    sizes = sum(parameter.numel() for parameter in model.parameters())
    assert (sizes, sum(layer.weight.numel() for layer in layers(model).values())) == SIZES[network]


def test_that_their_layers_have_the_published_names():
    blocks = [f"conv{block}_{number}" for block in range(1, 6) for number in range(1, 3 + (block > 2))]
    assert list(layers(on_meta("alexnet"))) == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    assert list(layers(on_meta("vgg16"))) == [*blocks, "fc6", "fc7", "fc8"]
    assert list(layers(on_meta("vgg16-cifar10"))) == [*blocks, "fc"]
    assert len(layers(on_meta("resnet20-cifar10"))) == 20


@pytest.mark.parametrize("network", SIZES)
def test_that_they_answer_as_many_classes_as_the_data_have(network):
    shape = INPUTS.get(network, (3, 32, 32))
    assert on_meta(network)(torch.zeros(2, *shape, device="meta")).shape == (2, 10 if "cifar" in network else 1000)
    assert on_meta(network, classes=7)(torch.zeros(2, *shape, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("network", MODELS)
def test_that_other_images_are_refused_with_the_size_that_is_needed(network):
    shape = (3, 64, 64)
    if network in INPUTS:
        needed = " x ".join(map(str, INPUTS[network]))
        with pytest.raises(InputError, match=f"network {network} needs images of {needed} .* are 3 x 64 x 64"):
            build(network, images=shape)
    else:
        assert build(network, images=shape)(torch.zeros(1, *shape)).shape == (1, 10)


class Grouped(nn.Module):
    """The slow twin of a grouped convolution: each group a convolution of its own, their answers side by side."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        assert layer.bias is not None
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        bias = self.layer.bias
        assert bias is not None
        count = self.layer.groups
        parts = zip(images.chunk(count, 1), self.layer.weight.chunk(count), bias.chunk(count), strict=True)
        convolved = [
            torch.nn.functional.conv2d(part, weight, own, self.layer.stride, self.layer.padding)
            for part, weight, own in parts
        ]
        return torch.cat(convolved, dim=1)


def convolutions_of(network: str) -> nn.Sequential:
    """All before the linear layers, with fresh weights."""
    model = on_meta(network)
    assert isinstance(model, nn.Sequential)
    part = nn.Sequential(*list(model)[: list(model._modules).index("flatten")]).to_empty(device="cpu")
    for layer in layers(part).values():
        layer.reset_parameters()
    return part


def test_that_alexnet_s_groups_are_convolutions_of_their_own_side_by_side():
    torch.manual_seed(1)
    part = convolutions_of("alexnet").double()
    twin = nn.Sequential(*(Grouped(each) if isinstance(each, nn.Conv2d) else each for each in part))
    images = torch.randn(2, 3, 99, 99, dtype=torch.float64)
    assert [each.groups for each in part if isinstance(each, nn.Conv2d)] == [1, 2, 1, 2, 2]
    answers = part(images)
    assert answers.shape == (2, 256, 2, 2)
    torch.testing.assert_close(answers, twin(images), rtol=1e-12, atol=1e-15)


@pytest.mark.slow
def test_that_the_whole_alexnet_answers_as_its_grouped_twin():
    torch.manual_seed(1)
    model = build("alexnet").eval()
    assert isinstance(model, nn.Sequential)
    twin = nn.Sequential(*(Grouped(each) if isinstance(each, nn.Conv2d) else each for each in model)).eval()
    images = torch.randn(2, 3, 227, 227)
    with torch.no_grad():
        torch.testing.assert_close(model(images), twin(images))


def test_that_the_multiply_adds_are_those_of_the_publications():
    counts = multiply_adds(on_meta("vgg16"), torch.zeros(1, 3, 224, 224, device="meta"))
    assert counts["conv1_1"] == 64 * 27 * 224 * 224
    assert sum(counts.values()) == 15_470_264_320
    # Two groups halve what a filter reads: 256 filters of 48 x 5 x 5 at 27 x 27 places.
    counts = multiply_adds(on_meta("alexnet"), torch.zeros(1, 3, 227, 227, device="meta"))
    assert counts["conv2"] == 256 * 48 * 25 * 27 * 27
    assert sum(counts.values()) == 724_406_816
    assert sum(multiply_adds(on_meta("resnet20-cifar10"), torch.zeros(1, 3, 32, 32, device="meta")).values()) == (
        16 * 27 * 1024 + 6 * 2304 * 1024 + (4608 + 5 * 9216) * 256 + (18432 + 5 * 36864) * 64 + 640
    )


def test_that_readers_are_known_where_nothing_mixes_units_or_pads_them():
    assert readers(on_meta("alexnet")) == {"conv5": "fc6", "fc6": "fc7", "fc7": "fc8"}
    assert readers(on_meta("vgg16")) == {"conv5_3": "fc6", "fc6": "fc7", "fc7": "fc8"}
    assert readers(on_meta("vgg16-cifar10")) == readers(on_meta("resnet20-cifar10")) == {}


def test_that_resnet_s_shortcuts_are_every_second_pixel_and_zeros():
    torch.manual_seed(2)
    model = build("resnet20-cifar10").eval()
    block = model.get_submodule("stage2.0")
    with torch.no_grad():
        for layer in layers(block).values():
            layer.weight.zero_()
        images = torch.rand(2, 16, 8, 8)
        answers = block(images)
    assert torch.equal(answers[:, 8:24], images[:, :, ::2, ::2])
    assert not answers[:, :8].any()
    assert not answers[:, 24:].any()
