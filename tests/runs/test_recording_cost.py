"""What recording costs, in time and on disk; what is slow, only on an idle machine."""

import time
from collections import defaultdict
from pathlib import Path

import h5py
import pytest

from sparseviz.config import RunConfig
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader, RunWriter
from sparseviz.training.trainer import Trainer
from tests.helpers.runs import new_writer

# LeNet-5 in batches of 128, on the digits, which need no download. As far apart as the preset lenet5-mnist-best has its
# snapshots: 95 steps.
SPARSE = {"epochs": 669, "batch_size": 128, "threads": 2, "record.snapshots": 70}
MANY = {"epochs": 40, "batch_size": 128, "record.snapshots": 300}


@pytest.fixture
def spent(monkeypatch) -> dict[str, float]:
    """Seconds, by what they were spent on."""
    seconds: dict[str, float] = defaultdict(float)

    def time_calls(owner: type, name: str) -> None:
        call = getattr(owner, name)

        def timed(*given, **named):
            began = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                seconds[name] += time.perf_counter() - began

        monkeypatch.setattr(owner, name, timed)

    for name in ("_train_step", "_snapshot", "_validate", "checkpoint"):
        time_calls(Trainer, name)
    for name in ("append", "checkpoint"):
        time_calls(RunWriter, name)
    return seconds


@pytest.mark.slow
def test_that_recording_costs_two_hundredths_of_the_training(spent, tmp_path):
    record_run(RunConfig.load("lenet5-digits").changed(SPARSE), tmp_path / "run.h5")
    recording = spent["_snapshot"] - spent["_validate"] + spent["append"] + spent["checkpoint"]
    print(f"\nrecording {recording:.2f} s of {spent['_train_step']:.1f} s of steps:", end=" ")
    print(f"{recording / spent['_train_step']:.2%}", {name: round(seconds, 2) for name, seconds in spent.items()})
    assert recording <= 0.02 * spent["_train_step"]


@pytest.mark.slow
def test_that_three_hundred_snapshots_take_twenty_megabytes_at_most(tmp_path):
    path = record_run(RunConfig.load("lenet5-digits").changed(MANY), tmp_path / "run.h5")
    besides = path.stat().st_size - checkpoints(path)
    with RunReader(path) as run:
        assert len(run) == 301
    print(f"\n{besides / 1e6:.1f} MB without checkpoints")
    assert besides <= 20e6


def test_that_the_writer_holds_no_chunks_through_which_every_flush_would_have_to_walk(gated, tmp_path):
    writer = new_writer(gated, tmp_path / "run.h5")
    writer.append(gated.snapshots[0])
    _, held, _ = writer._file.small("snapshots/scalars").id.get_access_plist().get_chunk_cache()
    writer.close()
    assert held == 0


def checkpoints(path: Path) -> int:
    """Bytes of the checkpoints and of what a resume needs besides."""
    sizes: list[int] = []

    def count(_name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.id.get_storage_size())

    with h5py.File(path) as file:
        for group in ("checkpoints", "resume"):
            file[group].visititems(count)
    return sum(sizes)
