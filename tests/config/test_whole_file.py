"""Atomic writes: what readers find whatever happens while a file is written."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sparseviz.config.whole_file import rename_to_new, scratch, whole_file

OLD, NEW = "old", "new" * 100_000
WRITER = """
import sys
from pathlib import Path
from sparseviz.config.whole_file import whole_file
with whole_file(Path(sys.argv[1])) as temporary, temporary.open("w") as file:
    file.write("new" * 100_000)
    file.flush()
    print("half", flush=True)
    sys.stdin.read()
"""
ON_A_SMALL_DISK = """
import resource, signal, sys
from pathlib import Path
from sparseviz.config.whole_file import whole_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # or else the process would end without a word
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with whole_file(Path(sys.argv[1])) as temporary:
        temporary.write_text("new" * 100_000)
except OSError as error:
    print(error.strerror)
"""


def no_links(*_args, **_kwargs) -> None:
    raise OSError(95, "Operation not supported")


@pytest.fixture(params=["links", "no links"])
def file_system(request, monkeypatch):
    """The one here, and one without hard links, which this machine may not have."""
    if request.param == "no links":
        monkeypatch.setattr(os, "link", no_links)


@pytest.mark.usefixtures("file_system")
class TestRenameToNew:
    def test_that_a_free_name_is_given_and_the_temporary_one_is_gone(self, tmp_path):
        (tmp_path / "temporary").write_text("new")
        rename_to_new(tmp_path / "temporary", tmp_path / "name")
        assert [path.name for path in tmp_path.iterdir()] == ["name"]
        assert (tmp_path / "name").read_text() == "new"

    def test_that_a_taken_name_is_refused_and_both_files_stay_as_they_were(self, tmp_path):
        (tmp_path / "temporary").write_text("new")
        (tmp_path / "name").write_text("old")
        with pytest.raises(FileExistsError):
            rename_to_new(tmp_path / "temporary", tmp_path / "name")
        assert (tmp_path / "name").read_text() == "old"
        assert (tmp_path / "temporary").read_text() == "new"

    def test_that_a_folder_of_that_name_is_refused(self, tmp_path):
        (tmp_path / "temporary").write_text("new")
        (tmp_path / "name").mkdir()
        with pytest.raises(FileExistsError):
            rename_to_new(tmp_path / "temporary", tmp_path / "name")
        assert list((tmp_path / "name").iterdir()) == []
        assert (tmp_path / "temporary").read_text() == "new"

    def test_that_a_temporary_file_that_is_gone_is_told_and_nothing_is_made(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            rename_to_new(tmp_path / "temporary", tmp_path / "name")
        assert list(tmp_path.iterdir()) == []


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "target.json"
    path.write_text(OLD)
    return path


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


class TestReplacing:
    def test_that_the_old_file_is_there_until_the_new_one_is_whole(self, target):
        with whole_file(target) as temporary:
            temporary.write_text(NEW)
            assert target.read_text() == OLD
        assert target.read_text() == NEW
        assert names(target) == ["target.json"]

    def test_that_what_is_written_and_then_its_name_go_to_the_disk(self, target, monkeypatch):
        synced: list[str] = []
        plain = os.fsync

        def fsync(opened):
            descriptor = opened if isinstance(opened, int) else opened.fileno()
            synced.append("folder" if os.path.samestat(os.fstat(descriptor), target.parent.stat()) else "file")
            assert target.read_text() == (OLD if synced == ["file"] else NEW)
            plain(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        with whole_file(target) as temporary:
            temporary.write_text(NEW)
        assert synced == (["file"] if sys.platform == "win32" else ["file", "folder"])

    def test_that_a_file_system_that_cannot_keep_a_folder_is_no_failure(self, target, monkeypatch):
        plain = os.open

        def refuse_folders(path, *args):
            if path == target.parent:
                raise OSError(22, "Invalid argument")
            return plain(path, *args)

        monkeypatch.setattr(os, "open", refuse_folders)
        with whole_file(target) as temporary:
            temporary.write_text(NEW)
        assert target.read_text() == NEW

    @pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, GeneratorExit])
    def test_that_after_a_failure_the_old_file_is_there_and_nothing_else(self, target, error):
        def fail(temporary: Path) -> None:
            temporary.write_text(NEW)
            raise error

        with pytest.raises(error), whole_file(target) as temporary:
            fail(temporary)
        assert target.read_text() == OLD
        assert names(target) == ["target.json"]

    def test_that_a_block_that_wrote_nothing_is_told_and_replaces_nothing(self, target):
        with pytest.raises(FileNotFoundError), whole_file(target):
            pass
        assert target.read_text() == OLD
        assert names(target) == ["target.json"]

    def test_that_a_folder_that_is_gone_is_told(self, tmp_path):
        with pytest.raises(FileNotFoundError), whole_file(tmp_path / "gone" / "file") as temporary:
            temporary.write_text(NEW)

    def test_that_of_a_writer_that_is_killed_in_the_middle_the_old_file_stays_whole(self, target):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "half\n"
            writer.kill()
        assert target.read_text() == OLD
        (left,) = [name for name in names(target) if name != "target.json"]
        assert left.startswith(f".target.json.{writer.pid}-")  # whose it was, for whoever finds it
        with whole_file(target) as temporary:  # and it is in nobody's way
            temporary.write_text(NEW)
        assert target.read_text() == NEW

    @pytest.mark.skipif(sys.platform == "win32", reason="no limit for files there")
    def test_that_on_a_full_disk_the_old_file_stays_whole_and_nothing_is_left(self, target):
        told = subprocess.run(
            [sys.executable, "-c", ON_A_SMALL_DISK, target], capture_output=True, text=True, check=True
        )
        assert told.stdout == "File too large\n"
        assert target.read_text() == OLD
        assert names(target) == ["target.json"]


class TestNewOnly:
    @pytest.mark.usefixtures("file_system")
    def test_that_a_file_that_is_there_is_refused_and_stays(self, target):
        with pytest.raises(FileExistsError), whole_file(target, is_new=True) as temporary:
            temporary.write_text(NEW)
        assert target.read_text() == OLD
        assert names(target) == ["target.json"]

    def test_that_a_file_that_came_while_this_one_was_written_is_refused_and_stays(self, tmp_path):
        target = tmp_path / "target.json"

        def write_both(temporary: Path) -> None:
            temporary.write_text(NEW)
            target.write_text(OLD)

        with pytest.raises(FileExistsError), whole_file(target, is_new=True) as temporary:
            write_both(temporary)
        assert target.read_text() == OLD
        assert names(target) == ["target.json"]

    @pytest.mark.usefixtures("file_system")
    def test_that_a_folder_is_made_whole_too(self, tmp_path):
        with whole_file(tmp_path / "tables", is_new=True) as temporary:
            (temporary / "deep").mkdir(parents=True)
            (temporary / "deep" / "table.csv").write_text(NEW)
            assert not (tmp_path / "tables").exists()
        assert (tmp_path / "tables" / "deep" / "table.csv").read_text() == NEW
        assert names(tmp_path / "tables") == ["tables"]

    def test_that_a_folder_that_is_there_is_refused_though_it_is_empty(self, tmp_path):
        (tmp_path / "tables").mkdir()
        with pytest.raises(FileExistsError), whole_file(tmp_path / "tables", is_new=True) as temporary:
            temporary.mkdir()
        assert names(tmp_path / "tables") == ["tables"]
        assert not any((tmp_path / "tables").iterdir())


class TestThreads:
    @pytest.mark.parametrize("is_new", [False, True])
    def test_that_of_two_at_once_one_is_there_whole(self, tmp_path, is_new):
        target, both_wrote = tmp_path / "target.json", threading.Barrier(2, timeout=60)

        def write(text: str) -> bool:
            try:
                with whole_file(target, is_new=is_new) as temporary:
                    temporary.write_text(text)
                    both_wrote.wait()
            except FileExistsError:
                return False
            return True

        texts = ["a" * 100_000, "b" * 100_000]
        with ThreadPoolExecutor(2) as threads:
            wrote = list(threads.map(write, texts))
        assert sum(wrote) == (1 if is_new else 2)
        assert target.read_text() in [text for text, is_there in zip(texts, wrote, strict=True) if is_there]
        assert names(target) == ["target.json"]


def test_that_of_a_scratch_nothing_is_left_and_the_file_beside_it_stays(target):
    with scratch(target) as first, scratch(target) as second:
        first.write_text(NEW)
        second.mkdir()
        (second / "file").write_text(NEW)
    assert target.read_text() == OLD
    assert names(target) == ["target.json"]
