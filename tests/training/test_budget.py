"""What checkpoints cost is known before the start, and bounded."""

import h5py
import pytest

from sparseviz.config import RunConfig
from sparseviz.config.parts import RecordConfig, checkpoint_places
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader
from sparseviz.training.budget import checkpoint_bytes, planned_checkpoint_bytes
from tests.helpers.runs import recorded, short


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "lenet5"},
        {"network": "lenet300", "optimizer.average": 0.9},
        {"network": "lenet300", "optimizer.gates": "sgd"},
        {"network": "lenet300", "optimizer.weights": "sgd"},
        {"network": "lenet300", "optimizer.weights": "sgd", "optimizer.momentum": 0.0},
        {"network": "lenet300", "method.name": "magnitude"},
        {"network": "lenet300", "gate.granularity": "output"},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_that_the_planned_size_is_that_in_the_file(changes, tmp_path):
    path = recorded(tmp_path / "run.h5", changes | {"record.snapshots": 2}).path
    sizes: list[int] = []
    with h5py.File(path) as file:
        for group in ("checkpoints/1", "resume/1"):
            file[group].visititems(lambda _, item: sizes.append(item.nbytes) if is_written(item) else None)
    assert planned_checkpoint_bytes(short(changes)) == pytest.approx(sum(sizes), rel=5e-3)


def is_written(item):
    """A dataset that has something: a state whose checkpoint says what the last snapshot saw leaves that empty."""
    return isinstance(item, h5py.Dataset) and (not item.ndim or item.id.get_storage_size() > 0)


def test_that_a_network_of_one_s_own_is_not_run_for_its_size():
    assert planned_checkpoint_bytes(RunConfig(network="tests.nowhere:none")) is None


def test_that_a_large_network_has_two_places():
    vgg16 = checkpoint_bytes(RunConfig(), 138_357_544, 138_344_128)
    assert checkpoint_places(RecordConfig(), vgg16) == 2
    assert checkpoint_places(RecordConfig(checkpoint_budget=16_000), vgg16) == 3
    assert checkpoint_places(RecordConfig(), checkpoint_bytes(RunConfig(), 431_080, 430_500)) == 6


def test_that_the_file_has_as_many_places_as_the_budget_allows(tmp_path):
    config = short({"record.checkpoints": 6, "record.checkpoint_budget": 31})  # 10.1 MB each
    path = record_run(config, tmp_path / "run.h5")
    with h5py.File(path) as file:
        assert len(file["checkpoints/index"]) == 3
    with RunReader(path) as run:
        assert len(run.checkpoint_steps()) == 3
        assert run.checkpoint_steps()[-1] == 10
