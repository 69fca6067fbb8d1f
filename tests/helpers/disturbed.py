"""Trainings whose file cannot be written for a while."""

import os
from pathlib import Path

from sparseviz.runs.recording import record_run
from sparseviz.store import WriteError
from tests.helpers.runs import Seen, short

CHANGES = {
    "epochs": 2,
    "method.draw": "bernoulli",
    "record.snapshots": 12,
    "record.checkpoints": 16,
}  # 20 steps, no slot twice


class Disturbing(Seen):
    """A watcher that spoils the place of the run's file once, after a snapshot; and who is asked then."""

    def __init__(self, snapshot: int, spoil, mend) -> None:
        super().__init__()
        self.at, self.spoil, self.mend = snapshot, spoil, mend
        self.errors: list[WriteError] = []
        self.places: list[Path] = []

    def saw(self, snapshot) -> None:
        super().saw(snapshot)
        if len(self.snapshots) == self.at:
            self.spoil(self.path)

    def stuck(self, error: WriteError, path: Path) -> Path:
        self.errors.append(error)
        if len(self.errors) > 3:
            raise error
        answer: Path = self.mend(error, path)
        return answer

    def went_on(self, path: Path) -> None:
        self.places.append(path)


def disturbed(path: Path, snapshot: int, spoil, mend) -> Disturbing:
    seen = Disturbing(snapshot, spoil, mend)
    seen.path = record_run(short(CHANGES), path, watcher=seen, rescuer=seen)
    return seen


def cut_off(path: Path) -> None:
    """Leave this process only reading descriptors of the file."""
    reading = os.open(path, os.O_RDONLY)
    for link in list(Path("/proc/self/fd").iterdir()):
        if link.exists() and link.samefile(path) and int(link.name) != reading:
            os.dup2(reading, int(link.name))
    os.close(reading)
