"""Hard concrete gates: their probability, their draws, and how they are decided."""

import pytest
import torch

from sparseviz.config import RunConfig
from sparseviz.methods.hard_concrete import OPENS_AT, HardConcrete, HardConcreteGate, drawn
from sparseviz.networks import lenet300


def attached(**settings):
    torch.manual_seed(0)
    model = lenet300()
    method = HardConcrete(RunConfig().changed({"method.name": "hard-concrete"} | settings), 100)
    method.attach(model)
    return model, method


@pytest.mark.parametrize("log_alpha", [-4.0, -2.0, -0.8, 0.0, 1.5, 3.0])
def test_that_the_probability_of_being_open_is_that_of_sampling(log_alpha):
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(400_000, generator=generator)
    gate = HardConcreteGate(torch.ones(1), 0.5)
    with torch.no_grad():
        gate.log_alpha.fill_(log_alpha)
    sampled = float((drawn(gate.log_alpha.detach(), noise) > 0).float().mean())
    assert float(gate.open()) == pytest.approx(sampled, abs=3e-3)


def test_that_a_start_is_the_probability_asked_for():
    _, method = attached(**{"method.open": 0.8})
    assert float(method.quantity_values("fc1").mean()) == pytest.approx(0.8)
    assert float(method.quantity_values("fc3").std()) < 1e-6


def test_that_the_gate_of_evaluation_is_open_exactly_above_the_threshold():
    gate = HardConcreteGate(torch.ones(2001), 0.5)
    with torch.no_grad():
        gate.log_alpha.copy_(torch.linspace(-6, 6, 2001))
    assert torch.equal(gate.mask(), gate.sure() > 0)
    assert float(gate.open()[gate.mask()].min()) == pytest.approx(OPENS_AT, abs=2e-3)
    assert 0 < int(gate.mask().sum()) < 2001


@pytest.mark.parametrize("scale", ["sum", "mean", "layer_mean"])
def test_that_the_penalty_and_its_gradient_are_those_of_the_expected_number_of_open_gates(scale):
    _, method = attached(**{"penalty.scale": scale})
    method.set_lambdas(7.0, 0.3)
    sizes = {"fc1": 235_200, "fc2": 30_000, "fc3": 1000}
    total = torch.zeros(())
    for parameter, (name, size) in zip(method.parameters(), sizes.items(), strict=True):
        with torch.no_grad():
            parameter.uniform_(-4, 4)
        weight = {"sum": 1, "mean": 1 / 266_200, "layer_mean": 1 / size}[scale]
        open_ = torch.sigmoid(parameter - 2 / 3 * torch.log(torch.tensor(0.1 / 1.1)))  # equation 12
        total = total + 0.3 * weight * open_.sum()
        parameter.grad = torch.zeros_like(parameter)
        torch.testing.assert_close(method.quantity_values(name), open_.detach())
    expected = torch.autograd.grad(total, method.parameters())
    method.after_backward()
    for parameter, gradient in zip(method.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    assert float(method.penalties()[1]) == pytest.approx(float(total.detach()), rel=1e-5)


def test_that_every_step_draws_anew_and_evaluation_never():
    model, method = attached(**{"method.open": 0.5})
    seen = []
    for _ in range(2):
        method.draw()
        seen.append(model.fc1.weight.detach().clone())
        seen.append(model.eval().fc1.weight.detach().clone())
        model.train()
    assert not torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    closed = float((seen[0] == 0).float().mean())
    assert closed == pytest.approx(0.5, abs=0.01)


def test_that_gradients_reach_weights_and_gates():
    model, method = attached(**{"method.open": 0.5})
    method.draw()
    model(torch.randn(4, 1, 28, 28)).square().sum().backward()
    weight, gate = method.layers["fc1"].parametrizations.weight.original.grad, method.parameters()[0].grad
    assert weight.count_nonzero() > 10_000
    assert gate.count_nonzero() > 10_000


def test_that_freezing_changes_no_answer_and_only_once():
    model, method = attached()
    with torch.no_grad():
        for parameter in method.parameters():
            parameter.uniform_(-6, 4)
    images = torch.randn(4, 1, 28, 28)
    before = model.eval()(images)
    masks = {name: method.mask(name).clone() for name in method.layers}
    for _ in range(2):
        method.freeze()
        torch.testing.assert_close(model(images), before)
        torch.testing.assert_close(model.train()(images), before)
        model.eval()
    for name, mask in masks.items():
        assert torch.equal(method.mask(name), mask)
        assert torch.equal(method.quantity_values(name) > 0.5, mask)
