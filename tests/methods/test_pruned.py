"""Methods that cut in rounds: how much, what, and that it stays so."""

import pytest
import torch
from torch.nn.utils import prune

from sparseviz.config import RunConfig
from sparseviz.config.parts import MethodConfig
from sparseviz.data import load_data
from sparseviz.methods import METHODS
from sparseviz.methods.magnitude import Magnitude
from sparseviz.methods.pruned import largest, share_after
from sparseviz.networks import lenet300
from sparseviz.networks.baked import baked_model
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader
from sparseviz.training.evaluation import evaluate
from tests.helpers.pruning import SETTINGS, trained
from tests.helpers.runs import short

SHARED = ["magnitude", "l1", "obd", "obs"]  # whose share is of weights
FINAL = [*SHARED, "data-free"]  # where what is cut stays cut


@pytest.mark.parametrize("share_of", ["network", "layer"])
@pytest.mark.parametrize("decline", ["geometric", "cubic"])
@pytest.mark.parametrize("name", SHARED)
def test_that_the_share_asked_for_is_the_share_cut(name, decline, share_of):
    for one in trained(name, 10, method__share_of=share_of, method__decline=decline):
        done = one
    kept = {layer: int(done.method.mask(layer).sum()) for layer in done.method.layers}
    if share_of == "layer":
        assert kept == {"fc1": round(0.1 * 9408), "fc2": 12}
    else:
        assert sum(kept.values()) == round(0.1 * 9528)


def test_that_equal_quantities_do_not_change_the_share():
    (mask,), bar = largest([torch.zeros(10)], [torch.ones(10, dtype=torch.bool)], 0.3)
    assert int(mask.sum()) == 3
    assert float(bar) == 0


def test_that_nothing_that_was_cut_is_taken_to_fill_a_share():
    before = torch.tensor([True, False, False, True])
    (mask,), bar = largest([torch.tensor([1.0, 9, 9, 2])], [before], 0.75)
    assert torch.equal(mask, before)
    assert float(bar) == 1


def test_that_a_layers_cut_is_that_of_torchs_own_pruning():
    torch.manual_seed(0)
    model, twin = lenet300(), lenet300()
    twin.load_state_dict(model.state_dict())
    method = Magnitude(RunConfig().changed({"method.name": "magnitude", "method.share_of": "layer"}), 10)
    method.attach(model)
    for keep in (0.5, 0.2):
        method.cut(keep)
    for layer in ("fc1", "fc2", "fc3"):
        module = prune.l1_unstructured(twin.get_submodule(layer), "weight", amount=0.8)
        assert torch.equal(method.mask(layer), module.weight_mask.bool())


@pytest.mark.parametrize("decline", ["geometric", "cubic"])
def test_that_the_shares_fall_as_the_source_says(decline):
    method = MethodConfig(keep=0.1, rounds=4, decline=decline)
    shares = [share_after(number, method) for number in range(5)]
    cubic = [1 - 0.9 + 0.9 * (1 - number / 4) ** 3 for number in range(5)]  # s_i = 0, s_f = 0.9
    assert shares == pytest.approx(cubic if decline == "cubic" else [1, 0.1**0.25, 0.1**0.5, 0.1**0.75, 0.1])


@pytest.mark.parametrize("name", ["magnitude", "collins-kohli"])
@pytest.mark.parametrize("end", [0.5, 0.7, 1.0])
def test_that_the_last_cut_falls_before_the_masks_freeze_where_the_ramp_ends(name, end):
    phases = {"schedule__ramp_until": end, "schedule__decide_from": end, "schedule__freeze_from": end}
    *_, one = trained(name, 10, **phases, method__share_of="layer")
    assert int(one.method.mask("fc1").sum()) == round(0.1 * 9408)


@pytest.mark.parametrize("name", FINAL)
def test_that_what_was_cut_stays_cut_and_is_zero(name):
    settings = {"network": "lenet300", "method__keep": 0.3} if name == "data-free" else {}
    last, cut = None, 0
    for one in trained(name, 10, method__proximal=False, **settings):
        masks = {layer: one.method.mask(layer).clone() for layer in one.method.layers}
        if last:
            assert not any((masks[layer] & ~last[layer]).any() for layer in masks)
        for layer, mask in masks.items():
            assert not one.method.layers[layer].weight[~mask].any()
        last, cut = masks, sum(int((~mask).sum()) for mask in masks.values())
    assert cut > 1000


@pytest.mark.parametrize("name", METHODS)
def test_that_the_file_holds_the_network_that_was_judged(name, tmp_path):
    path = record_run(short(SETTINGS | {"method.name": name, "network": "lenet300"}), tmp_path / "run.h5")
    with RunReader(path) as run:
        model = baked_model("lenet300", run.checkpoint())
        data = load_data(run.config.data)
        assert evaluate(model, data.validation)[1] == pytest.approx(run.errors.validation)
        assert evaluate(model, data.test)[1] == pytest.approx(run.errors.test)
        assert evaluate(model, data.validation)[0] == pytest.approx(
            run.snapshots()[-1].scalars["validation_loss"], rel=1e-4
        )


@pytest.mark.parametrize("name", ["collins-kohli", "obd", "obs"])
def test_that_reading_images_leaves_model_and_generator_alone(name):
    (one,) = trained(name, 0)
    before = [parameter.clone() for parameter in one.model.parameters()]
    state = torch.get_rng_state()
    assert one.method.needs_data(0)
    one.method.on_data(one.model, one._batches.sample(100))
    assert torch.equal(torch.get_rng_state(), state)
    assert one.model.training
    assert all(torch.equal(was, parameter) for was, parameter in zip(before, one.model.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in one.model.parameters())


def test_that_the_images_that_are_read_are_spread_over_the_training_split_and_always_the_same():
    (one,) = trained("obd", 0, batch_size=32)
    first, again = ([images for images, _ in one._batches.sample(100)] for _ in range(2))
    assert [len(images) for images in first] == [32, 32, 32, 4]
    every = torch.cat(first)
    assert torch.equal(every, torch.cat(again))
    assert torch.equal(every, one.train.images[torch.arange(100) * len(one.train) // 100])
    assert sum(len(images) for images, _ in one._batches.sample(10**6)) == len(one.train)
