"""Real trainings in a process of their own, which stand still where a test wants to look at them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.forked import Python
from tests.helpers.processes import WRITE, lines, process

HOLD = 12  # snapshots after which the training stands still
LONGER = {"epochs": 12, "record.snapshots": 30, "record.checkpoints": 5}  # of tests.helpers.runs.short

# Trains, says after each snapshot how many there are, steers once, and waits after HOLD for a file.
TRAIN = """
import json, sys, time
from pathlib import Path
from sparseviz.runs.recording import record_run
from tests.helpers.runs import Seen, short
class Holding(Seen):
    def saw(self, snapshot):
        super().saw(snapshot)
        number = len(self.snapshots)
        print(number, flush=True)
        while number == int(sys.argv[3]) and not Path(sys.argv[2]).exists():
            time.sleep(0.01)
record_run(short(json.loads(sys.argv[4])), sys.argv[1], watcher=Holding(steer_at=16))
"""


# Writes HOLD snapshots of one run file into another, and waits to be killed.
STAND = WRITE.replace("itertools.count()", f"range({HOLD})") + "\nimport time\ntime.sleep(600)\n"


@dataclass
class Writing:
    """A process that has written HOLD snapshots."""

    child: Python
    path: Path
    signal: Path

    def go_on(self) -> None:
        """Train to the end."""
        self.signal.touch()


@contextmanager
def writing(source: Path, folder: Path) -> Iterator[Writing]:
    """Another process that has a run file open, which it wrote from `source`; killed in the end at the latest."""
    path = folder / "watched.h5"
    with process(STAND, source, path) as child:
        lines(child, HOLD)
        yield Writing(child, path, folder / "none")


@contextmanager
def training(folder: Path, changes: dict[str, Any] | None = None) -> Iterator[Writing]:
    """A training in another process; killed in the end at the latest."""
    path, signal = folder / "watched.h5", folder / "go"
    with process(TRAIN, path, signal, HOLD, json.dumps(LONGER | (changes or {}))) as child:
        lines(child, HOLD)
        yield Writing(child, path, signal)
