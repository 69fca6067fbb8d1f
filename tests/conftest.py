"""Short real trainings that several tests look at, and the words in which runs are compared."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import psutil
import pytest

from tests.helpers.runs import Seen, Stopping, recorded

# The same examples in every run, and no limit on the time of one: that depends on the machine.
hypothesis.settings.register_profile("here", derandomize=True, deadline=None)
hypothesis.settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="take the pictures of the views anew")


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


@pytest.fixture
def mounted(tmp_path, monkeypatch) -> Callable[[dict[str, str]], None]:
    """Have the system tell of these mounts alone, folders with their file systems, as Linux does in /proc."""
    if sys.platform != "linux":
        pytest.skip("the mounts are told as on Linux")

    def mount(kinds: dict[str, str]) -> None:
        told = tmp_path / "proc" / "self" / "mounts"
        told.parent.mkdir(parents=True)
        told.write_text("".join(f"device {folder} {kind} rw 0 0\n" for folder, kind in kinds.items()))
        (tmp_path / "proc" / "filesystems").touch()
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))

    return mount
