"""Short real trainings that several tests look at, and the words in which runs are compared."""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import hypothesis
import numpy as np
import pytest

from sparseviz.config import RunConfig, own_code
from sparseviz.runs.recording import record_run
from sparseviz.store import RunInfo, RunReader, RunWriter
from sparseviz.store.format import CHECKPOINT_KINDS
from sparseviz.training.trainer import Trainer
from sparseviz.values.snapshot import Checkpoint, LayerSnapshot, Snapshot
from tests.helpers.places import ROOT

# The same examples in every run, and no limit on the time of one: that depends on the machine.
hypothesis.settings.register_profile("here", derandomize=True, deadline=None)
hypothesis.settings.load_profile("here")


def trust(*names: str) -> None:
    """Let these functions be run in this process, as if the person had been asked about their files."""
    for name in names:
        own_code.trust(own_code.find(name), remember=False)


trust("tests.helpers.networks:small")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="take the pictures of the views anew")


SHORT = {  # ten steps of the digits, in which a real share of the weights is cut
    "network": "lenet300",
    "epochs": 1,
    "threads": 1,
    "seed": 3,
    "device": "cpu",
    "penalty.scale": "sum",
    "penalty.lambda1": 1e-6,
    "penalty.lambda2": 2e-5,
    "optimizer.gate_rate": 5e-2,
    "record.snapshots": 9,
    "record.previews": 4,
    "record.checkpoints": 4,
}


def short(changes: Mapping[str, Any] | None = None) -> RunConfig:
    """The short training, with these settings changed."""
    return RunConfig().changed(SHORT | dict(changes or {}))


@dataclasses.dataclass
class Seen:
    """A watcher that keeps what the training gave, to hold it against the file."""

    steer_at: int = -1
    snapshots: list[Snapshot] = dataclasses.field(default_factory=list)
    checkpoints: dict[int, Checkpoint] = dataclasses.field(default_factory=dict)
    trainer: Trainer = dataclasses.field(init=False)
    info: RunInfo = dataclasses.field(init=False)
    path: Path = dataclasses.field(init=False)

    def began(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        self.trainer, self.info, self.path = trainer, info, path

    def saw(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        self.checkpoints[snapshot.step] = self.trainer.checkpoint()
        if snapshot.step == self.steer_at:
            self.trainer.steer({"penalty.lambda2": 3e-4, "optimizer.rate": 5e-4})


class Stopping(Seen):
    """A watcher with a second thread, which stops the run soon after the fourth snapshot."""

    def __init__(self) -> None:
        super().__init__()
        self.due = Event()
        self.thread = Thread(target=self.stop)

    def began(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        super().began(trainer, info, path)
        self.thread.start()

    def saw(self, snapshot: Snapshot) -> None:
        super().saw(snapshot)
        if len(self.snapshots) == 4:
            self.due.set()

    def stop(self) -> None:
        assert self.due.wait(60)
        self.trainer.stop()


def recorded(path: Path, changes: Mapping[str, Any] | None = None, seen: Seen | None = None) -> Seen:
    """What was seen of the short training, recorded at `path`."""
    seen = seen or Seen()
    record_run(short(changes), path, watcher=seen)
    return seen


@pytest.fixture(scope="session")
def gated(tmp_path_factory) -> Seen:
    """Gated LeNet-300, steered once."""
    return recorded(tmp_path_factory.mktemp("gated") / "gated.h5", seen=Seen(steer_at=4))


@pytest.fixture(scope="session")
def conv(tmp_path_factory) -> Seen:
    """Gated LeNet-5: convolutions, in torch's channels_last layout."""
    return recorded(tmp_path_factory.mktemp("conv") / "conv.h5", {"network": "lenet5", "record.snapshots": 2})


@pytest.fixture(scope="session")
def magnitude(tmp_path_factory) -> Seen:
    return recorded(tmp_path_factory.mktemp("magnitude") / "magnitude.h5", {"method.name": "magnitude"})


@pytest.fixture(scope="session")
def dense(tmp_path_factory) -> Seen:
    return recorded(tmp_path_factory.mktemp("dense") / "dense.h5", {"method.name": "dense"})


@pytest.fixture(scope="session")
def stopped(tmp_path_factory) -> Seen:
    """A run of a thousand steps, stopped from another thread after some forty."""
    seen = Stopping()
    path = tmp_path_factory.mktemp("stopped") / "stopped.h5"
    recorded(path, {"epochs": 100, "record.snapshots": 100}, seen)
    seen.thread.join()
    return seen


@pytest.fixture
def copy(gated, tmp_path) -> Path:
    """A run file to be damaged."""
    return Path(shutil.copy(gated.path, tmp_path / "copy.h5"))


def new_writer(seen: Seen, path: Path) -> RunWriter:
    """A file that begins as the run seen began."""
    with RunReader(seen.path) as run:
        return RunWriter(path, run.info, run.test_inputs(), seen.checkpoints[0])


def plain(snapshot: Snapshot, *, time=True, previews=True) -> dict[str, Any]:
    """All of a snapshot but the masks in dicts, for `np.testing.assert_equal`, to which NaN equals NaN."""
    values = {field.name: getattr(snapshot, field.name) for field in dataclasses.fields(snapshot)}
    values |= {"scalars": dict(snapshot.scalars), "layers": [plain_layer(layer) for layer in snapshot.layers]}
    del values["masks"]  # the file gives them one by one
    values["events"] = [dataclasses.astuple(event) for event in snapshot.events]
    if not time:
        del values["time"]
    if not previews:
        for layer in values["layers"]:
            del layer["preview"]
    return values


def plain_layer(layer: LayerSnapshot) -> dict[str, Any]:
    values = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    return values | {"info": dataclasses.asdict(layer.info)}


def assert_same_checkpoint(one: Checkpoint, other: Checkpoint) -> None:
    """Bit for bit, types included."""
    assert one.step == other.step
    for kind in CHECKPOINT_KINDS:
        ours, theirs = getattr(one, kind), getattr(other, kind)
        assert set(ours) == set(theirs)
        for name, values in ours.items():
            assert (values.dtype, values.shape) == (theirs[name].dtype, theirs[name].shape)
            assert np.array_equal(values.view(np.uint8), theirs[name].view(np.uint8)), name


# Writes the snapshots of one run file over and over into another, and says after each how many are written.
WRITE = """
import dataclasses, itertools, sys
from pathlib import Path
from sparseviz.values.masks import pack
from sparseviz.store import RunReader, RunWriter
with RunReader(sys.argv[1]) as run:
    info, inputs, first, snapshots = run.info, run.test_inputs(), run.checkpoint(0), run.snapshots()
writer = RunWriter(Path(sys.argv[2]), info, inputs, first)
for number in itertools.count():
    snapshot = snapshots[number % len(snapshots)]
    writer.append(dataclasses.replace(snapshot, step=number, masks=pack(first.masks.values())))
    print(number + 1, flush=True)
    writer.checkpoint(dataclasses.replace(first, step=number))
"""


@contextmanager
def process(code: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Another Python that runs this code; killed in the end at the latest."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def lines(child: "subprocess.Popen[str]", number: int) -> list[str]:
    """The next lines that the process says."""
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(number)]
    assert all(said), "the process ended early"
    return said


def killed(child: "subprocess.Popen[str]") -> list[str]:
    """End the process without a chance to tidy up; gives what it had said by then."""
    assert child.stdout is not None
    assert child.poll() is None
    child.kill()
    return child.stdout.read().splitlines(keepends=True)
