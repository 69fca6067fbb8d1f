"""Damaged run files: nothing crashes, hangs or takes much memory, and no number is wrong in silence."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparseviz.store.files.probe import SECONDS
from tests.helpers.damage import DAMAGES, everything, metadata
from tests.helpers.places import ROOT
from tests.helpers.processes import TELLING, killed, lines, process
from tests.helpers.runs import recorded

SMALL = {
    "network": "tests.helpers.networks:small",
    "record.snapshots": 9,
    "record.previews": 3,
    "record.checkpoints": 3,
}
BATCH = 30  # files a process
MEMORY = 400 << 20  # of the process that reads them all, Python and numpy and h5py included


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, Path]:
    """A run that has finished, and one whose writer was killed."""
    folder = tmp_path_factory.mktemp("originals")
    recorded(folder / "finished.h5", SMALL)
    changes = json.dumps(SMALL | {"epochs": 30, "record.snapshots": 100})
    with process(TELLING, folder / "live.h5", changes) as child:
        lines(child, 40)
        killed(child)
        child.wait()
    return {"finished": folder / "finished.h5", "killed": folder / "live.h5"}


def spoiled(original: Path, folder: Path, number: int, rng: np.random.Generator) -> list[Path]:
    """So many damaged copies; half of the damage lies in what is not numbers."""
    content, places = original.read_bytes(), ([range(original.stat().st_size)], metadata(original))
    made = []
    for index in range(number):
        damage = DAMAGES[index % len(DAMAGES)]
        copy = bytearray(content)
        damage(copy, rng, places[index // len(DAMAGES) % 2])
        path = folder / f"{index:04}-{damage.__name__}.h5"
        path.write_bytes(copy)
        made.append(path)
    return made


def read(paths: list[Path]) -> list[dict[str, Any]]:
    """What a process of its own reads of them; it must come to its end."""
    limit = len(paths) * 2 * SECONDS
    command = [sys.executable, "-m", "tests.helpers.damage", *map(str, paths)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def assert_sound(original: Path, paths: list[Path]) -> Counter[str]:
    """Every part of every file is what it was, or an error that names the file. Gives how they fared."""
    truth, seen = everything(original), Counter[str]()
    for start in range(0, len(paths), BATCH):
        for told in read(paths[start : start + BATCH]):
            assert told["seconds"] < 3 * SECONDS + 3  # three questions, each with its limit
            assert told["memory"] < MEMORY
            wrong = {name: one for name, one in told["found"].items() if one != truth[name]}
            assert all(one.startswith("error: ") for one in wrong.values()), (told["name"], wrong)
            seen["nothing hit" if not wrong else "refused" if "opened" in wrong else "a part refused"] += 1
    return seen


@pytest.mark.parametrize("kind", ["finished", "killed"])
@pytest.mark.parametrize("number", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_that_a_damaged_file_gives_its_numbers_or_an_error(originals, tmp_path, kind, number):
    paths = spoiled(originals[kind], tmp_path, number, np.random.default_rng(number))
    seen = assert_sound(originals[kind], paths)
    print(f"\n{number} damaged copies of a {kind} run: {dict(seen)}")
    assert min(seen["refused"], seen["a part refused"]) > number / 20
