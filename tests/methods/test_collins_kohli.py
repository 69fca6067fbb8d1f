"""Thresholding as a regulariser: layer after layer, with a way back until the end."""

import copy

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name

from sparseviz.methods.collins_kohli import CollinsKohli
from tests.helpers.pruning import trained

SETTINGS = {"method__every": 2, "method__keep": 0.1, "schedule__ramp_until": 0.8}  # of 10 steps; layers at 0 and 4


def kept(one):
    return {layer: int(one.method.mask(layer).sum()) for layer in one.method.layers}


def test_that_layers_come_under_it_one_after_another_and_the_share_is_that_asked_for():
    seen = [kept(one) for one in trained("collins-kohli", 10, **SETTINGS)]
    whole, share = {"fc1": 9408, "fc2": 120}, {"fc1": 941, "fc2": 12}
    assert seen[0] == whole
    first = {layer for layer in whole if seen[1][layer] < whole[layer]}
    assert len(first) == 1
    assert all(seen[step][layer] == whole[layer] for step in range(4) for layer in whole.keys() - first)
    assert seen[-1] == share
    assert all(seen[-1][layer] == seen[-2][layer] for layer in whole)  # for good


def test_that_a_weight_learns_between_two_projections_and_may_return():
    was, returned, grew = None, False, False
    for one in trained("collins-kohli", 10, **SETTINGS, optimizer__rate=0.02):
        mask, weight = one.method.mask("fc1").clone(), one.method.weight("fc1").detach()
        if was is not None:
            returned |= bool((mask & ~was).any())
        grew |= bool((weight[~mask] != 0).any())
        was = mask
    assert grew
    assert returned


def test_that_evaluation_leaves_out_what_is_below_the_bar_and_training_does_not():
    *_, one = trained("collins-kohli", 2, **SETTINGS)
    layer = min(kept(one), key=lambda name: kept(one)[name] / one.method.mask(name).numel())
    weight, mask, module = one.method.weight(layer), one.method.mask(layer), one.method.layers[layer]
    with torch.no_grad():
        weight.masked_fill_(~mask, 1e-5)
    assert torch.equal(module.weight, weight)
    one.model.eval()
    assert torch.equal(module.weight, weight * mask)


def test_that_the_layer_whose_projection_costs_least_for_each_weight_is_chosen():
    (one,) = trained("collins-kohli", 0, **SETTINGS)
    method, images = one.method, list(one._batches.sample(60))
    assert isinstance(method, CollinsKohli)

    @torch.no_grad()
    def loss(model):
        return sum(float(F.cross_entropy(model(batch), labels, reduction="sum")) for batch, labels in images)

    plain = copy.deepcopy(one.model).eval()
    costs = {}
    for layer in method.layers:
        twin = copy.deepcopy(plain)
        weight = twin.get_parameter(f"{layer}.parametrizations.weight.original")
        number = round(0.1 * weight.numel())
        with torch.no_grad():
            weight[weight.abs() < weight.abs().flatten().sort().values[-number]] = 0
        costs[layer] = (loss(twin) - loss(plain)) / (weight.numel() - number)
    method.on_data(one.model, images)
    method.before_step(0)
    cut = {layer for layer in method.layers if not method.mask(layer).all()}
    assert cut == {min(costs, key=lambda layer: costs[layer])}
