"""Runs whose images are read while they train: recorded, stopped, resumed, exported."""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparseviz.analysis.answers import Network, validation_examples
from sparseviz.analysis.receptive import receptive_picture
from sparseviz.config import RunConfig, own_code, paths
from sparseviz.data import DataError, load_data
from sparseviz.export import ExportOptions, export_run
from sparseviz.runs.recording import record_run, resume_run
from sparseviz.store import RunReader
from sparseviz.training.trainer import Trainer
from tests.helpers.data.folders import COLOURS, picture, train_and_val
from tests.helpers.runs import Seen, StoppingAt
from tests.helpers.same import assert_same_run

SETTINGS = {
    "network": "tests.helpers.networks:coloured",
    "epochs": 3,
    "batch_size": 8,
    "threads": 1,
    "data.name": "folder",
    "data.size": 20,
    "data.augment": True,
    "optimizer.rate": 1e-2,
    "record.snapshots": 6,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    own_code.trust(own_code.find("tests.helpers.networks:coloured"), remember=False)
    return train_and_val(tmp_path_factory.mktemp("images"), 16, 6)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path_factory.getbasetemp() / "cache")


def config(folder: Path, **changes) -> RunConfig:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return RunConfig().changed(SETTINGS | {"data.folder": str(folder)} | named)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory) -> Path:
    """Read by the training itself, never stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "data_folder", lambda: tmp_path_factory.getbasetemp() / "cache")
        return record_run(config(folder), tmp_path_factory.mktemp("whole") / "whole.h5")


def test_that_it_learns_and_its_file_knows_classes_channels_and_images(whole):
    with RunReader(whole) as run:
        info = run.info
        assert (run.status, info.classes) == ("finished", tuple(sorted(COLOURS)))
        assert (info.mean, info.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        assert info.images == {"train": 44, "validation": 4, "test": 18}
        assert run.input_shape == (3, 20, 20)
        assert len(run.test_inputs().labels) == 18
        assert run.errors.test < 20


@pytest.mark.parametrize("step", [0, 3, 7])
def test_that_stopped_and_resumed_with_other_workers_it_is_bit_for_bit_the_run_that_never_was(
    folder, tmp_path, whole, step
):
    workers = 2 if step == 3 else 0
    stopped = record_run(config(folder, data__workers=workers), tmp_path / "run.h5", watcher=StoppingAt(step))
    resumed = resume_run(stopped)
    assert multiprocessing.active_children() == []
    with RunReader(resumed) as run:
        assert (run.status, run.info.resumed) == ("finished", (step,))
    assert_same_run(resumed, whole)


def test_that_a_run_that_breaks_off_leaves_no_worker_behind(folder, tmp_path):
    class Breaking(Seen):
        def saw(self, snapshot):
            if snapshot.step >= 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_run(config(folder, data__workers=2), tmp_path / "run.h5", watcher=Breaking())
    assert multiprocessing.active_children() == []


def test_that_evaluation_ends_at_the_batch_after_which_a_stop_is_asked(folder, monkeypatch):
    monkeypatch.setattr("sparseviz.data.split.EVALUATION_BYTES", 4800)
    settings = config(folder)
    trainer = Trainer(settings, load_data(settings.data))
    assert np.isfinite(trainer.errors().validation)
    trainer.stop_asked = True
    assert np.isnan(trainer.errors().validation)


def test_that_an_image_that_is_lost_ends_the_run_with_its_name_and_a_whole_file(tmp_path):
    own = train_and_val(tmp_path / "own", 16, 6)

    class Losing(Seen):
        def saw(self, snapshot):
            if snapshot.step >= 3:
                for path in (own / "train" / "red").iterdir():
                    path.unlink()

    with pytest.raises(DataError, match=r"red-\d+\.png could be read when"):
        record_run(config(own), tmp_path / "run.h5", watcher=Losing())
    with RunReader(tmp_path / "run.h5") as run:
        assert run.status == "failed"
        assert "could be read when" in run.message


def test_that_its_network_answers_its_validation_images_in_their_colours(whole):
    with RunReader(whole) as run:
        info, checkpoint = run.info, run.checkpoint()
    answers = Network(info, checkpoint).answers(validation_examples(info))
    assert answers.images.shape == (4, 3, 20, 20)
    assert answers.labels is not None
    brightest = answers.images.mean(axis=(2, 3)).argmax(axis=1)  # red, green or blue
    assert [answers.classes[label] for label in answers.labels] == [
        ("red", "green", "blue")[each] for each in brightest
    ]
    seen = receptive_picture("tests.helpers.networks:coloured", checkpoint, "fc2", 0, (3, 20, 20))
    assert seen.shape == (3, 20, 20)


@pytest.mark.parametrize("raw", [False, True])
def test_that_it_is_exported_with_proof_and_a_script_that_reads_a_photograph_of_any_size(whole, tmp_path, raw):
    report = export_run(whole, tmp_path / "model.onnx", ExportOptions(raw_pixels=raw, script=True))
    assert report.proof.holds
    assert report.test_set is not None
    assert report.test_set.images == 18
    for name, colour in COLOURS.items():
        picture(colour, 5, (150, 90)).save(tmp_path / "photograph.jpg")
        (script,) = tmp_path.glob("*.py")
        run = subprocess.run(
            [sys.executable, script, tmp_path / "photograph.jpg"], capture_output=True, text=True, check=False
        )
        assert (run.stdout.strip(), run.stderr) == (name, "")


def test_that_the_script_prepares_an_image_as_evaluation_does(folder, whole, tmp_path):
    from sparseviz.data.decoding import Recipe
    from sparseviz.export.script import Preprocessing

    picture((90, 120, 200), 8, (61, 47)).save(tmp_path / "image.png")
    preprocessing = Preprocessing((3, 20, 20), (0.0,) * 3, (1.0,) * 3, raw=True, crop=0.875)
    expression = preprocessing.image().replace("sys.argv[1]", "path")
    from PIL import ImageOps

    found = eval(expression, {"Image": Image, "ImageOps": ImageOps, "path": tmp_path / "image.png"})
    np.testing.assert_array_equal(np.asarray(found), Recipe(20, 0.875, 3).evaluated(tmp_path / "image.png"))


def test_that_only_part_of_a_long_test_set_is_read_for_the_proof_and_told(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("sparseviz.export.proof.inputs.MOST_BYTES", 7 * 4800)
    report = export_run(whole, tmp_path / "model.onnx")
    assert report.test_set is not None
    assert report.test_set.images == 7
    assert report.test_set_note == "7 of its 18 images, evenly spread"


def test_that_the_stored_test_inputs_are_bounded_by_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("sparseviz.runs.recording.TEST_BYTES", 5 * 4800)
    path = record_run(config(folder, epochs=1), tmp_path / "run.h5")
    with RunReader(path) as run:
        assert run.test_inputs().images.shape == (5, 3, 20, 20)
    assert export_run(path, tmp_path / "model.onnx").proof.images == 5
