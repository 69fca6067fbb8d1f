"""Laws that hold for every method, and those of each."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from sparseviz.config import ConfigError, RunConfig
from sparseviz.methods import METHODS
from sparseviz.methods.base import plain_state
from sparseviz.methods.gated import Gated
from sparseviz.methods.hard_concrete import HardConcrete
from sparseviz.methods.pruned import Pruned
from sparseviz.networks import lenet5, lenet300


def attached(name, model=None, steps=100, **settings):
    torch.manual_seed(0)
    model = model or lenet300()
    config = RunConfig().changed({"method.name": name, **{k.replace("__", "."): v for k, v in settings.items()}})
    method = METHODS[name](config, steps)
    method.attach(model)
    return model, method


def cut_some(method):
    """Make the method cut about half of what it has."""
    if isinstance(method, Gated):
        with torch.no_grad():
            for gate in method.gates.values():
                gate.parameter.uniform_(0, 1)
    elif isinstance(method, HardConcrete):
        with torch.no_grad():
            for parameter in method.parameters():
                parameter.uniform_(-6, 4)
    elif isinstance(method, Pruned):
        method.cut(0.5)


@pytest.mark.parametrize("name", METHODS)
def test_that_attaching_changes_no_output_and_no_parameter(name):
    torch.manual_seed(0)
    plain = lenet5()
    torch.manual_seed(0)
    model, _ = attached(name, lenet5())
    images = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(model(images), plain(images))
    state = plain_state(model)
    assert state.keys() == plain.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in plain.state_dict().items())


@pytest.mark.parametrize("name", METHODS)
def test_that_the_network_computes_with_its_masked_weights(name):
    model, method = attached(name)
    cut_some(method)
    model.eval()
    for layer, module in method.layers.items():
        torch.testing.assert_close(module.weight, method.weight(layer) * method.mask(layer))


@pytest.mark.parametrize("name", METHODS)
def test_that_baking_leaves_a_plain_network_with_the_same_output(name):
    model, method = attached(name)
    cut_some(method)
    model.eval()
    images = torch.randn(3, 1, 28, 28)
    before = model(images)
    masks = {layer: method.mask(layer).clone() for layer in method.layers}
    method.bake(model)
    assert not any(parametrize.is_parametrized(module) for module in model.modules())
    torch.testing.assert_close(model(images), before)
    for layer, mask in masks.items():
        baked = model.get_submodule(layer).weight
        assert isinstance(baked, torch.Tensor)
        assert not baked[~mask].any()
        assert not torch.signbit(baked[~mask]).any()


def test_that_baking_turns_an_infinite_cut_weight_into_zero():
    model, method = attached("gated")
    with torch.no_grad():
        method.weight("fc1")[0, 0] = math.inf
        method.gates["fc1"].parameter[0, 0] = 0
    method.bake(model)
    assert model.fc1.weight[0, 0] == 0


@pytest.mark.parametrize("name", METHODS)
def test_that_the_decisive_quantity_and_the_mask_have_the_weights_shape(name):
    _, method = attached(name, lenet5())
    for layer in method.layers:
        assert method.mask(layer).shape == method.quantity_values(layer).shape == method.weight(layer).shape
        assert method.mask(layer).dtype == torch.bool


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).relu())


def test_that_a_shared_weight_gets_one_shared_gate():
    model, method = attached("gated", Tied())
    assert len(method.parameters()) == 1
    assert list(method.layers) == ["first"]
    with torch.no_grad():
        method.gates["first"].parameter[2, 3] = 0
    assert model.first.weight[2, 3] == model.second.weight[2, 3] == 0
    with parametrize.cached():
        model(torch.randn(4, 6)).sum().backward()
    assert method.parameters()[0].grad is not None
    method.bake(model)
    assert torch.equal(model.first.weight, model.second.weight)


def test_that_a_bernoulli_mask_is_drawn_once_a_step():
    model, method = attached("gated", Tied(), method__draw="bernoulli", gate__start=0.5)
    draws = []
    for _ in range(2):
        method.draw()
        draws.append(model.first.weight.detach().clone())
        assert torch.equal(model.first.weight, model.second.weight)
    assert not torch.equal(*draws)


@pytest.mark.parametrize("scale", ["sum", "mean", "layer_mean"])
def test_that_gated_penalties_are_scaled_as_named(scale):
    _, method = attached("gated", penalty__scale=scale, gate__start=0.75)
    method.set_lambdas(2.0, 3.0)
    bimodal, count = (float(part) for part in method.penalties())
    gates = {"sum": 266_200, "mean": 1, "layer_mean": 3}[scale]
    assert bimodal == pytest.approx(2 * gates * 0.75 * 0.25, rel=1e-4)
    assert count == pytest.approx(3 * gates * 0.75, rel=1e-4)


def test_that_magnitude_cuts_the_smallest_relative_to_their_layers_spread():
    model, method = attached("magnitude")
    values = {layer: method.quantity_values(layer).clone() for layer in method.layers}
    method.cut(0.1)
    kept = sum(int(method.mask(layer).sum()) for layer in method.layers)
    assert kept == pytest.approx(0.1 * 266_200, abs=2)
    least_kept = min(float(values[layer][method.mask(layer)].min()) for layer in method.layers)
    largest_cut = max(float(values[layer][~method.mask(layer)].max()) for layer in method.layers)
    assert largest_cut < least_kept == pytest.approx(method.threshold("fc1"))
    del model


def test_that_what_magnitude_has_cut_stays_cut():
    _, method = attached("magnitude")
    method.cut(0.3)
    first = {layer: method.mask(layer).clone() for layer in method.layers}
    with torch.no_grad():
        for layer in method.layers:
            method.weight(layer).add_(1.0)
    method.cut(0.2)
    for layer, mask in first.items():
        assert not (method.mask(layer) & ~mask).any()


def test_that_magnitude_reaches_its_share_in_even_steps():
    _, method = attached("magnitude", method__keep=0.05, method__rounds=4, steps=60)
    kept = []
    for step in range(60):
        method.before_step(step)
        kept.append(sum(int(method.mask(layer).sum()) for layer in method.layers) / 266_200)
    shares = sorted(set(kept), reverse=True)
    assert len(shares) == 5
    for number, share in enumerate(shares):
        assert share == pytest.approx(0.05 ** (number / 4), rel=1e-3)
    assert kept.index(shares[-1]) <= 45  # what remains of the run fine-tunes


def test_that_a_magnitude_gradient_is_masked():
    model, method = attached("magnitude")
    method.cut(0.5)
    model(torch.randn(2, 1, 28, 28)).sum().backward()
    for layer in method.layers:
        gradient = method.weight(layer).grad
        assert gradient is not None
        assert not gradient[~method.mask(layer)].any()


def test_that_freezing_keeps_the_masks_of_every_method():
    for name in METHODS:
        _, method = attached(name)
        cut_some(method)
        masks = {layer: method.mask(layer).clone() for layer in method.layers}
        method.freeze()
        method.set_lambdas(10.0, 10.0)
        for step in range(100):
            method.before_step(step)
            method.after_backward()
            method.after_step()
        assert all(torch.equal(mask, method.mask(layer)) for layer, mask in masks.items())


def test_that_only_the_named_layers_are_gated_and_the_others_stay_dense():
    _, method = attached("gated", lenet5(), gate__layers=["fc1", "conv*"], gate__start=0.2)
    kept = {layer: bool(method.mask(layer).all()) for layer in method.layers}
    assert kept == {"conv1": False, "conv2": False, "fc1": False, "fc2": True}
    assert [method.quantity(layer).is_gate for layer in method.layers] == [True, True, True, False]
    assert math.isnan(method.threshold("fc2"))
    assert len(method.parameters()) == 3


def test_that_layers_may_start_apart():
    _, method = attached("gated", lenet5(), gate__start_by_layer={"fc*": 0.9}, gate__top_share={"conv2": 0.2})
    assert method.gates["conv1"].parameter.min().item() == pytest.approx(0.75)
    assert method.gates["fc2"].parameter.min().item() == pytest.approx(0.9)
    assert int(method.mask("conv2").sum()) == 5000


@pytest.mark.parametrize("setting", ["gate.layers", "gate.start_by_layer", "gate.top_share"])
def test_that_a_name_that_means_no_layer_is_told_with_those_there_are(setting):
    value = ["fc9"] if setting == "gate.layers" else {"fc9": 0.5}
    with pytest.raises(ConfigError, match=rf"{setting}: no layer is called 'fc9'; layers: fc1, fc2, fc3"):
        attached("gated", **{setting: value})


@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"gated", "dense"}))
def test_that_a_method_without_the_papers_gates_cuts_only_the_named_layers(name):
    _, method = attached(name, lenet5(), method__layers=["fc1"])
    cut_some(method)
    cut = {layer for layer in method.layers if not method.mask(layer).all()}
    assert cut == ({"fc1", "fc2"} if name == "data-free" else {"fc1"})  # fc2 reads the neurons of fc1
    assert math.isnan(method.threshold("conv1"))
    assert method.quantity("conv1").name == "|w| / std"
    with pytest.raises(ConfigError, match=r"method.layers: no layer is called 'fc9'; layers: conv1, conv2, fc1, fc2"):
        attached(name, lenet5(), method__layers=["fc9"])


def test_that_only_the_papers_quantity_is_called_gate():
    for name in METHODS:
        _, method = attached(name)
        assert ("gate" in method.quantity("fc1").name) == (name == "gated")


@pytest.mark.parametrize("granularity", ["output", "input", "weight+output+input"])
def test_that_unit_gates_leave_whole_units_out(granularity):
    _, method = attached("gated", lenet5(), gate__granularity=granularity)
    with torch.no_grad():
        for gate in method.gates.values():
            for kind, parameter in gate.sets.items():
                if kind != "weight":
                    parameter.flatten()[::2] = 0
    mask = method.mask("conv2")
    rows, columns = mask.any(dim=(1, 2, 3)), mask.any(dim=(0, 2, 3))
    assert int(rows.sum()) == (25 if "output" in granularity else 50)
    assert int(columns.sum()) == (10 if "input" in granularity else 20)
