"""Laws of the prior: the same formulas as the gates of a network, and densities that are densities."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from sparseviz.methods import gates
from sparseviz.values.prior import THRESHOLD, Prior, WeightPrior

lambdas = st.one_of(st.just(0.0), st.floats(1e-4, 10))
unit = st.floats(0, 1)
weight_priors = st.builds(
    WeightPrior, alpha=unit, sigma=st.floats(0.3, 3), k=st.floats(0.5, 5), scale=st.floats(0.3, 3)
)
G = np.linspace(0, 1, 21)


def tensors(g):
    return [torch.tensor([value], dtype=torch.float64) for value in g]


@given(lambda1=lambdas, lambda2=lambdas, squared=st.booleans())
def test_that_penalty_and_pull_are_those_of_the_gates_of_a_network(lambda1, lambda2, squared):
    prior = Prior(lambda1, lambda2, 0.5, squared=squared)
    count: gates.Count = "l2" if squared else "l1"
    penalties = [float(gates.penalty(g, lambda1, lambda2, count)) for g in tensors(G)]
    pulls = [float(gates.penalty_gradient(g, lambda1, lambda2, count)) for g in tensors(G)]
    assert prior.penalty(G) == pytest.approx(np.array(penalties))
    assert prior.pull(G) == pytest.approx(np.array(pulls), abs=1e-12)
    if prior.turning_point < 1:
        assert prior.pull(np.array([prior.turning_point])) == pytest.approx(0, abs=1e-9)
    else:
        assert prior.pull(G).min() >= -1e-9


@given(lambda1=lambdas, lambda2=lambdas)
def test_that_the_pull_of_each_part_is_the_finite_difference_of_that_part(lambda1, lambda2):
    prior, step = Prior(lambda1, lambda2, 0.5), 1e-6
    parts = ((prior.bimodal, prior.bimodal_pull), (prior.count, prior.count_pull), (prior.penalty, prior.pull))
    for value, slope in parts:
        assert slope(G) == pytest.approx((value(G + step) - value(G - step)) / (2 * step), abs=1e-6)


def descended(prior, g):
    """Plain gradient descent on the penalty, projected on [0, 1] after every step, from many gates at once."""
    rate = 0.05 / max(prior.lambda1, prior.lambda2, 1e-300)
    for _ in range(1500):
        g = np.clip(g - rate * prior.pull(g), 0, 1)
    return g


@given(lambda1=lambdas, lambda2=lambdas)
def test_that_gradient_descent_takes_every_gate_where_it_is_said_to_be_pulled(lambda1, lambda2):
    assume(lambda1 == 0 or abs(lambda1 - lambda2) > 1e-3 * lambda1)
    prior = Prior(lambda1, lambda2, 0.5)
    starts = np.linspace(0, 1, 41)
    starts = starts[np.abs(starts - prior.turning_point) > 1e-3]  # nearer, it takes too long to leave
    ends = descended(prior, starts)
    assert ends.tolist() == pytest.approx([prior.pulled_to(g) for g in starts])
    assert prior.basins == (0 if lambda1 == lambda2 == 0 else 1 + int(lambda2 < lambda1))


def test_that_a_gate_rests_on_the_turning_point_and_where_nothing_pulls():
    assert Prior(1.0, 0.5, 0.5).pulled_to(0.75) == 0.75
    assert Prior(1.0, 1.0, 0.5).pulled_to(1.0) == 1.0  # the pull is 0 there
    assert [Prior(0.0, 0.0, 0.5).pulled_to(g) for g in (0.0, 0.3, 1.0)] == [0.0, 0.3, 1.0]


def test_that_without_lambda1_the_penalty_turns_nowhere_and_every_gate_goes_to_0():
    prior = Prior(0.0, 0.1, 0.5)
    assert (prior.turning_point, prior.basins) == (math.inf, 1)
    assert prior.bimodal(G).tolist() == [0] * len(G)
    assert [prior.pulled_to(g) for g in (0.0, 0.5, 1.0)] == [0, 0, 0]


def test_that_without_lambda2_the_basins_meet_at_the_threshold():
    prior = Prior(0.1, 0.0, 0.5)
    assert (prior.turning_point, prior.basins) == (THRESHOLD, 2)
    assert [prior.pulled_to(g) for g in (0.49, 0.51)] == [0, 1]


def test_that_without_a_penalty_all_is_0_and_there_is_no_basin():
    prior = Prior(0.0, 0.0, 0.5)
    assert prior.basins == 0
    assert not prior.penalty(G).any()
    assert not prior.pull(G).any()


@given(prior=weight_priors)
def test_that_both_densities_integrate_to_1_and_are_0_outside(prior):
    edges = np.linspace(-prior.k, prior.k, 20_001)
    middles = (edges[:-1] + edges[1:]) / 2  # an even number: none of them is 0
    for density in (prior.density, prior.lasso_density):
        assert density(middles).mean() * 2 * prior.k == pytest.approx(1, abs=1e-5)
        assert density(np.array([-1.01, 1.01]) * prior.k).tolist() == [0, 0]


@given(prior=weight_priors)
def test_that_the_density_is_the_product_of_the_paper_up_to_one_factor(prior):
    w = np.linspace(-prior.k, prior.k, 41)  # 0 among them
    w[20] = 0
    spike = np.exp(-(1 - (w == 0).astype(float))) ** prior.alpha
    normal = np.exp(-(w**2) / (2 * prior.sigma**2)) / math.sqrt(2 * math.pi * prior.sigma**2)
    ratio = prior.density(w) / (spike * normal ** (1 - prior.alpha))
    assert ratio == pytest.approx(np.full(41, ratio[0]), rel=1e-9)


@given(prior=weight_priors)
def test_that_the_spike_is_a_point_that_stands_out_of_the_slab_by_exp_alpha(prior):
    at, beside = prior.density(np.array([0.0, 1e-9]))
    assert at == pytest.approx(prior.spike)
    assert beside == pytest.approx(prior.slab)
    assert at / beside == pytest.approx(math.exp(prior.alpha))


@given(prior=weight_priors)
def test_that_the_negative_log_is_an_l0_and_an_l2_term_against_an_l1_term(prior):
    w = np.array([-0.9, -0.1, 0.0, 0.2, 1.0]) * prior.k
    l0, l1, l2 = (w != 0).astype(float), np.abs(w), w**2
    both = -np.log(prior.density(w)) + math.log(prior.spike)
    lasso = -np.log(prior.lasso_density(w)) + np.log(prior.lasso_density(np.zeros(1)))
    assert both == pytest.approx(prior.alpha * l0 + (1 - prior.alpha) / (2 * prior.sigma**2) * l2, abs=1e-9)
    assert both == pytest.approx(prior.cost(w), abs=1e-9)
    assert lasso == pytest.approx(l1 / prior.scale, abs=1e-9)
    assert lasso == pytest.approx(prior.lasso_cost(w), abs=1e-9)


def test_that_a_prior_of_the_spike_alone_has_a_flat_slab():
    prior = WeightPrior(alpha=1.0, k=2.0)
    assert prior.density(np.array([-2.0, -0.5, 1.5])) == pytest.approx(np.full(3, 0.25))
