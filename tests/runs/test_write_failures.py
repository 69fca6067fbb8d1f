"""A training whose file cannot be written pauses, and goes on as told; its file ends as that of an undisturbed run."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sparseviz.runs.recording import record_run, resume_run
from sparseviz.store import RunReader, WriteError
from tests.helpers.disturbed import CHANGES, Disturbing, disturbed
from tests.helpers.forked import completed
from tests.helpers.runs import recorded, short
from tests.helpers.same import assert_same_checkpoint, assert_same_run, plain

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits, mounts and open files that are removed")


def assert_same_file(one: Path, other: Path) -> None:
    """All but times, previews and checkpoints in their slots included."""
    with RunReader(one) as ours, RunReader(other) as theirs:
        for mine, yours in zip(ours.snapshots(), theirs.snapshots(), strict=True):
            np.testing.assert_equal(plain(mine, time=False), plain(yours, time=False))
        assert ours.checkpoint_steps() == theirs.checkpoint_steps()
        for step in ours.checkpoint_steps():
            assert_same_checkpoint(ours.checkpoint(step), theirs.checkpoint(step))
        assert (ours.errors, ours.status, ours.message) == (theirs.errors, theirs.status, theirs.message)
        assert (ours.config, ours.info.layers) == (theirs.config, theirs.info.layers)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The undisturbed run."""
    return recorded(tmp_path_factory.mktemp("whole") / "whole.h5", CHANGES).path


# The limit on a file's size is a real failure to write, and needs no rights; it holds for a whole process.
LIMITED = """
import resource, sys
from pathlib import Path
from tests.helpers.forked import completed
from tests.helpers.disturbed import disturbed
def limit(path):
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + int(sys.argv[3]), resource.RLIM_INFINITY))
def lift(error, path):
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return path
seen = disturbed(Path(sys.argv[1]), int(sys.argv[2]), limit, lift)
print([error.reason for error in seen.errors], len(seen.places), flush=True)
"""


def child(code: str, *arguments: object) -> str:
    """What a process says that ends well: HDF5 may end one at its very end."""
    if UNGUARDED in code:  # a whole Python, down to its last breath
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    else:
        done = completed("-c", code, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


class TestLimit:
    @pytest.mark.parametrize(("snapshot", "extra"), [(4, 10_000), (12, 0)])
    def test_that_a_run_told_to_go_on_in_the_same_place_ends_bit_for_bit_as_if_undisturbed(
        self, tmp_path, whole, snapshot, extra
    ):
        said = child(LIMITED, tmp_path / "run.h5", snapshot, extra)
        assert said == f"[{os.strerror(errno.EFBIG)!r}] 1\n"
        assert_same_file(tmp_path / "run.h5", whole)
        assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


class TestFolder:
    @pytest.mark.parametrize(("snapshot", "is_moved"), [(1, False), (5, True), (13, False)])
    def test_that_a_run_whose_folder_vanished_goes_on_elsewhere(self, tmp_path, whole, snapshot, is_moved):
        (tmp_path / "here").mkdir()
        (tmp_path / "there").mkdir()

        def vanish(path: Path) -> None:
            shutil.move(path.parent, tmp_path / "away") if is_moved else shutil.rmtree(path.parent)

        seen = disturbed(tmp_path / "here" / "run.h5", snapshot, vanish, lambda *_: tmp_path / "there" / "on.h5")
        assert [error.reason for error in seen.errors] == [f"the folder {tmp_path / 'here'} is gone"]
        assert seen.places == [seen.path] == [tmp_path / "there" / "on.h5"]
        assert_same_file(seen.path, whole)
        assert [path.name for path in (tmp_path / "there").iterdir()] == ["on.h5"]
        if is_moved:
            with RunReader(tmp_path / "away" / "run.h5") as old:
                assert len(old) == snapshot


# HDF5 meets the failure itself: what guards it is taken away.
UNGUARDED = "from sparseviz.store.files.place import Place\nPlace.take_room = lambda *_: None\n"

# As on a network place that is gone: the descriptor that HDF5 has takes nothing more.
CUT_OFF = """
import os, sys
from pathlib import Path
from tests.helpers.forked import completed
from tests.helpers.disturbed import cut_off, disturbed
seen = disturbed(Path(sys.argv[1]), int(sys.argv[3]), cut_off, lambda *_: Path(sys.argv[2]))
print([error.reason for error in seen.errors], seen.path.name, flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="finds the descriptors in /proc")
class TestCutOff:
    @pytest.mark.parametrize(
        ("guard", "snapshot", "name"), [("", 1, "run.h5"), ("", 13, "run.h5"), (UNGUARDED, 5, "on.h5")]
    )
    def test_that_a_run_goes_on_in_a_clean_copy(self, tmp_path, whole, guard, snapshot, name):
        said = child(guard + CUT_OFF, tmp_path / "run.h5", tmp_path / name, snapshot)
        reasons = [os.strerror(errno.EBADF)] * (1 + (not guard and name == "run.h5"))
        assert said == f"{reasons} {name}\n"
        assert_same_file(tmp_path / name, whole)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"run.h5", name})


class TestGivingUp:
    @pytest.mark.parametrize("is_asked", [True, False])
    def test_that_the_run_breaks_off_and_can_be_resumed_to_the_same_end(self, tmp_path, whole, is_asked):
        (tmp_path / "here").mkdir()
        seen = Disturbing(5, lambda path: path.parent.rename(tmp_path / "away"), lambda error, _: give_up(error))
        with pytest.raises(WriteError, match=r"run\.h5 cannot be written: the folder .* is gone"):
            record_run(short(CHANGES), tmp_path / "here" / "run.h5", watcher=seen, rescuer=seen if is_asked else None)
        left = tmp_path / "away" / "run.h5"
        with RunReader(left) as run:
            assert (run.status, run.writer, len(run)) == ("interrupted", None, 5)
        assert_same_run(resume_run(left), whole)

    def test_that_a_name_that_is_taken_is_asked_about_again(self, tmp_path):
        (tmp_path / "here").mkdir()
        (tmp_path / "taken.h5").write_text("precious")
        answers = iter([tmp_path / "taken.h5", tmp_path / "nowhere" / "run.h5", tmp_path / "on.h5"])
        seen = disturbed(
            tmp_path / "here" / "run.h5", 5, lambda path: shutil.rmtree(path.parent), lambda *_: next(answers)
        )
        assert [str(error) for error in seen.errors[1:]] == [
            f"{tmp_path / 'taken.h5'} cannot be written: it exists already and is not overwritten",
            f"{tmp_path / 'nowhere' / 'run.h5'} cannot be written: {os.strerror(errno.ENOENT)}",
        ]
        assert (tmp_path / "taken.h5").read_text() == "precious"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["on.h5", "taken.h5"]


def give_up(error: WriteError) -> Path:
    raise error


# A ballast leaves so many bytes free after a snapshot; it goes when the run is stuck.
FULL = """
import os, sys
from pathlib import Path
from tests.helpers.forked import completed
from tests.helpers.disturbed import disturbed
ballast = Path(sys.argv[1]).with_name("ballast")
def fill(path):
    free = os.statvfs(path).f_bavail * os.statvfs(path).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - int(sys.argv[3]))
def make_room(error, path):
    ballast.unlink(missing_ok=True)
    return path
seen = disturbed(Path(sys.argv[1]), int(sys.argv[2]), fill, make_room)
print([error.reason for error in seen.errors], flush=True)
"""


@pytest.fixture
def mounted(tmp_path):
    """A file system of 400 MB in memory."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a file system")
    place = tmp_path / "mounted"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", place], check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield place
    subprocess.run(["umount", place], check=True)


class TestFullDisk:
    @pytest.mark.parametrize(
        ("guard", "snapshot", "free"), [("", 5, 4096), (UNGUARDED, 3, 40_960), (UNGUARDED, 7, 3_000_000)]
    )
    def test_that_a_run_goes_on_once_there_is_room(self, mounted, whole, guard, snapshot, free):
        said = child(guard + FULL, mounted / "run.h5", snapshot, free)
        assert said == f"[{os.strerror(errno.ENOSPC)!r}]\n"
        assert_same_file(mounted / "run.h5", whole)
        assert [path.name for path in mounted.iterdir()] == ["run.h5"]


@pytest.fixture
def failing_disk(tmp_path):
    """An ext4 file system, and what makes it read-only, as its own driver does after a fault of the disk."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("only root on Linux may make and mount an ext4 file system")
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(400 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, place], check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    device = Path(subprocess.check_output(["findmnt", "-n", "-o", "SOURCE", place], text=True).strip())
    trigger = Path("/sys/fs/ext4") / device.name / "trigger_fs_error"
    try:
        if not os.access(trigger, os.W_OK):
            pytest.skip("ext4 takes no fault here")
        yield place, lambda: trigger.write_text("a fault")
    finally:
        subprocess.run(["umount", place], check=True)  # nothing there is open any more


class TestReadOnly:
    def test_that_a_run_goes_on_elsewhere_and_what_was_written_stays_readable(self, failing_disk, tmp_path, whole):
        place, fail = failing_disk
        seen = disturbed(place / "run.h5", 5, lambda _: fail(), lambda *_: tmp_path / "on.h5")
        assert [error.reason for error in seen.errors] == [os.strerror(errno.EROFS)]
        assert_same_file(tmp_path / "on.h5", whole)
        with RunReader(place / "run.h5") as old:
            assert (old.status, len(old)) == ("interrupted", 5)
