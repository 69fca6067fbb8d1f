"""Real writers, killed with SIGKILL at any moment: what they had recorded is in their files, and goes on from there."""

import json
import subprocess
import sys
from typing import Any

import pytest

from sparseviz.runs.recording import resume_run
from sparseviz.store import RunReader
from tests.helpers.killing import STEPS
from tests.helpers.places import ROOT
from tests.helpers.runs import StoppingAt

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the writers are forked")


@pytest.mark.parametrize("number", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_that_what_a_killed_writer_had_recorded_is_there_and_resumes(tmp_path, number):
    command = [sys.executable, "-m", "tests.helpers.killing", str(tmp_path), str(number), "7"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ended) == number
    killed = [one for one in ended if one["status"] == -9]
    assert len(killed) > 0.8 * number  # the others had come to their end before
    named = [one for one in killed if (tmp_path / one["name"]).exists()]
    assert all(one in named for one in killed if one["steps"])
    for one in named:
        assert_goes_on(tmp_path, one)
    print(f"\n{number} writers: {len(killed)} killed, {len(named)} had named their file; all go on")


def assert_goes_on(folder, one: dict[str, Any]) -> None:
    with RunReader(folder / one["name"]) as run:
        steps = [snapshot.step for snapshot in run.snapshots()]
        assert run.status in {"interrupted", "finished"}  # it may have finished under our eyes
        status = run.status
    assert steps[: len(one["steps"])] == one["steps"]
    assert steps == list(range(len(steps)))
    if status == "finished":
        return
    end = min(len(steps) + 2, STEPS)
    resumed = resume_run(folder / one["name"], folder / f"on-{one['name']}", watcher=StoppingAt(end))
    with RunReader(resumed) as run:
        assert [snapshot.step for snapshot in run.snapshots()] == list(range(end + 1))
