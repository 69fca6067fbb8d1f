"""Run files that cannot be made or read: each is told by name, and nothing half done is left."""

import dataclasses
import errno
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from sparseviz.store import RunFileError, RunReader, RunWriter, writer
from sparseviz.store.files.signature import FORMAT_VERSION
from sparseviz.store.format import lay_out
from sparseviz.training.trainer import TrainingError
from tests.helpers.runs import Seen, new_writer, recorded
from tests.helpers.same import assert_same_checkpoint, plain


def read_all(path: Path) -> None:
    with RunReader(path) as run:
        assert len([run.status, run.message, run.errors]) == 3
        run.snapshots()
        run.test_inputs()
        assert all(run.checkpoint(step).step == step for step in run.checkpoint_steps())


class TestNewFile:
    def test_that_an_existing_file_is_refused_and_keeps_its_bytes(self, gated, tmp_path):
        (tmp_path / "run.h5").write_bytes(b"mine")
        with pytest.raises(RunFileError, match=r"run\.h5 exists already and is not overwritten"):
            new_writer(gated, tmp_path / "run.h5")
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("run.h5", b"mine")]

    def test_that_a_file_that_appears_meanwhile_is_not_overwritten(self, gated, tmp_path, monkeypatch):
        spoil_layout(monkeypatch, lambda: (tmp_path / "run.h5").write_bytes(b"mine"))
        with pytest.raises(RunFileError, match="exists already"):
            new_writer(gated, tmp_path / "run.h5")
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("run.h5", b"mine")]

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), MemoryError()])
    def test_that_a_failure_while_laying_out_leaves_nothing(self, gated, tmp_path, monkeypatch, error):
        def fail():
            assert len(list(tmp_path.iterdir())) == 1  # the unfinished file
            raise error

        spoil_layout(monkeypatch, fail)
        with pytest.raises(RunFileError if isinstance(error, OSError) else type(error)):
            new_writer(gated, tmp_path / "run.h5")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("below", ["run.h5", "deeper/run.h5"])
    def test_that_a_folder_that_cannot_be_made_is_named(self, gated, tmp_path, below):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(RunFileError, match=r"cannot be written: .*choose another folder") as caught:
            new_writer(gated, tmp_path / "file" / below)
        assert str(tmp_path / "file" / below) in str(caught.value)
        assert (tmp_path / "file").read_text() == "in the way"

    def test_that_failed_training_leaves_status_message_and_snapshots(self, tmp_path):
        seen = Seen()
        with pytest.raises(TrainingError):
            recorded(tmp_path / "run.h5", {"optimizer.rate": 1e30}, seen)
        with RunReader(tmp_path / "run.h5") as run:
            assert run.status == "failed"
            assert run.message.startswith("TrainingError: the loss is no longer a finite number at step ")
            np.testing.assert_equal([plain(one) for one in run.snapshots()], [plain(one) for one in seen.snapshots])
            assert len(run) >= 1
            assert_same_checkpoint(run.checkpoint(0), seen.checkpoints[0])


def spoil_layout(monkeypatch, spoil) -> None:
    def spoiled(*args):
        lay_out(*args)
        spoil()

    monkeypatch.setattr(writer, "lay_out", spoiled)


NEWER = rf"copy\.h5 has format {FORMAT_VERSION + 1}, .* reads up to {FORMAT_VERSION}; update sparseviz"

CHECKED = (
    "snapshots/histogram",
    "snapshots/scalars",
    "snapshots/layers",
    "snapshots/row_kept",
    "snapshots/column_kept",
    "events",
    "previews",
    "layers/0/preview",
    "checkpoints/index",
    "checkpoints/0/parameters/fc1.weight",
    "checkpoints/0/masks/fc3",
    "checkpoints/0/quantities/fc2",
    "test/images",
    "test/labels",
)


class TestDamage:
    def test_that_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(RunFileError, match=r"none\.h5: no such file"):
            RunReader(tmp_path / "none.h5")

    @pytest.mark.parametrize("content", [b"", b"\x89HDF", b"<html>" * 1000])
    def test_that_what_is_no_hdf5_is_refused(self, tmp_path, content):
        (tmp_path / "page.h5").write_bytes(content)
        with pytest.raises(RunFileError, match=r"page\.h5 is no HDF5 file"):
            RunReader(tmp_path / "page.h5")

    def test_that_another_program_s_hdf5_is_refused(self, tmp_path):
        h5py.File(tmp_path / "other.h5", "w").close()
        with pytest.raises(RunFileError, match=r"other\.h5 is an HDF5 file, but no run of sparseviz"):
            RunReader(tmp_path / "other.h5")

    def test_that_a_newer_format_asks_for_a_newer_program(self, copy):
        with h5py.File(copy, "r+") as file:
            file.attrs["format_version"] = FORMAT_VERSION + 1
        with pytest.raises(RunFileError, match=NEWER):
            RunReader(copy)

    @pytest.mark.parametrize("name", ["snapshots/row_kept", "layers", "checkpoints/index"])
    def test_that_a_missing_part_is_told_with_the_file(self, copy, name):
        with h5py.File(copy, "r+") as file:
            del file[name]
        with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, it may be damaged"):
            read_all(copy)

    @pytest.mark.parametrize("name", CHECKED)
    def test_that_one_flipped_bit_is_told_with_the_file(self, copy, name):
        with h5py.File(copy, "r") as file:
            chunk = file[name].id.get_chunk_info(0)
        content = bytearray(copy.read_bytes())
        content[chunk.byte_offset + chunk.size // 2] ^= 1
        copy.write_bytes(content)
        with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, it may be damaged"):
            read_all(copy)

    @pytest.mark.parametrize("name", [*CHECKED, "status", "message", "errors", "snapshots/count"])
    def test_that_a_chunk_that_was_wiped_out_is_told_with_the_file(self, copy, name):
        with h5py.File(copy, "r") as file:
            chunk = file[name].id.get_chunk_info(0)
        content = bytearray(copy.read_bytes())
        content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
        copy.write_bytes(content)
        with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, it may be damaged"):
            read_all(copy)

    def test_that_ones_that_became_zeros_are_told(self, copy):
        """-1 in 32 bits, "never cut": to Fletcher's sum, modulo 65535, that is 0."""
        content, never = copy.read_bytes(), b"\xff" * 400
        assert never in content
        copy.write_bytes(content.replace(never, bytes(len(never)), 1))
        with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, it may be damaged"):
            read_all(copy)

    def test_that_a_lone_number_is_checked_too(self, gated, tmp_path):
        first = gated.checkpoints[0]
        with_one = dataclasses.replace(first, parameters={**first.parameters, "batches": np.array(0x1234567)})
        with RunReader(gated.path) as run:
            written = RunWriter(tmp_path / "copy.h5", run.info, run.test_inputs(), with_one)
        written.checkpoint(dataclasses.replace(with_one, step=9))
        written.close()
        with RunReader(written.path) as run:
            assert run.checkpoint().parameters["batches"] == 0x1234567
        content = written.path.read_bytes()
        written.path.write_bytes(content.replace(b"\x67\x45\x23\x01", b"\x67\x45\x23\x00", 1))
        with pytest.raises(RunFileError, match=r"copy\.h5 cannot be read, it may be damaged"):
            read_all(written.path)

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
    def test_that_a_file_cut_short_is_told_at_once(self, copy, share):
        copy.write_bytes(copy.read_bytes()[: int(share * copy.stat().st_size)])
        code = "import sys; from sparseviz.store import RunReader; RunReader(sys.argv[1]).snapshots()"
        command = [sys.executable, "-c", code, copy]
        # In a process of its own: HDF5 can wait for the missing part of a file without an end.
        ended = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        assert f"RunFileError: {copy} cannot be read, it may be damaged" in ended.stderr
