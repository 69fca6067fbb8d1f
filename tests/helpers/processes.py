"""Processes of their own that write run files, and are killed."""

from contextlib import AbstractContextManager

from tests.helpers.forked import Python, python

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

# Trains as it is told in JSON, and says after each snapshot at which step it is.
TELLING = """
import json, sys
from sparseviz.runs.recording import record_run
from tests.helpers.runs import Seen, short
class Telling(Seen):
    def saw(self, snapshot): print(snapshot.step, flush=True)
record_run(short(json.loads(sys.argv[2])), sys.argv[1], watcher=Telling())
"""

# Holds the lock of a file.
HOLD = """
import sys, time
from pathlib import Path
from sparseviz.store.files.lock import WriterLock
lock = WriterLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def process(code: str, *arguments: object) -> AbstractContextManager[Python]:
    """Another Python that runs this code; killed in the end at the latest."""
    return python("-c", code, *arguments)


def lines(child: Python, number: int) -> list[str]:
    """The next lines that the process says."""
    said = [child.stdout.readline() for _ in range(number)]
    assert all(said), "the process ended early"
    return said


def killed(child: Python) -> list[str]:
    """End the process without a chance to tidy up; gives what it had said by then."""
    assert child.returncode is None
    child.kill()
    return child.stdout.read().splitlines(keepends=True)
