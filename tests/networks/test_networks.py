"""The networks: their sizes, their layers, who reads whom, and the person's own."""

from collections import OrderedDict
from copy import deepcopy
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from sparseviz.config import ConfigError, InputError
from sparseviz.networks import MODELS, build, layers, multiply_adds, readers
from tests.helpers.runs import trust


def relu_chain(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(*(part for module in modules for part in (module, nn.ReLU())))


class OwnForward(nn.Sequential):
    """A Sequential in name only: its first layer is read twice."""

    def forward(self, images: Tensor) -> Tensor:
        first: Tensor = self[0](images)
        return torch.cat([first, self[1](first)], dim=1)


class TestNetworks:
    @pytest.mark.parametrize(
        ("network", "parameters", "weights"), [("lenet300", 266_610, 266_200), ("lenet5", 431_080, 430_500)]
    )
    def test_that_they_have_the_published_sizes(self, network, parameters, weights):
        model = build(network)
        assert sum(parameter.numel() for parameter in model.parameters()) == parameters
        assert sum(layer.weight.numel() for layer in layers(model).values()) == weights

    @pytest.mark.parametrize("network", ["lenet5", "lenet300"])
    def test_that_they_answer_ten_classes_for_images_of_28_pixels(self, network):
        assert build(network)(torch.zeros(3, 1, 28, 28)).shape == (3, 10)

    @pytest.mark.parametrize("network", ["lenet5", "lenet300", "resnet20-cifar10", "vgg16-cifar10"])
    def test_that_their_weights_are_fresh_and_follow_the_seed(self, network):
        torch.manual_seed(3)
        first, second = build(network), build(network)
        torch.manual_seed(3)
        again = build(network)
        for name, layer in layers(first).items():
            assert torch.equal(layer.weight, layers(again)[name].weight)
            assert not torch.equal(layer.weight, layers(second)[name].weight)

    def test_that_an_unknown_name_is_told_with_the_known_and_the_form_of_one_s_own(self):
        with pytest.raises(ConfigError) as caught:
            build("lenet6")
        assert str(caught.value) == f"network: unknown 'lenet6'; allowed: {', '.join(MODELS)}, {OWN_FORMS}"


class TestLayers:
    def test_that_they_come_by_name_in_the_order_of_the_model(self):
        assert {name: tuple(layer.weight.shape) for name, layer in layers(build("lenet5")).items()} == {
            "conv1": (20, 1, 5, 5),
            "conv2": (50, 20, 5, 5),
            "fc1": (500, 800),
            "fc2": (10, 500),
        }
        assert list(layers(build("lenet5"))) == ["conv1", "conv2", "fc1", "fc2"]

    def test_that_nested_ones_have_dotted_names_and_others_are_left_out(self):
        head = nn.Sequential(OrderedDict(norm=nn.LayerNorm(4), out=nn.Linear(4, 2)))
        parts = OrderedDict(
            embed=nn.Embedding(9, 4), conv=nn.Conv1d(4, 4, 1), up=nn.ConvTranspose1d(4, 4, 1), norm=nn.BatchNorm1d(4)
        )
        assert list(layers(nn.Sequential(parts | {"head": head}))) == ["conv", "head.out"]

    def test_that_a_layer_or_a_weight_that_is_shared_counts_once(self):
        one, other = nn.Linear(4, 4), nn.Linear(4, 4)
        other.weight = one.weight
        assert list(layers(nn.Sequential(one, nn.ReLU(), one, other, nn.Linear(4, 2)))) == ["0", "4"]


CHAINS = {  # what the readers are of, and who they are
    "lenet300": (build("lenet300"), {"fc1": "fc2", "fc2": "fc3"}),
    "lenet5": (build("lenet5"), {"conv1": "conv2", "conv2": "fc1", "fc1": "fc2"}),
    "one layer": (nn.Linear(784, 10), {}),
    "its own forward": (OwnForward(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1)), {}),
    "mixing": (nn.Sequential(nn.Flatten(), nn.Linear(784, 6), nn.Softmax(dim=1), nn.Linear(6, 4)), {}),
    "norm": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 2, 3)), {"2": "3"}),
    "nested": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(nn.Conv2d(4, 4, 3)), nn.Conv2d(4, 2, 3)), {}),
    "padded": (
        relu_chain(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 2, 3)),
        {"2": "4"},
    ),
    "padded to the same": (relu_chain(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 3, padding="same")), {}),
    "groups": (relu_chain(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 2, 3)), {"2": "4"}),
    "without bias": (relu_chain(nn.Conv2d(1, 4, 3, bias=False), nn.Conv2d(4, 2, 3, stride=2)), {"0": "2"}),
}


class TestReaders:
    @pytest.mark.parametrize("case", CHAINS)
    def test_that_they_are_known_in_a_plain_chain_alone_and_never_of_the_last_layer(self, case):
        model, expected = CHAINS[case]
        assert readers(model) == expected

    @pytest.mark.parametrize("case", CHAINS)
    def test_that_a_unit_that_its_reader_cuts_changes_no_answer(self, case):
        """The slow, obvious twin: overwrite a unit that its one reader does not read."""
        model, _ = CHAINS[case]
        model = deepcopy(model)
        torch.manual_seed(0)
        images, found = torch.rand(2, 1, 28, 28), layers(model)
        for layer in found.values():
            layer.reset_parameters()
        for writer, reader in readers(model).items():
            weight, unit = found[writer].weight, 1
            with torch.no_grad():
                places = found[reader].weight.shape[1] // weight.shape[0]  # of one unit, behind a flatten
                found[reader].weight[:, unit * places : (unit + 1) * places] = 0
                before = model(images)
                weight[unit] += 10
                assert torch.equal(model(images), before)

    def test_that_a_layer_that_stands_twice_in_a_chain_leaves_nothing_certain_of_it(self):
        layer = nn.Linear(4, 4)
        assert "0" not in readers(relu_chain(layer, layer, nn.Linear(4, 2)))

    def test_that_what_stands_between_layers_counts_at_each_of_its_places(self):
        norm = nn.BatchNorm1d(4)
        assert readers(nn.Sequential(nn.Linear(4, 4), norm, nn.Linear(4, 4), norm, nn.Linear(4, 2))) == {}

    def test_that_writers_and_readers_are_layers_even_where_a_weight_is_shared(self):
        model = relu_chain(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2))
        model[2].weight = model[0].weight
        chain = readers(model)
        assert {*chain, *chain.values()} <= set(layers(model))


def obvious_multiply_adds(layer: nn.Conv2d, height: int, width: int) -> int:
    """One for every weight at every place, counted one by one."""
    (high, wide), (step_y, step_x) = layer.kernel_size, layer.stride
    pad_y, pad_x = map(int, layer.padding)
    tops = range(0, height + 2 * pad_y - high + 1, step_y)
    lefts = range(0, width + 2 * pad_x - wide + 1, step_x)
    inputs = range(layer.in_channels // layer.groups)
    places = product(range(layer.out_channels), tops, lefts, inputs, range(high), range(wide))
    return sum(1 for _ in places)


class Twice(nn.Module):
    """One layer, read twice, and one that is never reached."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.spare = nn.Linear(28, 28), nn.Linear(28, 28)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(self.layer(images)).flatten(1)  # type: ignore[no-any-return]


class TestMultiplyAdds:
    def test_that_lenet5_s_are_those_that_a_slow_count_finds(self):
        model = build("lenet5")
        convolutions = [(layer, side) for layer, side in zip(layers(model).values(), (28, 12), strict=False)]
        slow = [
            obvious_multiply_adds(layer, side, side) for layer, side in convolutions if isinstance(layer, nn.Conv2d)
        ]
        counts = multiply_adds(model, torch.zeros(1, 1, 28, 28))
        assert counts == {"conv1": slow[0], "conv2": slow[1], "fc1": 500 * 800, "fc2": 10 * 500}

    @pytest.mark.parametrize(
        "layer",
        [
            nn.Conv2d(4, 6, 3, padding=1, groups=2),
            nn.Conv2d(4, 3, (3, 5), stride=(2, 1), bias=False),
            nn.Conv2d(4, 4, 2, stride=3, padding=(0, 2), groups=4),
        ],
    )
    def test_that_padding_strides_and_groups_are_counted(self, layer):
        counts = multiply_adds(nn.Sequential(layer), torch.zeros(1, 4, 9, 11))
        assert counts == {"0": obvious_multiply_adds(layer, 9, 11)}

    def test_that_a_layer_counts_as_often_as_it_is_read_and_at_every_place(self):
        assert multiply_adds(Twice(), torch.zeros(1, 1, 28, 28)) == {"layer": 2 * 28 * 28 * 28, "spare": 0}

    @pytest.mark.parametrize("training", [True, False])
    def test_that_the_model_is_left_as_it_was(self, training):
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).train(training)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        multiply_adds(model, torch.ones(1, 1, 28, 28))
        assert model.training is training
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert [module for module in model.modules() if module._forward_hooks] == []

    @pytest.mark.parametrize("first", [nn.Linear(784, 10), nn.Conv2d(3, 4, 3), nn.BatchNorm1d(1)])
    def test_that_images_that_cannot_be_read_are_told_with_their_shape_and_hooks_are_removed(self, first):
        model = nn.Sequential(first)
        with pytest.raises(InputError, match=r"cannot read images of shape \(1, 28, 28\)"):
            multiply_adds(model, torch.zeros(1, 1, 28, 28))
        assert model.training
        assert not first._forward_hooks


OWN_FORMS = "package.module:function or file.py:function"
OWN = """
from torch import nn

def tiny(): return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
def broken(): raise ValueError("out of clay")
def empty(): return 3
def needy(size): return nn.Linear(size, size)

constant = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch) -> str:
    """A package of the person's own, by the name of a module in it."""
    package: str = tmp_path.name
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "nets.py").write_text(OWN)
    (folder / "faulty.py").write_text("import nothing_of_this_name")
    monkeypatch.syspath_prepend(tmp_path)
    trust(f"{package}.nets:tiny", f"{package}.faulty:tiny")
    return package


class TestOwnNetwork:
    def test_that_package_module_and_function_make_it(self, own):
        assert {name: layer.weight.shape for name, layer in layers(build(f"{own}.nets:tiny")).items()} == {
            "1": (10, 784)
        }

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("nowhere:tiny", "ModuleNotFoundError: No module named '{own}.nowhere'"),
            ("faulty:tiny", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
            ("nets:huge", "AttributeError: "),
            ("nets:broken", "ValueError: out of clay"),
            ("nets:needy", "TypeError: needy() missing 1 required positional argument: 'size'"),
            ("nets:constant", "TypeError: 'int' object is not callable"),
            ("nets:", "AttributeError: "),
            ("nets:empty", "gave a int, not a torch.nn.Module"),
        ],
    )
    def test_that_what_is_wrong_with_it_is_told_with_its_name(self, own, name, says):
        with pytest.raises(InputError) as caught:
            build(f"{own}.{name}")
        assert f"network '{own}.{name}' " in str(caught.value)
        assert says.format(own=own) in str(caught.value)

    def test_that_a_name_without_a_module_is_told_too(self):
        with pytest.raises(InputError, match="network ':tiny' could not be made"):
            build(":tiny")

    def test_that_a_network_that_is_one_layer_gets_a_name_for_it(self, tmp_path, monkeypatch):
        (tmp_path / "single_layer.py").write_text("import torch\ndef make(): return torch.nn.Linear(3, 2)\n")
        monkeypatch.syspath_prepend(tmp_path)
        trust("single_layer:make")
        assert list(layers(build("single_layer:make"))) == ["0"]
