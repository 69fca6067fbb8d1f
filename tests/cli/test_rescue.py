"""`sparseviz train` on a place that is full for a while: it says so and waits, for a person or for better times."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparseviz.store import RunReader
from tests.helpers.forked import Python, python

resource = pytest.importorskip("resource", reason="limits of a process are POSIX")
pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux changes another process's limits")

SETTINGS = ("network=lenet300", "epochs=20", "threads=1", "record.snapshots=100", "device=cpu")


@contextmanager
def training(path: Path, stdin: int = subprocess.DEVNULL) -> Iterator[Python]:
    """The command, in a process whose files cannot grow any more once it has begun."""
    pairs = [part for pair in SETTINGS for part in ("--set", pair)]
    with python("-m", "sparseviz", "train", *pairs, "--out", path, stdin=stdin) as child:
        heard(child, "Recording")
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (path.stat().st_size, resource.RLIM_INFINITY))
        heard(child, f"Paused: {path} cannot be written: File too large")
        yield child


def heard(child: Python, words: str) -> str:
    """The next line with these words."""
    for line in child.stderr:
        if words in line:
            return line
    raise AssertionError(f"it never said: {words}")


def make_room(child: Python) -> None:
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def assert_finished(path: Path) -> None:
    with RunReader(path) as run:
        assert (run.status, run.snapshots()[-1].step, len(run)) == ("finished", run.info.steps, 101)


class TestWithoutTerminal:
    def test_that_it_tries_again_until_there_is_room(self, tmp_path):
        with training(tmp_path / "run.h5") as child:
            heard(child, "Trying again")
            make_room(child)
            heard(child, f"Going on in {tmp_path / 'run.h5'}")
            assert child.wait(300) == 0
        assert_finished(tmp_path / "run.h5")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_that_a_signal_ends_it_in_good_order(self, tmp_path, number):
        with training(tmp_path / "run.h5") as child:
            heard(child, "Trying again")
            child.send_signal(number)
            assert child.stderr.read().endswith(f"{tmp_path / 'run.h5'} cannot be written: File too large\n")
            assert child.wait(60) == 1
        with RunReader(tmp_path / "run.h5") as run:
            assert (run.status, run.writer, run.checkpoint_steps()) == ("interrupted", None, (0,))


class TestTerminal:
    @pytest.mark.parametrize("name", ["", "on.h5"])
    def test_that_enter_tries_again_and_a_name_goes_on_there(self, tmp_path, name):
        ours, theirs = os.openpty()
        typed = str(tmp_path / name) if name else ""
        with training(tmp_path / "run.h5", theirs) as child:
            if not name:
                os.write(ours, b"\n")
                heard(child, "Paused")  # again: nothing has changed
            make_room(child)
            os.write(ours, f"{typed}\n".encode())
            heard(child, f"Going on in {typed or tmp_path / 'run.h5'}")
            assert child.wait(300) == 0
        os.close(ours)
        os.close(theirs)
        assert_finished(tmp_path / (name or "run.h5"))
