"""What gets more from the method than the paper's plain schedule: each setting changes nothing until it is used."""

import math

import numpy as np
import pytest
import torch

from sparseviz.config import ConfigError, RunConfig
from sparseviz.data import Data, load_data
from sparseviz.networks import build
from sparseviz.training.optimizers import WeightAverage
from sparseviz.training.phases import Phases
from sparseviz.training.trainer import Trainer

# 24 steps, in which some weights are cut
QUICK = {"network": "lenet300", "epochs": 4, "batch_size": 200, "threads": 1, "record.snapshots": 24}
QUICK |= {"penalty.scale": "sum", "penalty.lambda1": 1e-5, "penalty.lambda2": 3e-5, "optimizer.gate_rate": 0.05}


@pytest.fixture(scope="module")
def data() -> Data:
    return load_data(RunConfig().data)


def trained(data, values=None):
    """A trainer at the end of its run, and the snapshots."""
    trainer = Trainer(RunConfig().changed(QUICK | (values or {})), data)
    return trainer, list(trainer.run())


def weights(trainer):
    return trainer.checkpoint().parameters["fc1.weight"]


def test_that_the_penalties_rise_in_equal_stairs():
    phases = Phases(ramp=10, train=40, decide=100, frozen=100, stairs=3)
    shares = [phases.penalty_share(step) for step in range(50)]
    assert shares == pytest.approx([0] * 10 + [1 / 3] * 10 + [2 / 3] * 10 + [1] * 20)


def test_that_several_draws_average_their_gradients(data):
    values = {"method.draw": "bernoulli", "gate.start": 0.6}
    spread = []
    for draws in (1, 16):
        trainer = Trainer(RunConfig().changed(QUICK | values | {"method.draws": draws}), data)
        images, labels = trainer._batches.at(0)
        found = []
        for _ in range(8):
            trainer.model.zero_grad()
            for _ in range(draws):
                trainer._stepper._backward(images, labels)
            gradient = trainer.method.parameters()[0].grad
            assert gradient is not None
            found.append(gradient.clone())
        spread.append(float(torch.stack(found).var(dim=0).mean()))
    assert spread[0] / spread[1] == pytest.approx(16, rel=0.4)


def test_that_draws_change_nothing_for_the_threshold_mask(data):
    assert np.array_equal(weights(trained(data)[0]), weights(trained(data, {"method.draws": 5})[0]))


def test_that_masks_freeze_when_few_enough_parameters_are_kept(data):
    trainer, run = trained(data, {"target.parameters_kept": 200_000})
    kept = [snapshot.scalars["parameters_kept"] for snapshot in run]
    reached = next(place for place, number in enumerate(kept) if number <= 200_000)
    assert 0 < reached < 20
    assert kept[reached:] == [kept[reached]] * (25 - reached)
    assert {snapshot.phase for snapshot in run[reached:]} == {"frozen"}
    assert [(event.step, event.name) for event in run[reached].events] == [(run[reached].step, "freeze")]
    assert trainer.method.frozen


def test_that_masks_freeze_when_the_validation_error_passes_its_bound(data):
    free = [snapshot.scalars["validation_error"] for snapshot in trained(data)[1]]
    bound = min(error for error in free[1:] if math.isfinite(error)) - 1
    _, run = trained(data, {"target.validation_error": bound})
    frozen = [snapshot.phase == "frozen" for snapshot in run]
    passed = [math.isfinite(snapshot.scalars["validation_error"]) for snapshot in run]
    assert frozen.index(True) == passed.index(True, 1)  # not at step 0, where no penalty has acted yet
    assert all(frozen[frozen.index(True) :])


def test_that_gates_may_have_plain_gradient_descent(data):
    trainer = Trainer(RunConfig().changed(QUICK | {"optimizer.gates": "sgd", "optimizer.gate_rate": 7.0}), data)
    trainer._train_step()
    gate = trainer.method.parameters()[0]
    assert gate.grad is not None
    expected = (0.75 - 7.0 * gate.grad).clamp(0, 1)
    torch.testing.assert_close(gate.detach(), expected)


def test_that_the_average_follows_the_formula_and_leaves_the_weights_as_they_are():
    parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    average = WeightAverage([parameter], 0.75)
    with torch.no_grad():
        parameter.add_(4)
    average.update()
    with average.in_place():
        assert parameter.tolist() == [2.0, 3.0]
    assert parameter.tolist() == [5.0, 6.0]


def test_that_what_is_stored_and_judged_is_the_average(data):
    half = {"schedule.decide_from": 0.5, "schedule.freeze_from": 0.5}
    plain, _ = trained(data, half)
    averaged, run = trained(data, half | {"optimizer.average": 0.9})
    own = averaged.method.weight("fc1").detach().numpy()
    assert np.array_equal(own, plain.method.weight("fc1").detach().numpy())  # training goes on unaveraged
    assert not np.array_equal(weights(averaged), own)
    assert run[-1].scalars["validation_error"] == averaged.errors().validation


def test_that_dropout_is_for_training_and_for_networks_that_have_a_place_for_it(data):
    model = build("lenet5", (0.5, 0.5))
    images = torch.randn(4, 1, 28, 28)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))
    assert build("lenet5").state_dict().keys() == model.state_dict().keys()
    with pytest.raises(ConfigError, match="dropout: lenet300 has 2 places for it, not 3"):
        build("lenet300", (0.1, 0.1, 0.1))
    with pytest.raises(ConfigError, match=r"put nn\.Dropout into yours"):
        build("package:function", (0.1,))


def test_that_dropout_of_nothing_changes_no_bit(data):
    assert np.array_equal(weights(trained(data)[0]), weights(trained(data, {"dropout": [0.0, 0.0]})[0]))


@pytest.mark.parametrize("count", ["l1", "l2"])
@pytest.mark.parametrize("granularity", ["weight", "output", "weight+output+input"])
def test_that_every_granularity_and_count_trains_and_cuts(data, granularity, count):
    _, run = trained(data, {"gate.granularity": granularity, "penalty.count": count, "penalty.lambda2": 1e-4})
    assert 0 < run[-1].scalars["weights_kept"] < 266_200
    if granularity != "weight":
        assert run[-1].layers[0].dead_units > 0
