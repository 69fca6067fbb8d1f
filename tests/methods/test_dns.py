"""Dynamic network surgery: cut, splice, and what lies between."""

import pytest
import torch

from sparseviz.config import ConfigError, RunConfig
from sparseviz.methods.dns import NetworkSurgery
from tests.helpers.networks import small
from tests.helpers.pruning import trained


def attached(deviations=1.0):
    torch.manual_seed(0)
    model = small()
    config = RunConfig().changed({"method.name": "dns", "method.deviations": deviations})
    method = NetworkSurgery(config, 100)
    method.attach(model)
    return model, method


def test_that_small_weights_are_cut_large_ones_spliced_and_those_between_left():
    _, method = attached()
    weight = method.weight("fc1")
    bar = float(weight.detach().abs().mean() + weight.detach().abs().std(correction=0))
    low, between, high = slice(0, 100), slice(100, 200), slice(200, 300)
    with torch.no_grad():
        for columns, size in ((low, 0.85), (between, 1.0), (high, 1.15)):
            weight[:, columns] = -size * bar
    for before in (True, False):
        method.masks["fc1"].mask.fill_(before)
        method.operate(torch.tensor(True))
        mask = method.mask("fc1")
        assert not mask[:, low].any()
        assert bool(mask[:, between].all()) == bool(mask[:, between].any()) == before
        assert mask[:, high].all()
        method.operate(torch.tensor(False))
        assert torch.equal(method.mask("fc1"), mask)


def test_that_a_cut_weight_goes_on_learning_until_the_masks_freeze():
    model, method = attached()
    method.operate(torch.tensor(True))
    cut = ~method.mask("fc1")
    images = torch.randn(8, 1, 28, 28)
    for frozen in (False, True):
        model.zero_grad()
        if frozen:
            method.freeze()
        model(images).square().sum().backward()
        gradient = method.weight("fc1").grad
        assert bool(gradient[cut].any()) != frozen
        assert gradient[~cut].any()
        assert not model.fc1.weight[cut].any()


def test_that_thresholds_are_those_of_the_start_of_surgery():
    moved = []
    for one in trained("dns", 10, schedule__warm_up_until=0.4, schedule__ramp_until=0.8, optimizer__rate=0.01):
        ratio = one.method.weight("fc1").detach().abs() / one.method.quantity_values("fc1")
        moved.append(float(ratio[ratio.isfinite()].mean()))
        if one.step <= 4:
            assert one.method.mask("fc1").all()
    assert moved[0] == moved[4] != moved[5]
    assert len(set(moved[5:])) == 1


def test_that_more_deviations_cut_more():
    shares = []
    for deviations in (0.0, 1.0, 2.0):
        _, method = attached(deviations)
        method.operate(torch.tensor(True))
        shares.append(float(method.mask("fc1").float().mean()))
    assert shares[0] > shares[1] > shares[2]


def test_that_a_layer_may_have_a_threshold_of_its_own():
    torch.manual_seed(0)
    config = RunConfig().changed({"method.name": "dns", "method.deviations_by_layer": {"*2": -10.0}})
    method = NetworkSurgery(config, 100)
    method.attach(small())
    method.operate(torch.tensor(True))
    assert method.mask("fc2").all()
    assert not method.mask("fc1").all()
    wrong = config.changed({"method.deviations_by_layer": {"fc9": 1.0}})
    with pytest.raises(ConfigError, match=r"method.deviations_by_layer: no layer is called 'fc9'"):
        NetworkSurgery(wrong, 100).attach(small())


def test_that_surgery_splices_in_what_it_had_cut_in_a_real_training():
    was, back = None, 0
    for one in trained("dns", 10, optimizer__rate=0.01, schedule__ramp_until=1.0, method__deviations=0.5):
        mask = one.method.mask("fc1").clone()
        if was is not None:
            back += int((mask & ~was).sum())
        was = mask
    assert back > 0
