"""Short real trainings, and a watcher that keeps what they gave."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sparseviz.config import RunConfig, own_code
from sparseviz.runs.recording import record_run
from sparseviz.store import RunInfo, RunReader, RunWriter
from sparseviz.training.trainer import Trainer
from sparseviz.values.snapshot import Checkpoint, Snapshot


def trust(*names: str) -> None:
    """Let these functions be run in this process, as if the person had been asked about their files."""
    for name in names:
        own_code.trust(own_code.find(name), remember=False)


trust("tests.helpers.networks:small", "tests.networks:small")  # also in the processes that tests start


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


class StoppingAt(Seen):
    """A watcher that stops the run at a step, looked at or not."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def began(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        super().began(trainer, info, path)
        train_step = trainer._train_step

        def step_and_stop() -> None:
            train_step()
            if trainer.step == self.step:
                self.interfere()

        trainer._train_step = step_and_stop  # type: ignore[method-assign]
        if self.step == 0:
            trainer.stop()

    def interfere(self) -> None:
        self.trainer.stop()


def recorded(path: Path, changes: Mapping[str, Any] | None = None, seen: Seen | None = None) -> Seen:
    """What was seen of the short training, recorded at `path`."""
    seen = seen or Seen()
    record_run(short(changes), path, watcher=seen)
    return seen


def new_writer(seen: Seen, path: Path) -> RunWriter:
    """A file that begins as the run seen began."""
    with RunReader(seen.path) as run:
        return RunWriter(path, run.info, run.test_inputs(), seen.checkpoints[0])
