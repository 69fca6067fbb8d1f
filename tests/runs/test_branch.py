"""A branch goes on from any checkpoint of a run: unchanged, bit for bit as its parent would have; or otherwise."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sparseviz.config import ConfigError, InputError
from sparseviz.config.changes import KEPT, check_branch
from sparseviz.runs.recording import branch_run, record_run, resume_run
from sparseviz.store import Parent, RunFileError, RunReader, branch_configs, summary
from sparseviz.store.files.hdf5 import seal
from sparseviz.values.snapshot import Event
from tests.helpers.kinds import KINDS, LENGTH
from tests.helpers.places import FORMATS
from tests.helpers.processes import TELLING, lines, process
from tests.helpers.runs import Seen, StoppingAt, recorded, short
from tests.helpers.same import assert_same_checkpoint, plain

BRANCH = "branch"


class SteeringAt(Seen):
    """A watcher that steers when it has seen the snapshot of a step."""

    def __init__(self, step: int, values: dict[str, float]) -> None:
        super().__init__()
        self.step, self.values = step, values

    def saw(self, snapshot):
        super().saw(snapshot)
        if snapshot.step == self.step:
            self.trainer.steer(self.values)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run of a kind that is never stopped: 20 steps, with checkpoints at several of them."""
    runs: dict[str, Path] = {}

    def path(kind: str) -> Path:
        if kind not in runs:
            runs[kind] = record_run(short(KINDS[kind] | LENGTH), tmp_path_factory.mktemp("whole") / "whole.h5")
        return runs[kind]

    return path


def without_branch(path: Path) -> list[dict[str, Any]]:
    """The snapshots, without the marks at which a run left its parent."""
    with RunReader(path) as run:
        found = [plain(snapshot, time=False, previews=False) for snapshot in run.snapshots()]
    for snapshot in found:
        snapshot["events"] = [event for event in snapshot["events"] if event[1] != BRANCH]
    return found


def assert_same_but_for_the_branch(branch: Path, other: Path) -> None:
    np.testing.assert_equal(without_branch(branch), without_branch(other))
    with RunReader(branch) as ours, RunReader(other) as theirs:
        assert_same_checkpoint(ours.checkpoint(), theirs.checkpoint())
        assert (ours.errors, ours.status) == (theirs.errors, theirs.status)


class TestUnchanged:
    @pytest.mark.parametrize("kind", KINDS)
    def test_that_from_any_checkpoint_it_goes_on_bit_for_bit_as_its_parent_did(self, tmp_path, whole, kind):
        source = whole(kind)
        before = source.read_bytes()
        steps = [step for step in branch_configs(source) if step < 20]
        assert len(steps) == 2
        for step in steps:
            branch = branch_run(source, step, path=tmp_path / f"from-{step}.h5")
            assert_same_but_for_the_branch(branch, source)
        assert source.read_bytes() == before

    def test_that_it_is_what_a_resume_would_be_but_a_run_of_its_own(self, tmp_path):
        stopped = recorded(tmp_path / "stopped.h5", LENGTH, StoppingAt(11)).path
        branch = branch_run(stopped)
        assert branch == tmp_path / "stopped-0001.h5"
        assert_same_but_for_the_branch(branch, resume_run(stopped))
        with RunReader(stopped) as parent, RunReader(branch) as run:
            assert run.info.parent == Parent(parent.info.id, "stopped", 11)
            assert run.info.id not in ("", parent.info.id)
            assert run.info.resumed == ()
            assert summary(run)["parent"] == {"id": parent.info.id, "name": "stopped", "step": 11}
            assert [(event.step, event.name) for event in run.history().events()] == [(11, BRANCH)]

    def test_that_a_resumed_run_has_the_states_of_its_checkpoints_still(self, tmp_path, whole):
        changes = LENGTH | {"record.checkpoints": 9}
        resumed = resume_run(recorded(tmp_path / "stopped.h5", changes, StoppingAt(11)).path)
        steps = [step for step in branch_configs(resumed) if step < 11]
        assert len(steps) > 1
        assert 11 in branch_configs(resumed)
        for step in (steps[0], steps[-1]):
            assert_same_but_for_the_branch(branch_run(resumed, step), whole("gated threshold"))

    def test_that_a_branch_that_was_stopped_is_resumed_and_branched_again(self, tmp_path, whole):
        source = whole("averaged weights")
        first = branch_run(source, 0, {"epochs": 3}, tmp_path / "first.h5", watcher=StoppingAt(13))
        resumed = resume_run(first)
        with RunReader(first) as one, RunReader(resumed) as other:
            assert (other.info.id, other.info.parent) == (one.info.id, one.info.parent)
        again = branch_run(first, path=tmp_path / "again.h5")
        assert_same_but_for_the_branch(again, resumed)
        straight = branch_run(source, 0, {"epochs": 3}, tmp_path / "straight.h5")
        assert_same_but_for_the_branch(resumed, straight)
        with RunReader(again) as run:
            assert run.info.parent == Parent(one.info.id, "first", 13)
            assert run.snapshots()[-1].step == 30


class TestChanged:
    def test_that_changed_penalties_and_rates_are_felt_as_in_a_run_that_was_steered_there(self, tmp_path, whole):
        values = {"epochs": 3, "penalty.lambda2": 3e-4, "optimizer.gate_rate": 0.02}
        step = [step for step in branch_configs(whole("gated threshold")) if 0 < step < 20][-1]
        steered = recorded(tmp_path / "steered.h5", LENGTH, SteeringAt(step, values)).path
        branch = branch_run(whole("gated threshold"), step, values, tmp_path / "branch.h5")
        assert_same_but_for_the_branch(branch, steered)
        with RunReader(branch) as run:
            assert (run.config.penalty.lambda2, run.config.epochs) == (3e-4, 3)
            assert summary(run)["steps"] == 30

    def test_that_a_finished_run_goes_on_where_its_epochs_are_raised(self, tmp_path, whole):
        source = whole("magnitude")
        with pytest.raises(InputError, match=r"epochs: all 2 are done at this checkpoint; raise epochs"):
            branch_run(source, path=tmp_path / "no.h5")
        assert list(tmp_path.iterdir()) == []
        steered = recorded(tmp_path / "steered.h5", KINDS["magnitude"] | LENGTH, SteeringAt(20, {"epochs": 4})).path
        branch = branch_run(source, 20, {"epochs": 4}, tmp_path / "branch.h5")
        with RunReader(branch) as run, RunReader(steered) as other, RunReader(source) as parent:
            assert_same_checkpoint(run.checkpoint(), other.checkpoint())
            assert run.errors == other.errors
            assert (run.snapshots()[-1].step, run.checkpoint().step) == (40, 40)
            assert len(run) > len(parent)

    def test_that_an_extended_parent_is_in_force_and_its_branch_says_what_changed(self, tmp_path):
        values = {"penalty.lambda2": 3e-4, "epochs": 3}
        steered = recorded(tmp_path / "steered.h5", LENGTH, SteeringAt(5, values)).path
        configs = branch_configs(steered)
        assert (configs[0].epochs, configs[0].penalty.lambda2) == (2, 2e-5)
        assert (configs[30].epochs, configs[30].penalty.lambda2) == (3, 3e-4)
        step = next(step for step in configs if 5 < step < 30)
        assert_same_but_for_the_branch(branch_run(steered, step, path=tmp_path / "same.h5"), steered)
        change = {"penalty.lambda1": 1e-5, "method.draw": "bernoulli", "optimizer.weight_decay": 1e-4}
        branch = branch_run(steered, step, change | {"penalty.lambda2": 3e-4}, tmp_path / "branch.h5")
        with RunReader(branch) as run:
            told = {event.name: (event.before, event.after) for event in run.history().events() if event.step == step}
            assert run.config == configs[step].changed(change)
        assert set(told) == {BRANCH, *change}
        assert told["penalty.lambda1"] == (1e-6, 1e-5)
        assert math.isnan(told["method.draw"][1])

    @pytest.mark.parametrize(
        "change",
        [
            {"method.draw": "bernoulli", "method.draws": 3},
            {"optimizer.gates": "sgd"},
            {"optimizer.weights": "sgd", "optimizer.rate": 0.01},
            {"accumulate": 2, "optimizer.label_smoothing": 0.1},
            {"penalty.count": "l2", "penalty.scale": "mean"},
            {"optimizer.average": 0.9, "schedule.decide_from": 0.8, "schedule.freeze_from": 0.8},
            {"seed": 8},
            {"dropout": (0.3, 0.3)},
            {"precision": "bfloat16"},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_that_other_settings_change_what_comes_after_and_nothing_before(self, tmp_path, whole, change):
        source = whole("gated threshold")
        step = next(step for step in branch_configs(source) if 0 < step < 20)
        branch = branch_run(source, step, change, tmp_path / "branch.h5")
        before = [snapshot for snapshot in without_branch(source) if snapshot["step"] <= step]
        np.testing.assert_equal(without_branch(branch)[: len(before)], before)
        with RunReader(branch) as run, RunReader(source) as parent:
            assert run.status == "finished"
            assert run.snapshots()[-1].step == 20
            ours, theirs = (file.checkpoint().parameters["fc1.weight"] for file in (run, parent))
            assert not np.array_equal(ours, theirs)
        assert next(iter(branch_configs(branch))) == step

    def test_that_gates_moved_by_plain_steps_may_be_moved_by_adam_from_there(self, tmp_path, whole):
        branch = branch_run(whole("gated bernoulli"), 0, {"optimizer.gates": "adam"}, tmp_path / "branch.h5")
        other = recorded(tmp_path / "adam.h5", KINDS["gated bernoulli"] | LENGTH | {"optimizer.gates": "adam"}).path
        with RunReader(branch) as run, RunReader(other) as adam:
            assert_same_checkpoint(run.checkpoint(), adam.checkpoint())

    def test_that_frozen_masks_move_again_where_the_schedule_lets_them(self, tmp_path, whole):
        source = whole("averaged weights")
        step = max(step for step in branch_configs(source) if step < 20)
        change = {"schedule.freeze_from": 1.0, "schedule.decide_from": 1.0, "optimizer.average": 0.0}
        branch = branch_run(source, step, change | {"penalty.lambda2": 0.1, "epochs": 4}, tmp_path / "branch.h5")
        with RunReader(branch) as run:
            phases = {snapshot.step: snapshot.phase for snapshot in run.snapshots()}
            flips = sum(
                layer.flips for snapshot in run.snapshots() if snapshot.step > step for layer in snapshot.layers
            )
        assert phases[step] == "frozen"
        assert {phase for at, phase in phases.items() if step < at} == {"train"}
        assert flips > 0


class TestRefused:
    @pytest.mark.parametrize("name", KEPT)
    def test_that_what_a_branch_keeps_is_refused_by_name(self, name):
        other: dict[str, Any] = {
            "network": "lenet5",
            "weights": "other.pt",
            "weights_partial": True,
            "data.name": "mnist",
            "method.name": "dense",
            "method.estimator": "plain",
            "gate.start_by_layer": {"fc1": 0.9},
            "gate.top_share": {"fc1": 0.9},
            "gate.layers": ("fc1",),
            "gate.granularity": "output",
            "gate.start": 0.9,
        }
        config = short()
        value = other[name] if name in other else config.value(name) + 1
        with pytest.raises(ConfigError, match=rf"^{name}: a branch keeps it as in its parent"):
            check_branch(config, {name: value}, 0)
        assert check_branch(config, {name: config.value(name)}, 0) == config

    def test_that_fewer_epochs_and_unknown_settings_are_refused(self, tmp_path, whole):
        with pytest.raises(ConfigError, match=r"epochs: a branch can be made longer than 2 in all, not shorter"):
            branch_run(whole("gated threshold"), 0, {"epochs": 1}, tmp_path / "no.h5")
        with pytest.raises(ConfigError, match=r"penalty\.lambda3: no such setting"):
            branch_run(whole("gated threshold"), 0, {"penalty.lambda3": 1}, tmp_path / "no.h5")
        assert list(tmp_path.iterdir()) == []

    def test_that_a_step_without_a_checkpoint_is_told_with_those_that_have_one(self, tmp_path, whole):
        steps = ", ".join(map(str, branch_configs(whole("gated threshold"))))
        with pytest.raises(RunFileError, match=rf"has no checkpoint at step 7; go on from one of the steps {steps}$"):
            branch_run(whole("gated threshold"), 7, path=tmp_path / "no.h5")

    def test_that_a_checkpoint_of_the_parent_is_branched_from_the_parent(self, tmp_path, whole):
        step = next(step for step in branch_configs(whole("gated threshold")) if 0 < step < 20)
        branch = branch_run(whole("gated threshold"), step, path=tmp_path / "branch.h5")
        with pytest.raises(
            RunFileError, match=r"has no whole state .* at step 0; .*earlier ones are in its parent, whole"
        ):
            branch_run(branch, 0)

    @pytest.mark.parametrize("version", [1, 2])
    def test_that_an_older_format_is_refused_with_what_to_do(self, tmp_path, version):
        path = shutil.copy(FORMATS / f"format-{version}.h5", tmp_path / "old.h5")
        assert branch_configs(Path(path)) == {}
        with pytest.raises(RunFileError, match=rf"old\.h5 has format {version}, which lacks .*press Train"):
            branch_run(path)
        assert [path.name for path in tmp_path.iterdir()] == ["old.h5"]

    @pytest.mark.parametrize("version", [3, 4])
    def test_that_a_checkpoint_without_its_state_is_told_from_those_with_it(self, tmp_path, version):
        path = Path(shutil.copy(FORMATS / f"format-{version}.h5", tmp_path / "old.h5"))
        if version == 3:
            with pytest.raises(RunFileError, match=r"no whole state .* of its checkpoint at step 0; .* 209, 228$"):
                branch_run(path, 0)
        assert list(branch_configs(path)) == ([209, 228] if version == 3 else [0, 209, 228])
        thawed = {"schedule.decide_from": 1.0, "schedule.freeze_from": 1.0}
        branch = branch_run(path, 209, {"penalty.lambda2": 1e-2, "epochs": 13} | thawed)
        with RunReader(branch) as run, RunReader(path) as parent:
            assert run.info.parent == Parent(parent.info.id, "old", 209)
            assert run.snapshots()[-1].step == 13 * 19
            assert summary(run)["kept"] < summary(parent)["kept"]

    def test_that_a_run_that_trains_is_refused_with_its_writer(self, tmp_path):
        changes = {"epochs": 100_000, "record.snapshots": 100_000}
        with process(TELLING, tmp_path / "run.h5", json.dumps(changes)) as child:
            lines(child, 2)
            assert branch_configs(tmp_path / "run.h5") == {}
            with pytest.raises(RunFileError, match=rf"is being written by process {child.pid} on .*stop that"):
                branch_run(tmp_path / "run.h5")

    def test_that_other_data_is_refused_and_no_file_overwritten(self, tmp_path, whole):
        path = Path(shutil.copy(whole("gated threshold"), tmp_path / "run.h5"))
        (tmp_path / "mine.h5").write_bytes(b"mine")
        with pytest.raises(RunFileError, match=r"mine\.h5 exists already"):
            branch_run(path, 0, path=tmp_path / "mine.h5")
        with h5py.File(path, "r+") as file:
            file.attrs["data_checksum"] = "other"
            seal(file)
        with pytest.raises(InputError, match=r"run\.h5 cannot be branched: its network or its data are not"):
            branch_run(path, 0)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.h5", "run.h5"]


def test_that_the_branch_is_marked_where_it_left_its_parent(tmp_path, whole):
    branch = branch_run(whole("gated threshold"), 0, {"penalty.lambda2": 1e-4}, tmp_path / "branch.h5")
    with RunReader(branch) as run:
        first, second = run.history().events()
    assert first == Event(0, BRANCH, first.before, first.after)
    assert second == Event(0, "penalty.lambda2", 2e-5, 1e-4)
