"""Neurons that are merged: which, how many, and what the network then answers."""

import pytest
import torch
from torch import nn

from sparseviz.config import ConfigError, RunConfig
from sparseviz.methods.data_free import BINS, DataFree, mode
from sparseviz.networks import lenet5, lenet300
from tests.helpers.networks import Noisy


def attached(model, **settings):
    changes = {"method.name": "data-free"} | {f"method.{name}": value for name, value in settings.items()}
    method = DataFree(RunConfig().changed(changes), 100)
    method.attach(model)
    return method


def make_alike(model, layer, one, other, factor=1.0):
    """Give two neurons the same inputs and bias, up to a factor above 0."""
    module = model.get_submodule(layer)
    with torch.no_grad():
        module.weight[other] = factor * module.weight[one]
        module.bias[other] = factor * module.bias[one]


@pytest.mark.parametrize("factor", [1.0, 2.5])
@pytest.mark.parametrize(
    ("make", "layer"),
    [(lenet300, "fc1"), (lenet300, "fc2"), (lenet5, "conv1"), (lenet5, "conv2"), (lenet5, "fc1")],
)
def test_that_merging_two_identical_neurons_changes_no_output(make, layer, factor):
    torch.manual_seed(0)
    model = make()
    make_alike(model, layer, 3, 7, factor)
    images = torch.randn(4, 1, 28, 28)
    before = model(images)
    method = attached(model, layers=[layer])
    units = method.weight(layer).shape[0]
    method.cut((units - 1) / units)
    rows = method.mask(layer).flatten(1).any(dim=1)
    assert (~rows).nonzero().flatten().tolist() in ([3], [7])
    torch.testing.assert_close(model(images), before, atol=1e-5, rtol=1e-5)
    method.bake(model)
    torch.testing.assert_close(model(images), before, atol=1e-5, rtol=1e-5)


def test_that_the_share_of_neurons_asked_for_is_the_share_left():
    method = attached(lenet5())
    method.cut(0.3)
    left = {name: int(method.mask(name).flatten(1).any(dim=1).sum()) for name in ("conv1", "conv2", "fc1", "fc2")}
    assert left == {"conv1": 6, "conv2": 15, "fc1": 150, "fc2": 10}
    assert int(method.mask("fc2").sum()) == 10 * 150
    assert int(method.mask("fc1").sum()) == 150 * 15 * 16
    assert int(method.mask("conv2").sum()) == 15 * 6 * 25


def slow_saliency(ins, biases, outs, i, j):
    """Sections 3, 3.3 and 3.4, number by number: what it costs to let j go into i."""
    unit = [ins[k] / ins[k].norm() for k in (i, j)]
    bias = [biases[k] / ins[k].norm() for k in (i, j)]
    apart = (unit[0] - unit[1]).norm() / (unit[0] + unit[1]).norm()
    apart = apart + (bias[0] - bias[1]).abs() / (bias[0] + bias[1]).abs()
    return (outs[:, j] * ins[j].norm()).square().mean() * apart**2


def test_that_saliencies_are_those_of_their_slow_twin_and_the_least_goes_first():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4)).double()
    ins, biases, outs = (model.get_parameter(name).detach().clone() for name in ("0.weight", "0.bias", "2.weight"))
    method = attached(model, layers=["0"])
    pairs = {(i, j): float(slow_saliency(ins, biases, outs, i, j)) for i in range(6) for j in range(6) if i != j}
    found = method.neurons("0").saliencies()
    for (i, j), saliency in pairs.items():
        assert float(found[i, j]) == pytest.approx(saliency)
    stays, goes = min(pairs, key=lambda pair: pairs[pair])
    method.cut(5 / 6)
    assert (~method.mask("0").any(dim=1)).nonzero().flatten().tolist() == [goes]
    taken = outs[:, stays] + outs[:, goes] * ins[goes].norm() / ins[stays].norm()
    torch.testing.assert_close(method.weight("2")[:, stays].detach(), taken)


def test_that_the_least_saliency_of_what_is_left_is_the_threshold():
    method = attached(lenet300(), layers=["fc1"])
    method.cut(0.5)
    values, mask = method.quantity_values("fc1"), method.mask("fc1")
    assert float(values[mask].min()) == pytest.approx(method.threshold("fc1"))
    assert float(values[~mask].max()) < method.threshold("fc1")


def test_that_no_data_is_read():
    method = attached(lenet300())
    assert not any(method.needs_data(step) for step in range(100))


def test_that_the_cut_off_is_where_the_histogram_of_saliencies_is_highest():
    generator = torch.Generator().manual_seed(0)
    bulk, outliers = torch.randn(20_000, generator=generator).mul(0.1).add(3), torch.full((500,), 1e6)
    assert mode(torch.cat([bulk, outliers, torch.tensor([torch.inf])])) == pytest.approx(3, abs=0.05)
    assert BINS == 100


def test_that_the_cut_off_merges_all_pairs_below_it_and_leaves_the_others():
    torch.manual_seed(0)
    model = lenet300()
    for place in range(40):  # 40 neurons stand twice
        make_alike(model, "fc1", place, 299 - place)
    method = attached(model, cut_off="mode", layers=["fc1"], rounds=1)
    first = method.neurons("fc1").saliencies()
    bar = mode(first)
    for step in range(100):
        method.before_step(step)
    left = method.neurons("fc1")
    assert int(left.alive.sum()) <= 260
    assert float(left.saliencies().min()) >= bar * 0.999
    assert float(first.min()) < bar


def test_that_a_network_whose_neurons_have_no_known_reader_is_told():
    with pytest.raises(ConfigError, match=r"method.layers: no neuron of fc1 is read by one known layer alone"):
        attached(Noisy())
