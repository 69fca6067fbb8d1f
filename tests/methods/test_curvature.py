"""Optimal Brain Damage and Surgeon beside slow, exact twins: the full Hessian of a tiny network."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import nn
from torch.autograd.functional import hessian
from torch.func import functional_call

from sparseviz.config import RunConfig
from sparseviz.methods.curvature import gauss_newton_diagonal, input_moments
from sparseviz.methods.obd import OptimalBrainDamage
from sparseviz.methods.obs import BLOCK, OptimalBrainSurgeon, corrected, damped, output_power, saliencies
from sparseviz.networks import layers


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3))


def convolution() -> nn.Module:
    conv = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), conv, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6, 3))


@pytest.fixture(params=[linear, convolution])
def model(request):
    torch.manual_seed(0)
    return request.param().double()


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(24, 1, 6, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(3, (24,), generator=generator)
    return list(zip(images.split(10), labels.split(10), strict=True))


def full_diagonal(model, batches, name):
    """The diagonal of the Hessian of the mean loss by one layer's weights, entry by entry."""
    images, labels = (torch.cat(part) for part in zip(*batches, strict=True))
    weight = f"{name}.weight"

    def loss(flat):
        answers = functional_call(model.eval(), {weight: flat.reshape(model.get_parameter(weight).shape)}, images)
        return F.cross_entropy(answers, labels)

    return hessian(loss, model.get_parameter(weight).detach().flatten()).diagonal()


def test_that_the_gauss_newton_diagonal_is_the_hessians_own_where_a_network_is_linear_in_pieces(model, batches):
    # each answer is linear in any single weight, so the network's own second derivatives vanish on the diagonal
    found = gauss_newton_diagonal(model, layers(model), batches)
    for name, diagonal in found.items():
        torch.testing.assert_close(diagonal.flatten(), full_diagonal(model, batches, name))
        assert diagonal.max() > 1e-4


def test_that_the_brain_damage_saliency_is_the_loss_that_the_full_hessian_foretells(batches):
    torch.manual_seed(0)
    model = linear().double()
    twin = {name: full_diagonal(model, batches, name) for name in ("1", "4")}
    weights = {name: model.get_parameter(f"{name}.weight").detach().clone() for name in twin}
    method = OptimalBrainDamage(RunConfig().changed({"method.name": "obd"}), 10)
    method.attach(model)
    method.on_data(model, batches)
    for name, diagonal in twin.items():
        saliency = diagonal.reshape(weights[name].shape) * weights[name] ** 2 / 2
        torch.testing.assert_close(10 ** method.quantity_values(name), saliency.clamp_min(1e-20))
    every = torch.cat([(twin[name] * weights[name].flatten() ** 2) for name in twin])
    method.cut(0.25)
    kept = torch.cat([method.mask(name).flatten() for name in twin])
    assert torch.equal(kept, every >= every.sort().values[-int(kept.sum())])


def layer_hessian(weight, inputs):
    """The full Hessian, by all weights of a layer, of half its mean squared output error at the weights themselves."""

    def error(flat):
        return (F.linear(inputs, flat.reshape(weight.shape) - weight) ** 2).sum(dim=1).mean() / 2

    return hessian(error, weight.flatten())


@pytest.fixture
def layer():
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    inputs[:, 1] += inputs[:, 0]  # inputs that can stand in for each other
    return torch.randn(3, 6, generator=generator, dtype=torch.float64), inputs


def hessians(inputs):
    return [(inputs.T @ inputs / len(inputs))[None]]


def test_that_the_brain_surgeons_saliency_and_correction_are_those_of_the_full_hessian(layer):
    weight, inputs = layer
    inverse = torch.linalg.inv(layer_hessian(weight, inputs))
    every = torch.ones_like(weight, dtype=torch.bool)
    expected = weight.flatten() ** 2 / (2 * inverse.diagonal())  # equation 5
    torch.testing.assert_close(saliencies(weight, every, hessians(inputs)).flatten(), expected)
    for q in range(weight.numel()):
        left = every.flatten().clone()
        left[q] = False
        moved = weight.flatten() - weight.flatten()[q] / inverse[q, q] * inverse[:, q]  # equation 5
        found = corrected(weight, left.reshape(weight.shape), hessians(inputs))
        torch.testing.assert_close(found.flatten(), moved, atol=1e-12, rtol=1e-9)
        error = ((inputs @ (found - weight).T) ** 2).sum(dim=1).mean() / 2
        torch.testing.assert_close(error, expected[q])


def test_that_many_cuts_at_once_leave_the_least_squares_fit(layer):
    weight, inputs = layer
    mask = torch.rand(weight.shape, generator=torch.Generator().manual_seed(3)) < 0.5
    mask[2] = False  # a unit without inputs
    found = corrected(weight, mask, hessians(inputs))
    for row, kept in enumerate(mask):
        fit = torch.linalg.lstsq(inputs[:, kept], inputs @ weight[row]).solution if kept.any() else torch.zeros(0)
        torch.testing.assert_close(found[row, kept], fit.double())
        assert not found[row, ~kept].any()


def test_that_a_later_round_reckons_with_what_a_unit_has_lost(layer):
    weight, inputs = layer
    mask = torch.ones_like(weight, dtype=torch.bool)
    mask[1, 0] = False
    weight = weight * mask
    found = saliencies(weight, mask, hessians(inputs))
    rest = [1, 2, 3, 4, 5]
    inverse = torch.linalg.inv(hessians(inputs)[0][0][rest][:, rest])
    torch.testing.assert_close(found[1, rest], weight[1, rest] ** 2 / (2 * inverse.diagonal()))
    assert found[1, 0] == 0


def test_that_the_moments_are_those_of_what_the_layers_read(model, batches):
    found = input_moments(model, layers(model), batches, BLOCK)
    images = torch.cat([images for images, _ in batches])
    model.eval()
    for name, module in layers(model).items():
        read = nn.Sequential(*list(model)[: int(name)])(images)
        if isinstance(module, nn.Linear):
            patches = read.T[None]
        else:
            parts = read.chunk(module.groups, dim=1)
            padding, stride = (1, 2) if name == "2" else (0, 1)
            unfolded = [F.unfold(part, 3, padding=padding, stride=stride) for part in parts]
            patches = torch.stack([part.transpose(0, 1).flatten(1) for part in unfolded])
        torch.testing.assert_close(found[name], [patches @ patches.mT / len(images)])


def test_that_blocks_leave_out_only_what_lies_between_them(model, batches):
    whole = input_moments(model, layers(model), batches, BLOCK)
    for name, parts in input_moments(model, layers(model), batches, 4).items():
        for number, part in enumerate(parts):
            place = slice(4 * number, 4 * number + part.shape[-1])
            torch.testing.assert_close(part, whole[name][0][:, place, place])
    weight = layers(model)[next(iter(whole))].weight.detach().flatten(1)
    assert output_power(weight, whole[next(iter(whole))]) > 0


def test_that_damping_makes_a_hessian_of_silent_inputs_invertible():
    moments = [torch.zeros(1, 4, 4)]
    moments[0][0, 0, 0] = 8
    found = damped(moments, 0.01)[0][0]
    torch.testing.assert_close(found.diagonal(), torch.tensor([8.02, 0.02, 0.02, 0.02]))


def test_that_the_surgeons_correction_keeps_a_networks_answers_nearer(batches):
    torch.manual_seed(0)
    model = convolution()
    images = torch.cat([images for images, _ in batches]).float()
    before = model.eval()(images).detach()
    model.train()
    method = OptimalBrainSurgeon(RunConfig().changed({"method.name": "obs", "method.share_of": "layer"}), 10)
    method.attach(model)
    weights = {name: method.weight(name).detach().clone() for name in method.layers}
    method.on_data(model, [(images.float(), labels) for images, labels in batches])
    method.cut(0.6)
    model.eval()
    mended = (model(images) - before).norm()
    with torch.no_grad():
        for name, weight in weights.items():
            method.weight(name).copy_(weight)
    assert mended < 0.8 * (model(images) - before).norm()
