"""A run that was stopped or killed at any step and resumed is bit for bit the run that never was."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from sparseviz.config import InputError
from sparseviz.runs.recording import record_run, resume_run
from sparseviz.store import RunFileError, RunReader
from sparseviz.store.files.hdf5 import seal
from sparseviz.values.states import Phase
from tests.helpers.kinds import KINDS, LENGTH
from tests.helpers.places import FORMATS
from tests.helpers.processes import TELLING, killed, lines, process
from tests.helpers.runs import StoppingAt, recorded, short
from tests.helpers.same import assert_same_checkpoint, assert_same_run, plain


class Steering(StoppingAt):
    """Steers at the step at which another stops, and stops only where that is asked."""

    def __init__(self, step: int, *, stops: bool = False) -> None:
        super().__init__(step)
        self.stops = stops

    def interfere(self) -> None:
        self.trainer.steer({"penalty.lambda2": 3e-4, "epochs": 3})
        self.trainer.freeze()
        if self.stops:
            self.trainer.stop()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run of a kind that is never stopped."""
    runs: dict[str, Path] = {}

    def path(kind: str) -> Path:
        if kind not in runs:
            runs[kind] = record_run(short(KINDS[kind] | LENGTH), tmp_path_factory.mktemp("whole") / "whole.h5")
        return runs[kind]

    return path


class TestStopped:
    @pytest.mark.parametrize("step", [0, 1, 5, 10, 13])  # snapshots at 0, 3, 5, 8, 10, 13, 15, ...
    @pytest.mark.parametrize("kind", KINDS)
    def test_that_it_goes_on_as_if_it_had_never_stopped(self, tmp_path, whole, kind, step):
        stopped = recorded(tmp_path / "stopped.h5", KINDS[kind] | LENGTH, StoppingAt(step))
        before = stopped.path.read_bytes()
        resumed = resume_run(stopped.path)
        assert resumed == tmp_path / "stopped-0001.h5"
        assert stopped.path.read_bytes() == before
        with RunReader(resumed) as run:
            assert (run.info.resumed, run.status) == ((step,), "finished")
        assert_same_run(resumed, whole(kind))

    def test_that_it_may_be_stopped_again_and_again(self, tmp_path, whole):
        path = recorded(tmp_path / "run.h5", KINDS["averaged weights"] | LENGTH, StoppingAt(4)).path
        for step in (9, 11, 18):
            path = resume_run(path, tmp_path / f"to-{step}.h5", watcher=StoppingAt(step))
        last = resume_run(path)
        with RunReader(last) as run:
            assert run.info.resumed == (4, 9, 11, 18)
        assert_same_run(last, whole("averaged weights"))

    def test_that_what_was_steered_and_frozen_just_before_the_stop_stays_in_force(self, tmp_path):
        free = recorded(tmp_path / "free.h5", LENGTH, Steering(7)).path
        stopped = recorded(tmp_path / "stopped.h5", LENGTH, Steering(7, stops=True)).path
        resumed = resume_run(stopped)
        assert_same_run(resumed, free)
        with RunReader(resumed) as run:
            last = run.snapshots()[-1]
            assert [event.name for event in run.history().events()] == ["penalty.lambda2", "epochs", "freeze"]
            assert (last.step, last.phase) == (30, Phase.FROZEN)

    def test_that_previews_and_checkpoints_lie_as_in_a_run_that_was_never_stopped(self, tmp_path, whole):
        stopped = recorded(tmp_path / "stopped.h5", LENGTH | {"record.checkpoints": 9}, StoppingAt(11)).path
        with RunReader(resume_run(stopped)) as run, RunReader(whole("gated threshold")) as other:
            held = [
                [one.step for one in file.snapshots() if one.layers[0].preview is not None] for file in (run, other)
            ]
            assert len(held[0]) >= len(held[1]) - 1  # the last snapshot before the stop took one slot
            assert held[0][0] == held[1][0] == 0
            for one, same in zip(run.snapshots(), other.snapshots(), strict=True):
                if one.layers[0].preview is not None and same.layers[0].preview is not None:
                    np.testing.assert_equal(plain(one, time=False), plain(same, time=False))
            assert 11 in run.checkpoint_steps()
            with RunReader(stopped) as first:
                for step in set(run.checkpoint_steps()) & set(first.checkpoint_steps()) - {11}:
                    assert_same_checkpoint(run.checkpoint(step), first.checkpoint(step))


class TestKilled:
    @pytest.mark.parametrize(("kind", "snapshots"), [("gated bernoulli", 1), ("averaged weights", 5), ("magnitude", 7)])
    def test_that_a_killed_training_goes_on_from_its_last_whole_checkpoint(self, tmp_path, kind, snapshots):
        changes = KINDS[kind] | LENGTH | {"epochs": 6}
        with process(TELLING, tmp_path / "killed.h5", json.dumps(changes)) as child:
            lines(child, snapshots)
            killed(child)
            child.wait()
        with RunReader(tmp_path / "killed.h5") as run:
            assert run.status == "interrupted"
            point = run.checkpoint().step
        resumed = resume_run(tmp_path / "killed.h5", tmp_path / "resumed.h5")
        with RunReader(resumed) as run:
            assert run.info.resumed == (point,)
        assert_same_run(resumed, record_run(short(changes), tmp_path / "whole.h5"))

    def test_that_where_the_newest_state_is_half_written_the_one_before_is_taken(self, tmp_path, whole):
        stopped = recorded(tmp_path / "stopped.h5", LENGTH, StoppingAt(12)).path
        with h5py.File(stopped, "r+") as file:
            index = file["resume/index"][()]
            index["after"][index["step"] == 12] = 0
            file["resume/index"][...] = index
        with RunReader(resume_run(stopped)) as run:
            assert 0 < run.info.resumed[0] < 12
        assert_same_run(tmp_path / "stopped-0001.h5", whole("gated threshold"))


class TestRefused:
    def test_that_a_finished_run_is_refused_with_what_to_do(self, gated, tmp_path):
        with pytest.raises(RunFileError, match=r"gated\.h5 has finished.*press Train .*with more epochs"):
            resume_run(gated.path, tmp_path / "new.h5")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("version", [1, 2])
    def test_that_an_older_format_is_refused_with_what_to_do(self, tmp_path, version):
        path = shutil.copy(FORMATS / f"format-{version}.h5", tmp_path / "old.h5")
        with h5py.File(path, "r+") as file:
            file["status"][0] = b"stopped"
        with pytest.raises(RunFileError, match=rf"old\.h5 has format {version}, which lacks .*press Train"):
            resume_run(path)
        assert [path.name for path in tmp_path.iterdir()] == ["old.h5"]

    def test_that_a_run_that_trains_is_refused_with_its_writer(self, tmp_path):
        changes = '{"epochs": 100000, "record.snapshots": 100000}'
        with process(TELLING, tmp_path / "run.h5", changes) as child:
            lines(child, 2)
            with pytest.raises(RunFileError, match=rf"is being written by process {child.pid} on .*stop that"):
                resume_run(tmp_path / "run.h5")

    def test_that_other_data_is_refused(self, tmp_path):
        stopped = recorded(tmp_path / "stopped.h5", LENGTH, StoppingAt(3)).path
        with h5py.File(stopped, "r+") as file:
            file.attrs["data_checksum"] = "other"
            seal(file)
        with pytest.raises(InputError, match=r"stopped\.h5 cannot be resumed: its network or its data are not"):
            resume_run(stopped)

    def test_that_an_existing_file_is_not_overwritten(self, tmp_path):
        stopped = recorded(tmp_path / "stopped.h5", LENGTH, StoppingAt(3)).path
        (tmp_path / "mine.h5").write_bytes(b"mine")
        with pytest.raises(RunFileError, match=r"mine\.h5 exists already"):
            resume_run(stopped, tmp_path / "mine.h5")
        assert (tmp_path / "mine.h5").read_bytes() == b"mine"
