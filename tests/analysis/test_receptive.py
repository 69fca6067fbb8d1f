"""What a unit sees, against products of weight matrices and against a network that is shaken pixel by pixel."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from sparseviz.analysis.receptive import receptive_picture
from sparseviz.config import InputError
from sparseviz.networks.baked import baked_model
from tests.helpers.same import assert_same_checkpoint

IMAGE = (1, 28, 28)


def test_that_in_linear_layers_it_is_the_product_of_the_kept_magnitudes(gated):
    checkpoint = gated.checkpoints[max(gated.checkpoints)]
    kept = [
        np.abs(np.where(checkpoint.masks[name], checkpoint.parameters[f"{name}.weight"], 0)).astype(np.float64)
        for name in ("fc1", "fc2", "fc3")
    ]
    for layer, paths in (("fc1", kept[0]), ("fc2", kept[1] @ kept[0]), ("fc3", kept[2] @ kept[1] @ kept[0])):
        for unit in (0, 7):
            picture = receptive_picture("lenet300", checkpoint, layer, unit, IMAGE)
            np.testing.assert_allclose(picture.ravel(), paths[unit], rtol=1e-4, atol=1e-9)


def test_that_a_filter_sees_what_changes_the_middle_of_its_map(conv):
    checkpoint = conv.checkpoints[max(conv.checkpoints)]
    seen = receptive_picture("lenet5", checkpoint, "conv2", 4, IMAGE)[0] > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    # the middle of an 8 x 8 map is (4, 4): kernels of 5, a pool of 2 and kernels of 5 reach from 8 on for 14 pixels
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 21, 8, 21)
    model = baked_model("lenet5", checkpoint)
    values: list[torch.Tensor] = []
    model.get_submodule("conv2").register_forward_hook(lambda *call: values.append(call[2][0, 4, 4, 4]))
    image = torch.from_numpy(np.random.default_rng(0).random((1, *IMAGE), dtype=np.float32))
    model(image)
    for pixel in ((7, 14), (8, 8), (14, 14), (21, 21), (22, 14)):
        shaken = image.clone()
        shaken[0, 0, pixel[0], pixel[1]] += 100
        model(shaken)
        assert bool(values[-1] != values[0]) <= bool(seen[pixel]), pixel
    assert not seen[7, 14]


def test_that_a_unit_without_weights_sees_nothing(gated):
    checkpoint = gated.checkpoints[0]
    masks = {name: mask.copy() for name, mask in checkpoint.masks.items()}
    masks["fc1"][5] = False
    cut = type(checkpoint)(0, checkpoint.parameters, masks, checkpoint.quantities)
    assert not receptive_picture("lenet300", cut, "fc1", 5, IMAGE).any()
    assert receptive_picture("lenet300", cut, "fc1", 6, IMAGE).any()


def test_that_looking_leaves_the_checkpoint_and_the_random_numbers_alone(gated):
    checkpoint = gated.checkpoints[0]
    before, state = copy.deepcopy(checkpoint), torch.get_rng_state()
    receptive_picture("lenet300", checkpoint, "fc2", 1, IMAGE)
    assert_same_checkpoint(checkpoint, before)
    assert torch.equal(torch.get_rng_state(), state)


def test_that_a_unit_that_is_not_there_is_told(gated):
    with pytest.raises(InputError, match="layer 'fc2': what its unit 100 sees"):
        receptive_picture("lenet300", gated.checkpoints[0], "fc2", 100, IMAGE)


def test_that_pools_in_deeper_modules_are_followed():
    from sparseviz.analysis.receptive import _magnitudes

    plain = nn.Sequential(nn.Sequential(nn.MaxPool2d(2)), nn.Flatten(), nn.Linear(4, 1, bias=False))
    image = torch.ones(1, 1, 4, 4, requires_grad=True)
    with torch.no_grad():
        model = _magnitudes(plain)
    (strength,) = torch.autograd.grad(model(image).sum(), image)
    assert (strength > 0).all()
