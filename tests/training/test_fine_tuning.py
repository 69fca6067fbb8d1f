"""What fine-tuning a large network asks for: each setting changes nothing until it is used."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from sparseviz.config import ConfigError, RunConfig
from sparseviz.data import Data, load_data
from sparseviz.training.steering import Steering
from sparseviz.training.trainer import Trainer

QUICK = {"network": "lenet300", "epochs": 2, "batch_size": 200, "threads": 1, "record.snapshots": 4}  # 12 steps
QUICK |= {"penalty.scale": "sum", "penalty.lambda1": 1e-5, "penalty.lambda2": 3e-5, "optimizer.gate_rate": 0.05}


@pytest.fixture(scope="module")
def data() -> Data:
    return load_data(RunConfig().data)


def trainer(data, **settings):
    return Trainer(RunConfig().changed(QUICK | settings), data)


def rates(optimizer, steps=100, epochs=20):
    given = {f"optimizer.{name}": value for name, value in optimizer.items()}
    config = RunConfig().changed({"epochs": epochs, "optimizer.rate": 0.1, "optimizer.gate_rate": 2.0} | given)
    return [Steering(config, steps).rates(step) for step in range(steps)]


class TestAccumulation:
    @pytest.mark.parametrize("network", ["lenet300", "lenet5"])
    @pytest.mark.parametrize("draw", ["threshold", "bernoulli"])
    def test_that_a_batch_in_parts_makes_the_step_of_the_whole_batch(self, data, network, draw):
        settings = {
            "method.draw": draw,
            "optimizer.weights": "sgd",
            "optimizer.gates": "sgd",
            "optimizer.gate_rate": 5.0,
        }
        settings["gate.top_share"] = {"*": 0.5}
        ends = []
        for parts in (1, 3, 7):  # of 200 images, and of 197 in the last batch of an epoch: uneven parts
            one = trainer(data, network=network, accumulate=parts, epochs=1, **settings)
            snapshots = list(one.run())
            ends.append((snapshots[-1].scalars, one.checkpoint()))
        for scalars, end in ends[1:]:
            assert scalars["loss"] == pytest.approx(ends[0][0]["loss"], rel=1e-4)
            for name, values in end.parameters.items():
                np.testing.assert_allclose(values, ends[0][1].parameters[name], rtol=1e-3, atol=1e-5)
            for name, values in end.quantities.items():
                np.testing.assert_allclose(values, ends[0][1].quantities[name], rtol=1e-3, atol=1e-5)
                assert np.array_equal(end.masks[name], ends[0][1].masks[name])
        assert ends[0][0]["weights_kept"] < sum(mask.size for mask in ends[0][1].masks.values())

    def test_that_the_gradients_of_uneven_parts_are_those_of_the_mean(self, data):
        found = []
        for parts in (1, 3):
            one = trainer(data, accumulate=parts)
            images, labels = one.train.images[:10], one.train.labels[:10]  # 4, 4 and 2 images
            one._stepper._backward(images, labels)
            found.append([parameter.grad for parameter in one.model.parameters()])
        for whole, summed in zip(*found, strict=True):
            torch.testing.assert_close(whole, summed, rtol=1e-4, atol=1e-8)

    def test_that_more_parts_than_images_are_as_many_as_there_are(self, data):
        one = trainer(data, accumulate=1000, epochs=1)
        one._train_step()
        assert one._stepper.tally.sums[2] == 200


class TestRates:
    def test_that_they_rise_in_a_line_and_then_stay(self):
        found = rates({"rate_warm_up": 0.1})
        assert [one[0] for one in found[:10]] == pytest.approx([0.01 * (step + 1) for step in range(10)])
        assert set(found[10:]) == {(0.1, 2.0)}

    def test_that_they_fall_by_a_factor_every_so_many_epochs(self):
        found = rates({"rate_schedule": "steps", "rate_every": 8, "rate_factor": 0.5})  # 5 steps an epoch
        assert [one[0] for one in found] == pytest.approx([0.1] * 40 + [0.05] * 40 + [0.025] * 20)
        assert [one[1] for one in found] == pytest.approx([2.0] * 40 + [1.0] * 40 + [0.5] * 20)

    def test_that_a_rise_goes_with_every_schedule(self):
        plain, risen = (rates({"rate_schedule": "cosine", "rate_warm_up": share}) for share in (0, 0.2))
        assert risen[20:] == plain[20:]
        assert risen[4][0] == pytest.approx(plain[4][0] / 4)

    def test_that_a_longer_run_rises_as_it_was_planned(self):
        config = RunConfig().changed({"epochs": 20, "optimizer.rate_warm_up": 0.5})
        steering = Steering(config, 100)
        before = [steering.rates(step) for step in range(60)]
        steering.change(10, {"epochs": 40})
        assert [steering.rates(step) for step in range(60)] == before

    @pytest.mark.parametrize(
        "values",
        [{"rate_every": 0}, {"rate_factor": 1.0}, {"rate_warm_up": 1.5}, {"label_smoothing": 1.0}, {"momentum": 1.0}],
        ids=lambda values: next(iter(values)),
    )
    def test_that_what_makes_no_sense_is_refused_by_name(self, values):
        ((name, value),) = values.items()
        with pytest.raises(ConfigError, match=rf"optimizer\.{name}"):
            RunConfig().changed({f"optimizer.{name}": value})


class TestSmoothing:
    def test_that_it_is_in_the_training_loss_alone(self, data):
        smooth = trainer(data, **{"optimizer.label_smoothing": 0.2})
        images, labels = smooth.train.images[:50], smooth.train.labels[:50]
        smooth._stepper._backward(images, labels)
        answers = smooth.model(images)
        spread = F.one_hot(labels, 10) * 0.8 + 0.02
        expected = -(spread * answers.log_softmax(dim=1)).sum(dim=1).mean()
        assert float(smooth._stepper.tally.sums[0]) / 50 == pytest.approx(float(expected.detach()), rel=1e-5)
        assert smooth._validate()[0] == pytest.approx(trainer(data)._validate()[0])


class TestMomentum:
    def test_that_the_weights_follow_its_formula(self, data):
        one = trainer(data, **{"optimizer.weights": "sgd", "optimizer.rate": 0.1, "optimizer.weight_decay": 0.01})
        weight = one.method.weight("fc1")
        expected, velocity = weight.detach().clone(), torch.zeros_like(weight)
        for _ in range(3):
            one._train_step()
            velocity = 0.9 * velocity + weight.grad + 0.01 * expected
            expected -= 0.1 * velocity
            torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-6)
