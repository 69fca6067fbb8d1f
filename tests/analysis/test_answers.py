"""Answers to images: those of a slow twin, given without a trace in a run that trains beside."""

import dataclasses
from threading import Event, Thread

import numpy as np
import pytest
import torch

from sparseviz.analysis.answers import Network, validation_examples
from sparseviz.config import InputError
from sparseviz.data import DataError, load_data
from sparseviz.networks import build
from sparseviz.store import RunReader
from tests.helpers.data.splits import images_of
from tests.helpers.networks import small
from tests.helpers.runs import Seen, recorded
from tests.helpers.same import assert_same_checkpoint


def network_of(seen):
    with RunReader(seen.path) as run:
        return Network(run.info, run.checkpoint()), run.info, run.checkpoint()


def slow_twin(name, checkpoint, images):
    """The network image by image, its weights multiplied with their masks by numpy, the softmax written out."""
    model = build(name)
    state = {key: torch.from_numpy(values.copy()) for key, values in checkpoint.parameters.items()}
    for layer, mask in checkpoint.masks.items():
        state[f"{layer}.weight"] = torch.from_numpy(checkpoint.parameters[f"{layer}.weight"] * mask)
    model.load_state_dict(state)
    model.eval()
    rows = []
    for image in images:
        with torch.no_grad():
            exponentials = np.exp(model(torch.from_numpy(image)[None])[0].double().numpy())
        rows.append(exponentials / exponentials.sum())
    return np.array(rows)


@pytest.mark.parametrize("kind", ["gated", "conv", "magnitude", "dense"])
def test_that_answers_are_those_of_a_slow_twin(request, kind):
    seen = request.getfixturevalue(kind)
    network, info, checkpoint = network_of(seen)
    answers = network.answers(validation_examples(info))
    expected = slow_twin(info.config.network, checkpoint, images_of(load_data(info.config.data).validation).numpy())
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)
    assert answers.probabilities.dtype == np.float32
    assert (answers.step, answers.source) == (checkpoint.step, "checkpoint")


def test_that_the_misread_share_is_the_validation_error_of_the_run(gated):
    network, info, _ = network_of(gated)
    answers = network.answers(validation_examples(info))
    with RunReader(gated.path) as run:
        assert 100 * answers.misread.mean() == pytest.approx(run.errors.validation)
    assert len(answers) == info.images["validation"] == 240


def test_that_the_images_are_those_of_the_validation_split_and_of_no_other(gated):
    _, info, _ = network_of(gated)
    examples, data = validation_examples(info), load_data(gated.info.config.data)
    np.testing.assert_array_equal(examples.images, images_of(data.validation).numpy())
    np.testing.assert_allclose(examples.pixels, images_of(data.validation).numpy() * data.std + data.mean, atol=1e-6)
    seen = {image.tobytes() for image in examples.images}
    assert not seen & {image.tobytes() for image in images_of(data.test).numpy()}


def test_that_pixels_are_normalised_as_the_run_s_data_are(gated):
    network, info, _ = network_of(gated)
    answers = network.answers(validation_examples(info))
    for index in (0, 7, 239):
        np.testing.assert_allclose(network.read(answers.images[index]), answers.probabilities[index], atol=1e-5)


def test_that_the_kept_share_is_counted_from_the_masks(gated):
    network, _, checkpoint = network_of(gated)
    kept = np.concatenate([mask.ravel() for mask in checkpoint.masks.values()])
    assert network.kept == pytest.approx(kept.mean())
    assert 0 < network.kept < 1


class Asking(Seen):
    """A watcher with a second thread that builds the newest network and has it answer, over and over."""

    def __init__(self):
        super().__init__()
        self.over, self.answered = Event(), 0
        self.thread = Thread(target=self.ask)

    def began(self, trainer, info, path):
        super().began(trainer, info, path)
        self.examples = validation_examples(info)
        self.thread.start()

    def ask(self):
        while not self.over.is_set():
            answer = self.trainer.ask(self.trainer.checkpoint)
            try:
                checkpoint = answer.result(60)
            except BaseException:  # noqa: BLE001  # cancelled: the run is over
                return
            Network(self.info, checkpoint, "live").answers(self.examples)
            self.answered += 1


@pytest.mark.parametrize("network", ["lenet300", "tests.helpers.networks:with_a_random_buffer"])
@pytest.mark.parametrize("threads", [1, 2])
def test_that_asking_for_answers_changes_no_bit_of_the_training(tmp_path, network, threads):
    settings = {"network": network, "epochs": 6, "threads": threads, "method.draw": "bernoulli"}
    alone = recorded(tmp_path / "alone.h5", settings)
    asking = Asking()
    try:
        asked = recorded(tmp_path / "asked.h5", settings, asking)
    finally:
        asking.over.set()
        asking.thread.join()
    assert asking.answered > 3
    assert torch.get_num_threads() == threads
    assert alone.checkpoints.keys() == asked.checkpoints.keys()
    for step, checkpoint in alone.checkpoints.items():
        assert_same_checkpoint(checkpoint, asked.checkpoints[step])


def test_that_building_a_network_draws_nothing_from_the_default_generator(gated):
    before = torch.get_rng_state()
    network_of(gated)
    assert torch.equal(before, torch.get_rng_state())


def test_that_data_that_are_gone_or_others_are_told_and_nothing_is_fetched(gated, tmp_path):
    config = gated.info.config.changed({"data.name": "mnist", "data.folder": str(tmp_path), "data.download": True})
    with pytest.raises(DataError, match="lacks train-images"):
        validation_examples(dataclasses.replace(gated.info, config=config))
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="are not those that the run was trained on"):
        validation_examples(dataclasses.replace(gated.info, data_checksum="0" * 32))


def test_that_answers_that_are_no_numbers_and_images_of_another_shape_are_told(gated):
    network, info, checkpoint = network_of(gated)
    with pytest.raises(InputError, match=r"cannot read images of shape \(1, 14, 14\)"):
        network.read(np.zeros((1, 14, 14), np.float32))
    checkpoint.parameters["fc3.bias"][0] = np.nan
    with pytest.raises(InputError, match="no finite numbers"):
        Network(info, checkpoint).answers(validation_examples(info))


def test_that_a_network_with_one_layer_more_in_its_function_is_told(gated):
    _, info, checkpoint = network_of(gated)
    other = dataclasses.replace(
        info, config=info.config.changed({"network": f"tests.helpers.networks:{small.__name__}"})
    )
    with pytest.raises(InputError, match="no longer the one of the run"):
        Network(other, checkpoint)
