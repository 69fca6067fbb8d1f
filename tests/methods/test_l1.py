"""LASSO: its proximal step, its subgradient, and when they end."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparseviz.methods.l1 import soft_threshold
from tests.helpers.pruning import trained


@given(weight=st.floats(-2, 2), bar=st.floats(0, 2))
def test_that_the_proximal_step_finds_the_least_of_what_it_stands_for(weight, bar):
    found = float(soft_threshold(torch.tensor(weight, dtype=torch.float64), torch.tensor(bar, dtype=torch.float64)))

    def objective(x):
        return (x - weight) ** 2 / 2 + bar * abs(x)

    grid = [place / 500 for place in range(-1100, 1101)]
    assert objective(found) <= min(objective(x) for x in grid) + 1e-12


@pytest.mark.parametrize("scale", ["sum", "mean", "layer_mean"])
def test_that_the_subgradient_is_that_of_the_penalty_that_is_told(scale):
    (one,) = trained("l1", 0, method__proximal=False, penalty__scale=scale)
    method = one.method
    method.set_lambdas(5.0, 0.7)
    weights = {name: method.weight(name) for name in method.layers}
    sizes = {"fc1": 9408, "fc2": 120}
    scales = {name: {"sum": 1, "mean": 1 / 9528, "layer_mean": 1 / sizes[name]}[scale] for name in sizes}
    penalty = sum(0.7 * scales[name] * weight.abs().sum() for name, weight in weights.items())
    expected = torch.autograd.grad(penalty, list(weights.values()))
    for weight in weights.values():
        weight.grad = torch.ones_like(weight)
    method.after_backward()
    for weight, pull in zip(weights.values(), expected, strict=True):
        torch.testing.assert_close(weight.grad, 1 + pull)
    bimodal, count = method.penalties()
    assert float(bimodal) == 0
    torch.testing.assert_close(count, penalty.detach())


def test_that_the_proximal_step_moves_by_the_rate_times_the_penaltys_pull():
    (one,) = trained("l1", 0, penalty__scale="sum")
    before = one.method.weight("fc1").detach().clone()
    one.method.set_lambdas(0.0, 20.0)
    one.method.rate.fill_(1e-3)
    one.method.after_step()
    torch.testing.assert_close(one.method.weight("fc1").detach(), soft_threshold(before, torch.tensor(0.02)))


def test_that_its_zeros_count_as_cut_and_may_return_until_the_last_round():
    settings = {"penalty__scale": "sum", "penalty__lambda2": 0.5, "method__keep": 1.0, "method__rounds": 1}
    masks = [one.method.mask("fc1").clone() for one in trained("l1", 10, **settings, optimizer__rate=0.02)]
    assert masks[0].all()
    assert not masks[1].all()
    came_back = [bool((later & ~earlier).any()) for earlier, later in pairwise(masks)]
    assert any(came_back[:6])
    assert not any(came_back[6:])  # the round falls before step 6


def test_that_the_penalty_ends_with_the_last_round():
    told = [float(one.method.penalties()[1]) for one in trained("l1", 10, penalty__scale="sum")]
    assert all(penalty > 0 for penalty in told[1:7])
    assert told[7:] == [0.0] * 4


def test_that_freezing_early_keeps_what_is_not_zero():
    (one,) = trained("l1", 0)
    with torch.no_grad():
        one.method.weight("fc1")[0] = 0
    one.method.freeze()
    with torch.no_grad():
        one.method.weight("fc1").add_(1)
    assert not one.method.mask("fc1")[0].any()
    assert one.method.mask("fc1")[1:].all()
