"""Run files in the hands of others: HDF5's own tool, and the HDF5 before the one that wrote them."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sparseviz.store import RunReader
from tests.helpers.places import FORMATS
from tests.helpers.processes import WRITE, killed, lines, process

OLDER = "h5py==3.14.0"  # built on HDF5 1.14.6
needs_h5dump = pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump is missing (Debian: hdf5-tools)")

# With h5py and numpy alone: what stands in a file, summed up.
SUMS = """
import json, sys, h5py, numpy as np
assert h5py.version.hdf5_version.startswith("1.14"), h5py.version.hdf5_version
sums = {}
def look(name, item):
    if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and "/0/" in name:
        sums[name] = float(item[()].sum(dtype="f8"))
with h5py.File(sys.argv[1], "r", swmr=sys.argv[2] == "swmr") as file:
    file.visititems(look)
    steps = file["snapshots/scalars"]["step"][: file["snapshots/count"][0]].tolist()
    print(json.dumps({"config": json.loads(file.attrs["config"]), "steps": steps, "sums": sums}))
"""


def listed(path: Path) -> str:
    return subprocess.run(["h5dump", "-H", path], check=True, capture_output=True, text=True, timeout=60).stdout


@needs_h5dump
class TestTool:
    def test_that_a_finished_run_is_listed(self, gated):
        assert 'DATASET "scalars"' in listed(gated.path)

    def test_that_a_copy_of_a_run_that_is_written_or_whose_writer_was_killed_is_listed_once_it_is_cleared(
        self, gated, tmp_path
    ):
        """As the manual says: HDF5's tools refuse a file that a writer has open, or had when it died."""
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 3)
            child.send_signal(signal.SIGSTOP)  # a copy of one moment
            live = shutil.copy(path, tmp_path / "live.h5")
            child.send_signal(signal.SIGCONT)
            lines(child, 2)  # and it writes on
            killed(child)
            child.wait()
        for copy in (live, shutil.copy(path, tmp_path / "killed.h5")):
            subprocess.run(["h5clear", "-s", copy], check=True, timeout=60)
            assert 'DATASET "scalars"' in listed(copy)

    @pytest.mark.parametrize("path", sorted(FORMATS.glob("format-*.h5")), ids=lambda path: path.stem)
    def test_that_every_format_is_listed(self, path):
        assert 'DATASET "scalars"' in listed(path)


@pytest.fixture(scope="module")
def older(tmp_path_factory) -> Path:
    """A folder with an h5py that is built on HDF5 1.14."""
    folder: Path = tmp_path_factory.mktemp("older")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder), OLDER], check=True, timeout=300)
    return folder


@pytest.mark.slow
class TestOlderHdf5:
    def test_that_hdf5_1_14_reads_a_finished_run(self, gated, older):
        assert_same(gated.path, summed(older, gated.path, "plain"))

    @pytest.mark.parametrize("path", sorted(FORMATS.glob("format-*.h5")), ids=lambda path: path.stem)
    def test_that_hdf5_1_14_reads_every_format(self, older, path):
        assert_same(path, summed(older, path, "plain"))

    def test_that_hdf5_1_14_reads_a_run_that_is_written_and_one_whose_writer_was_killed(self, gated, older, tmp_path):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 3)
            assert len(summed(older, path, "swmr")["steps"]) >= 3
            said = lines(child, 2) + killed(child)
            child.wait()
        found = summed(older, path, "swmr")
        assert len(found["steps"]) >= int(said[-1])
        assert_same(path, found)


def summed(older: Path, path: Path, mode: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(older)!r}){SUMS}", str(path), mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_same(path: Path, found: dict[str, Any]) -> None:
    with RunReader(path) as run:
        assert run.config.model_dump(mode="json") == type(run.config).parse(found["config"]).model_dump(mode="json")
        assert [snapshot.step for snapshot in run.snapshots()] == found["steps"]
        first = run.checkpoint(run.checkpoint_steps()[0])
    for name, values in first.parameters.items():
        assert found["sums"][f"checkpoints/0/parameters/{name}"] == values.sum(dtype="f8")
