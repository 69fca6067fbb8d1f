"""Laws of the gates: the paper's formulas, checked in float64."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from sparseviz.methods.gates import Gate, clip, gate_scale, masked, penalty, penalty_gradient
from sparseviz.values.prior import Prior

lambdas = st.floats(1e-4, 10)
unit = st.floats(0, 1)


def turning_point(lambda1, lambda2):
    return Prior(lambda1, lambda2, start=0.75).turning_point


def random_gate(estimator="clip", draw="threshold", shape=(4, 3)):
    torch.manual_seed(0)
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    gate = Gate(weight, 0.6, draw, estimator)
    with torch.no_grad():
        gate.parameter.uniform_(-0.4, 1.4)
    return weight, gate


def test_that_clip_is_zero_below_zero_one_above_one_and_the_identity_between():
    assert clip(torch.tensor([-3.0, 0.0, 0.25, 1.0, 7.0])).tolist() == [0, 0, 0.25, 1, 1]


@given(g=st.lists(unit, min_size=1, max_size=8), lambda1=lambdas, lambda2=lambdas)
def test_that_the_penalty_is_the_formula_of_equation_2(g, lambda1, lambda2):
    by_hand = sum(lambda1 * x * (1 - x) + lambda2 * x for x in g)
    assert float(penalty(torch.tensor(g, dtype=torch.float64), lambda1, lambda2)) == pytest.approx(by_hand)


@given(g=st.floats(0.01, 0.99), lambda1=lambdas, lambda2=lambdas)
def test_that_the_penalty_gradient_is_its_finite_difference(g, lambda1, lambda2):
    step = 1e-6
    ends = [penalty(torch.tensor([g + side], dtype=torch.float64), lambda1, lambda2) for side in (-step, step)]
    slope = float(penalty_gradient(torch.tensor([g], dtype=torch.float64), lambda1, lambda2))
    assert slope == pytest.approx(float(ends[1] - ends[0]) / (2 * step), abs=1e-6)


@given(lambda1=lambdas, lambda2=lambdas)
def test_that_the_pull_vanishes_at_the_turning_point_and_changes_sign_there(lambda1, lambda2):
    turn = turning_point(lambda1, lambda2)
    assert turn == pytest.approx((lambda1 + lambda2) / (2 * lambda1))
    around = torch.tensor([turn - 0.1, turn, turn + 0.1], dtype=torch.float64)
    below, at, above = penalty_gradient(around, lambda1, lambda2).tolist()
    assert below > 0 > above  # descent leads down below the point and up above it
    assert at == pytest.approx(0, abs=1e-9)


@given(lambda1=lambdas, lambda2=lambdas)
def test_that_a_basin_at_one_exists_only_where_lambda1_exceeds_lambda2(lambda1, lambda2):
    assume(abs(lambda1 - lambda2) > 1e-9)
    pull_at_one = float(penalty_gradient(torch.ones(1, dtype=torch.float64), lambda1, lambda2))
    assert (turning_point(lambda1, lambda2) < 1) == (lambda2 < lambda1)
    assert (pull_at_one < 0) == (lambda2 < lambda1)


def test_that_without_a_bimodal_penalty_there_is_no_turning_point():
    assert turning_point(0, 0.5) == math.inf


def test_that_the_scales_are_a_sum_a_mean_over_the_network_and_a_mean_over_the_layer():
    assert gate_scale("sum", 500, 430_500) == 1
    assert gate_scale("mean", 500, 430_500) == 1 / 430_500
    assert gate_scale("layer_mean", 500, 430_500) == 1 / 500
    assert gate_scale("layer_mean", 500, 430_500) / gate_scale("mean", 500, 430_500) == pytest.approx(861)


@pytest.mark.parametrize("estimator", ["clip", "plain", "sigmoid"])
def test_that_the_gradients_are_those_of_the_straight_through_estimator(estimator):
    weight, gate = random_gate(estimator)
    inputs = torch.randn(5, 3, dtype=torch.float64)
    effective = gate(weight)
    effective.retain_grad()
    (inputs @ effective.T).square().sum().backward()
    upstream = effective.grad
    assert upstream is not None
    g = gate.parameter.sigmoid() if estimator == "sigmoid" else gate.parameter
    chain = g * (1 - g) if estimator == "sigmoid" else 1
    torch.testing.assert_close(weight.grad, upstream * (g >= 0.5))
    torch.testing.assert_close(gate.parameter.grad, upstream * weight * chain)


def test_that_the_gradient_of_the_weight_is_its_finite_difference():
    weight, gate = random_gate()
    assert torch.autograd.gradcheck(lambda w: gate(w).sin(), (weight,))


@pytest.mark.parametrize("estimator", ["clip", "plain", "sigmoid"])
def test_that_the_penalty_gradient_added_to_the_gates_is_that_of_the_formula(estimator):
    _, gate = random_gate(estimator)
    lambda1, lambda2, scale = (torch.tensor(value, dtype=torch.float64) for value in (0.3, 0.2, 0.5))
    g = gate.parameter.sigmoid() if estimator == "sigmoid" else clip(gate.parameter)
    (expected,) = torch.autograd.grad(scale * penalty(g, lambda1, lambda2), gate.parameter)
    gate.add_penalty_gradient(lambda1, lambda2, 0.5)
    found = gate.parameter.grad
    assert found is not None
    if estimator == "clip":  # projected: inside [0, 1] by the time it counts, so compare there
        inside = (gate.parameter > 0) & (gate.parameter < 1)
        found, expected = found[inside], expected[inside]
    torch.testing.assert_close(found, expected)


def test_that_the_penalty_gradient_adds_to_the_gradient_of_the_loss():
    weight, gate = random_gate()
    gate.project()  # as after every update
    gate(weight).sum().backward()
    assert gate.parameter.grad is not None
    before = gate.parameter.grad.clone()
    one = torch.ones((), dtype=torch.float64)
    gate.add_penalty_gradient(one, one, 1.0)
    torch.testing.assert_close(gate.parameter.grad, before + 2 - 2 * gate.gates())


def test_that_only_clip_projects_the_gates():
    for estimator in ("clip", "plain", "sigmoid"):
        _, gate = random_gate(estimator)
        before = gate.parameter.detach().clone()
        gate.project()
        moved = not torch.equal(before, gate.parameter)
        assert moved == (estimator == "clip")
        assert gate.gates().min() >= 0
        assert gate.gates().max() <= 1


@pytest.mark.parametrize("estimator", ["clip", "plain", "sigmoid"])
def test_that_gates_start_at_the_value_that_was_asked_for(estimator):
    gate = Gate(torch.zeros(3, dtype=torch.float64), 0.75, "threshold", estimator)
    torch.testing.assert_close(gate.gates(), torch.full((3,), 0.75, dtype=torch.float64), rtol=1e-6, atol=1e-6)


def test_that_a_gate_at_the_threshold_is_open():
    gate = Gate(torch.ones(1), 0.5, "threshold", "clip")
    assert gate.mask().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_that_the_gate_just_below_the_threshold_is_shut_and_its_weight_a_positive_zero(dtype):
    half = torch.tensor(0.5, dtype=dtype)
    gate = Gate(torch.ones(3, dtype=dtype), 0.5, "threshold", "clip")
    with torch.no_grad():
        gate.parameter.copy_(torch.stack([half.nextafter(half - 1), half, half.nextafter(half + 1)]))
    effective = gate(torch.full((3,), -2.0, dtype=dtype))
    assert effective.tolist() == [0, -2, -2]
    assert effective.signbit().tolist() == [False, True, True]
    assert gate.mask().tolist() == [False, True, True]


@pytest.mark.parametrize("estimator", ["clip", "plain"])
def test_that_a_weight_of_one_input_channel_keeps_its_memory_format_through_the_gate(estimator):
    torch.manual_seed(0)
    weight = torch.randn(4, 1, 5, 5).to(memory_format=torch.channels_last).requires_grad_()
    effective = Gate(weight, 0.75, "threshold", estimator)(weight)
    assert effective.stride() == weight.stride()


def test_that_bernoulli_draws_are_open_as_often_as_the_gate_says():
    torch.manual_seed(1)
    gate = Gate(torch.ones(20_000), 0.3, "bernoulli", "clip")
    gate.redraw()
    drawn = gate(torch.ones(20_000)).detach()
    assert float(drawn.mean()) == pytest.approx(0.3, abs=0.02)


def test_that_evaluation_and_frozen_gates_use_the_threshold_mask():
    weight = torch.ones(1000)
    gate = Gate(weight, 0.6, "bernoulli", "clip")
    gate.redraw()
    assert 0 < float(gate(weight).detach().mean()) < 1
    gate.eval()
    assert float(gate(weight).detach().mean()) == 1
    gate.train()
    gate.freeze()
    assert float(gate(weight).detach().mean()) == 1


def test_that_frozen_gates_learn_nothing_and_still_mask_the_weights_gradient():
    weight, gate = random_gate()
    gate.freeze()
    gate(weight).sum().backward()
    assert gate.parameter.grad is None
    assert not gate.parameter.requires_grad
    torch.testing.assert_close(weight.grad, gate.mask().double())


@pytest.mark.parametrize("frozen", [False, True])
def test_that_the_mask_keeps_the_memory_format_of_a_one_channel_convolution(frozen):
    conv = nn.Conv2d(1, 20, 5).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    gate = Gate(conv.weight, 0.75, "threshold", "clip")
    if frozen:
        gate.freeze()
    assert gate(conv.weight).stride() == conv.weight.stride() == (25, 1, 5, 1)


def test_that_masking_equals_the_plain_product():
    torch.manual_seed(2)
    for shape in [(3,), (2, 5), (4, 1, 3, 3)]:
        weight = torch.randn(shape)
        mask = (torch.rand(shape) > 0.5).float()
        torch.testing.assert_close(masked(weight, mask), weight * mask)


KINDS = ("output", "input", "output+input", "weight+output", "weight+input", "weight+output+input")


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2, 2)])
@pytest.mark.parametrize("granularity", KINDS)
def test_that_unit_gates_get_the_gradient_of_all_their_weights(granularity, shape):
    torch.manual_seed(0)
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    gate = Gate(weight, 0.6, "threshold", "plain", granularity)
    with torch.no_grad():
        for parameter in gate.sets.values():
            parameter.uniform_(0, 1)
    upstream = torch.randn(shape, dtype=torch.float64)
    (gate(weight) * upstream).sum().backward()
    # The slow twin: masks that are the gates themselves plus a constant, so that d mask / d gate = 1.
    gates = [parameter.detach().clone().requires_grad_() for parameter in gate.sets.values()]
    twin = weight.detach()
    for parameter in gates:
        twin = twin * (parameter + ((parameter >= 0.5).double() - parameter).detach())
    (twin * upstream).sum().backward()
    for parameter, expected in zip(gate.sets.values(), gates, strict=True):
        torch.testing.assert_close(parameter.grad, expected.grad)
    torch.testing.assert_close(weight.grad, upstream * gate.mask())


@pytest.mark.parametrize("granularity", KINDS)
def test_that_a_weight_is_kept_where_all_its_gates_are_open(granularity):
    torch.manual_seed(1)
    gate = Gate(torch.ones(5, 4, 3, 3), 0.6, "threshold", "clip", granularity)
    with torch.no_grad():
        for parameter in gate.sets.values():
            parameter.uniform_(0, 1)
    expected = torch.ones(5, 4, 3, 3, dtype=torch.bool)
    for parameter in gate.sets.values():
        expected &= parameter >= 0.5
    assert torch.equal(gate.mask(), expected)
    assert torch.equal(gate.gates() >= 0.5, expected)


def test_that_a_unit_gates_penalty_counts_the_weights_that_it_closes():
    gate = Gate(torch.ones(5, 4, 3, 3), 0.75, "threshold", "clip", "output+input")
    bimodal, count = gate.penalty_sums("l1")
    assert float(count) == pytest.approx(2 * 180 * 0.75)
    assert float(bimodal) == pytest.approx(2 * 180 * 0.75 * 0.25)
    one = torch.ones(())
    gate.add_penalty_gradient(one, one, 0.5)
    for parameter, fan in ((gate.sets["output"], 36), (gate.sets["input"], 45)):
        torch.testing.assert_close(parameter.grad, torch.full_like(parameter, 0.5 * fan * (1 - 1.5 + 1)))


@given(g=st.floats(0.01, 0.99), lambda1=lambdas, lambda2=lambdas)
def test_that_the_squared_count_has_its_own_gradient(g, lambda1, lambda2):
    step = 1e-6
    ends = [penalty(torch.tensor([g + side], dtype=torch.float64), lambda1, lambda2, "l2") for side in (-step, step)]
    slope = float(penalty_gradient(torch.tensor([g], dtype=torch.float64), lambda1, lambda2, "l2"))
    assert slope == pytest.approx(float(ends[1] - ends[0]) / (2 * step), abs=1e-6)


def test_that_gates_start_from_magnitude_with_the_largest_open_and_the_rest_just_shut():
    weight = torch.tensor([[0.1, -4.0, 2.0, 0.3], [3.0, -0.2, 0.0, 1.0]])
    gate = Gate(weight, 0.75, "threshold", "clip", top_share=3 / 8)
    assert gate.parameter.tolist() == [
        [pytest.approx(0.49), 1, 1, pytest.approx(0.49)],
        [1, pytest.approx(0.49), pytest.approx(0.49), pytest.approx(0.49)],
    ]
    units = Gate(weight, 0.75, "threshold", "clip", "output", top_share=0.5)
    assert units.mask().tolist() == [[True] * 4, [False] * 4]
