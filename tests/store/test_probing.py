"""The trial of a file in a child process: what could hang, break off or fill the program's memory stays there."""

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import h5py
import pytest

from sparseviz.store import RunFileError, RunReader
from sparseviz.store.files import probing
from sparseviz.store.files.hdf5 import attributes, open_file, seal
from sparseviz.store.files.probe import SECONDS
from sparseviz.store.files.superblock import is_left_open
from sparseviz.store.header import read_header, read_headers
from tests.helpers.damage import metadata
from tests.helpers.places import ROOT
from tests.helpers.processes import HOLD, WRITE, killed, lines, process
from tests.helpers.runs import new_writer


@contextmanager
def endless(copy):
    """A file that seems to be written: then damaged metadata is read again and again, in effect for ever."""
    content = bytearray(copy.read_bytes())
    for place in metadata(copy):
        if place.start > 100:  # the superblock and the root stay
            content[place.start : place.stop] = bytes(len(place))
    copy.write_bytes(content)
    with process(HOLD, copy) as child:
        lines(child, 1)
        yield copy


@pytest.fixture
def asked(monkeypatch):
    """What the child is asked from now on; nothing is known of any file."""
    questions = []
    ask = probing._child.ask

    def listen(question):
        questions.append(question["look"])
        return ask(question)

    monkeypatch.setattr(probing._child, "ask", listen)
    monkeypatch.setattr(probing, "_sound", {})
    return questions


class TestLimits:
    def test_that_a_file_on_which_hdf5_waits_for_ever_is_given_up_in_time(self, copy):
        with endless(copy):
            began = time.monotonic()
            with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, .* took too long"):
                RunReader(copy)
            assert SECONDS - 1 < time.monotonic() - began < 3 * SECONDS

    def test_that_a_child_that_breaks_down_is_told_with_the_file_and_followed_by_another(self, gated, copy):
        with endless(copy):
            assert not read_header(gated.path).problem  # a child runs
            child = probing._child._process
            assert child is not None
            blow = Timer(0.5, child.kill)
            blow.start()
            assert "copy.h5 cannot be read" in read_header(copy).problem
            blow.join()
        assert read_header(gated.path).status == "finished"

    def test_that_a_list_goes_on_behind_a_file_that_brings_the_child_down(self, gated, copy):
        for name in ("a", "z"):
            shutil.copy(gated.path, copy.with_name(f"{name}.h5"))
        with endless(copy):
            found = {header.path.stem: header for header in read_headers(copy.parent)}
        assert [bool(found[name].problem) for name in ("a", "copy", "z")] == [False, True, False]

    def test_that_a_dataset_larger_than_its_file_can_hold_is_refused_before_it_takes_memory(self, copy):
        with h5py.File(copy, "r+") as file:
            del file["previews"]
            file.create_dataset("previews", shape=(10**10,), dtype="f8", chunks=(100,))
        with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, .*/previews claims 80,000,000,000 bytes"):
            RunReader(copy)

    @pytest.mark.skipif(sys.platform != "linux", reason="only there memory is limited")
    def test_that_the_child_cannot_take_more_memory_than_its_share(self, gated):
        assert not read_header(gated.path).problem  # a child runs
        child = probing._child._process
        assert child is not None
        limits = Path(f"/proc/{child.pid}/limits").read_text()
        assert f"Max address space         {1 << 30}" in limits
        assert "Max core file size        0" in limits

    @pytest.mark.parametrize("kind", [h5py.string_dtype(), h5py.ref_dtype])
    def test_that_a_kind_of_data_that_no_run_has_is_refused(self, copy, kind):
        with h5py.File(copy, "r+") as file:
            file.create_dataset("events2", shape=(2,), dtype=kind)
        with pytest.raises(RunFileError, match=r"/events2 is of a kind that no run has"):
            RunReader(copy)


class TestWhen:
    def test_that_a_file_is_tried_once_and_again_when_it_has_changed(self, copy, asked):
        for _ in range(3):
            RunReader(copy).close()
        assert asked == ["whole"]
        with h5py.File(copy, "r+") as file:
            file["message"][0] = b"another"
        RunReader(copy).close()
        assert asked == ["whole", "whole"]

    def test_that_the_run_that_this_process_writes_is_not_tried(self, gated, tmp_path, asked):
        writer = new_writer(gated, tmp_path / "run.h5")
        asked.clear()
        for snapshot in gated.snapshots:
            writer.append(snapshot)
            with RunReader(writer.path) as run:
                assert run.status == "training"
        writer.close()
        assert asked == []

    def test_that_a_run_that_another_process_writes_is_tried_once(self, gated, tmp_path, asked):
        with process(WRITE, gated.path, tmp_path / "run.h5") as child:
            for _ in range(3):
                lines(child, 2)
                RunReader(tmp_path / "run.h5").close()
            assert asked == ["whole"]
            killed(child)
            child.wait()
        RunReader(tmp_path / "run.h5").close()
        assert asked == ["whole", "whole"]

    def test_that_the_child_loads_little_and_starts_fast(self):
        code = "import sys, sparseviz.store.files.probe; print({'torch', 'pydantic', 'PySide6'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "set()\n"


class TestLeftOpen:
    def test_that_a_killed_writer_s_file_is_read_plainly_and_stays_as_it_is(self, gated, tmp_path):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 5)
            killed(child)
            child.wait()
        before = path.read_bytes()
        assert is_left_open(path)
        with open_file(path, is_live=False) as plain, h5py.File(path, "r", swmr=True) as swmr:
            assert not plain.swmr_mode
            assert plain["snapshots/scalars"][()].tobytes() == swmr["snapshots/scalars"][()].tobytes()
        assert path.read_bytes() == before

    def test_that_what_lies_behind_the_end_of_a_killed_writer_s_file_is_missed(self, gated, tmp_path):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 5)
            killed(child)
            child.wait()
        content = path.read_bytes()
        written = len(content.rstrip(b"\0"))  # behind it there is room that was taken in advance
        path.write_bytes(content[: written - 2000])
        with pytest.raises(RunFileError, match=r"run\.h5 cannot be read, it may be damaged"), RunReader(path) as run:
            run.snapshots()


class TestAttributes:
    def test_that_a_changed_attribute_is_told(self, copy):
        with h5py.File(copy, "r+") as file:
            file["layers/1"].attrs["name"] = "fc9"
        with pytest.raises(RunFileError, match=r"copy\.h5 .*the attributes of /layers/1 do not match their checksum"):
            RunReader(copy)

    def test_that_a_letter_of_the_configuration_that_changed_on_the_disk_is_told(self, copy):
        content = copy.read_bytes()
        assert content.count(b'"network":"lenet300"') == 1
        copy.write_bytes(content.replace(b'"network":"lenet300"', b'"network":"lenet301"'))
        with pytest.raises(RunFileError, match=r"copy\.h5 .*the attributes of / do not match their checksum"):
            RunReader(copy)
        assert "the attributes of /" in read_header(copy).problem

    def test_that_attributes_of_every_type_are_sealed(self, tmp_path):
        with h5py.File(tmp_path / "any.h5", "w") as file:
            file.attrs.update({"text": "λ", "number": 3, "share": 0.1, "none": ""})
            seal(file)
            assert attributes(file) == {"text": "λ", "number": 3, "share": 0.1, "none": ""}
            file.attrs["share"] = 0.2
            with pytest.raises(ValueError, match="the attributes of / do not match"):
                attributes(file)
