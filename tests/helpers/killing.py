"""Writers that are killed with SIGKILL while they record: `python -m tests.helpers.killing FOLDER NUMBER SEED`.

They are forked from this one process, which has loaded torch and has not used it. It says of each, as JSON, how it
ended and the steps of the snapshots that it had said were in its file.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.datasets  # noqa: F401  # the digits' home, loaded before the fork as torch is

from sparseviz.runs.recording import record_run
from tests.helpers.runs import Seen, short

STEPS = 60  # and as many snapshots
CHANGES: dict[str, Any] = {
    "network": "tests.helpers.networks:small",
    "epochs": 6,
    "record.snapshots": STEPS,
    "record.previews": 5,
    "record.checkpoints": 4,
}


class Telling(Seen):
    """Says the step of a snapshot when the file has it."""

    def __init__(self, pipe: int) -> None:
        super().__init__()
        self.pipe = pipe

    def saw(self, snapshot: Any) -> None:
        os.write(self.pipe, f"{snapshot.step}\n".encode())


def record(path: Path, pipe: int) -> None:
    """Train, in the process that was forked for it."""
    status = 1
    try:
        record_run(short(CHANGES), path, watcher=Telling(pipe))
        status = 0
    finally:
        os._exit(status)


def writer(path: Path, snapshots: int, seconds: float) -> dict[str, Any]:
    """Let one record so many snapshots, and kill it so long after."""
    told, pipe = os.pipe()
    if not (child := os.fork()):
        os.close(told)
        record(path, pipe)
    os.close(pipe)
    with os.fdopen(told, encoding="utf-8") as file:
        steps = [file.readline() for _ in range(snapshots)]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"name": path.name, "status": status, "steps": [int(step) for step in (*steps, *file)]}


def main() -> None:
    """Every fourth is killed before the first snapshot: while its file is made, or before."""
    folder, number, rng = Path(sys.argv[1]), int(sys.argv[2]), np.random.default_rng(int(sys.argv[3]))
    for index in range(number):
        snapshots, seconds = int(rng.integers(1, STEPS - 10)), rng.uniform(0, 0.02)
        if index % 4 == 0:
            snapshots, seconds = 0, rng.uniform(0, 0.5)
        print(json.dumps(writer(folder / f"{index:03}.h5", snapshots, seconds)), flush=True)


if __name__ == "__main__":
    main()
