"""record_run(): the file first, the watcher after, and the same run twice is the same file."""

import sys

import numpy as np
import pytest

from sparseviz.config import ConfigError, InputError, paths
from sparseviz.runs import recording as run_module
from sparseviz.runs.recording import record_run
from sparseviz.store import RunReader
from tests.helpers.processes import killed, lines, process
from tests.helpers.runs import Seen, recorded, short
from tests.helpers.same import assert_same_checkpoint, plain


class TestWatcher:
    def test_that_it_is_told_of_the_beginning_and_then_of_every_snapshot_once_it_is_in_the_file(self, tmp_path):
        told: list[tuple[str, int, int]] = []  # what, the step, snapshots in the file at that moment

        class Watching(Seen):
            def began(self, trainer, info, path):
                super().began(trainer, info, path)
                self.tell("began", trainer.step)

            def saw(self, snapshot):
                super().saw(snapshot)
                self.tell("saw", snapshot.step)
                with RunReader(self.path) as run:
                    np.testing.assert_equal(plain(run.snapshots()[-1]), plain(snapshot))
                told.append(("equal", snapshot.step, len(self.snapshots)))

            def tell(self, what: str, step: int) -> None:
                with RunReader(self.path) as run:
                    assert run.status == "training"
                    told.append((what, step, len(run)))

        seen = recorded(tmp_path / "run.h5", seen=Watching())
        steps = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        pairs = [(what, step, count + 1) for count, step in enumerate(steps) for what in ("saw", "equal")]
        assert told == [("began", 0, 0), *pairs]
        assert seen.path == tmp_path / "run.h5"

    @pytest.mark.parametrize("fault", ["began", "saw"])
    def test_that_one_that_raises_is_told_nothing_more_and_the_run_goes_on(self, tmp_path, gated, caplog, fault):
        calls: list[str] = []

        class Faulty:
            def began(self, *_):
                self.told("began")

            def saw(self, _):
                self.told("saw")

            def told(self, what: str) -> None:
                calls.append(what)
                if what == fault:
                    raise RuntimeError("a fault of the watcher")

        path = record_run(short(), tmp_path / "run.h5", watcher=Faulty())
        assert calls == ["began", "saw"][: 1 + (fault == "saw")]
        assert "a fault of the watcher" in caplog.text
        with RunReader(path) as run:
            assert (run.status, len(run)) == ("finished", len(gated.snapshots))

    def test_that_a_person_who_breaks_it_off_is_not_swallowed(self, tmp_path):
        class Breaking(Seen):
            def saw(self, _):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            recorded(tmp_path / "run.h5", seen=Breaking())
        with RunReader(tmp_path / "run.h5") as run:
            assert (run.status, len(run), run.message) == ("failed", 1, "KeyboardInterrupt: ")


class TestSameRunTwice:
    def test_that_the_same_seed_and_threads_give_the_same_file_but_for_times(self, tmp_path):
        changes = {"method.draw": "bernoulli"}  # draws from the generator that the seed sets
        first = recorded(tmp_path / "first.h5", changes)
        second = recorded(tmp_path / "second.h5", changes)
        with RunReader(first.path) as one, RunReader(second.path) as other:
            for ours, theirs in zip(one.snapshots(), other.snapshots(), strict=True):
                np.testing.assert_equal(plain(ours, time=False), plain(theirs, time=False))
            assert one.checkpoint_steps() == other.checkpoint_steps()
            for step in one.checkpoint_steps():
                assert_same_checkpoint(one.checkpoint(step), other.checkpoint(step))
            assert one.errors == other.errors
            assert one.info.threads == 1

    def test_that_a_watcher_changes_nothing(self, tmp_path):
        path = record_run(short(), tmp_path / "alone.h5")
        seen = recorded(tmp_path / "watched.h5")
        with RunReader(path) as alone:
            assert_same_checkpoint(alone.checkpoint(), seen.trainer.checkpoint())

    def test_that_another_seed_differs_from_the_first_step_on(self, tmp_path, dense):
        other = recorded(tmp_path / "other.h5", {"method.name": "dense", "seed": 4})
        for step in (0, 10):
            ours, theirs = (seen.checkpoints[step].parameters["fc1.weight"] for seen in (dense, other))
            assert (ours != theirs).mean() > 0.99
        losses = [[snapshot.scalars["loss"] for snapshot in seen.snapshots[1:]] for seen in (dense, other)]
        assert all(one != another for one, another in zip(*losses, strict=True))


class TestEnd:
    def test_that_errors_are_those_of_the_network_at_the_end(self, gated):
        with RunReader(gated.path) as run:
            assert run.errors == gated.trainer.errors()
            assert 0 < run.errors.test < 100
            assert run.errors.validation == run.snapshots()[-1].scalars["validation_error"]

    def test_that_the_test_split_is_left_alone_where_that_is_asked(self, tmp_path):
        path = record_run(short({"method.name": "dense"}), tmp_path / "run.h5", read_test=lambda: False)
        with RunReader(path) as run:
            assert np.isnan(run.errors.test)
            assert run.errors.train < 50
            assert run.errors.validation < 50

    def test_that_the_question_is_asked_once_when_all_steps_are_done(self, tmp_path):
        asked: list[int] = []
        seen = Seen()

        def read_test() -> bool:
            asked.append(seen.snapshots[-1].step)
            return True

        record_run(short(), tmp_path / "run.h5", watcher=seen, read_test=read_test)
        assert asked == [10]

    def test_that_a_stop_from_another_thread_ends_the_run_with_a_checkpoint_of_that_step(self, stopped):
        with RunReader(stopped.path) as run:
            last = run.snapshots()[-1]
            assert run.status == "stopped"
            assert 20 < last.step < run.info.steps == 1000
            assert last.step == stopped.trainer.step
            assert run.checkpoint().step == run.checkpoint_steps()[-1] == last.step
            assert_same_checkpoint(run.checkpoint(), stopped.trainer.checkpoint())
            assert run.errors == stopped.trainer.errors()

    def test_that_a_killed_training_leaves_all_that_was_told(self, tmp_path):
        code = (
            "import sys; from sparseviz.runs.recording import record_run; from tests.helpers.runs import Seen, short\n"
            "class Telling(Seen):\n"
            "    def saw(self, snapshot): print(snapshot.step, flush=True)\n"
            "record_run(short({'epochs': 1000, 'record.snapshots': 5000}), sys.argv[1], watcher=Telling())"
        )
        with process(code, tmp_path / "run.h5") as child:
            told = lines(child, 1)
            with RunReader(tmp_path / "run.h5") as run:
                early = len(run)
                told += lines(child, 8)
                assert early < len(run)
                assert run.status == "training"
            told += killed(child)
        with RunReader(tmp_path / "run.h5") as run:
            found = run.snapshots()
        assert [snapshot.step for snapshot in found[: len(told)]] == [int(step) for step in told]
        assert all(0 < layer.kept == layer.row_kept.sum() for snapshot in found for layer in snapshot.layers)


class TestPlace:
    @pytest.mark.skipif(sys.platform == "win32", reason="the variable moves the folder on POSIX systems alone")
    def test_that_without_a_name_the_next_free_one_in_the_runs_folder_is_taken(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert paths.runs_folder().is_relative_to(tmp_path)
        found = [record_run(short({"record.snapshots": 1})) for _ in range(2)]
        assert found == [paths.runs_folder() / f"lenet300-digits-000{number}.h5" for number in (1, 2)]
        for path in found:
            with RunReader(path) as run:
                assert run.status == "finished"

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"method.name": "magic"}, ConfigError, "unknown 'magic'"),
            ({"data.name": "cats"}, ConfigError, "unknown 'cats'"),
            ({"network": "nowhere:net"}, InputError, "could not be made"),
        ],
    )
    def test_that_what_cannot_be_used_is_told_before_anything_is_written(self, tmp_path, changes, error, words):
        with pytest.raises(error, match=words):
            record_run(short(changes), tmp_path / "folder" / "run.h5")
        assert list(tmp_path.iterdir()) == []


def test_that_a_long_run_has_a_checkpoint_every_few_minutes(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "CHECKPOINT_SECONDS", 0)
    with RunReader(record_run(short({"epochs": 20, "record.checkpoints": 30}), tmp_path / "run.h5")) as run:
        steps = [snapshot.step for snapshot in run.snapshots()]
        assert run.checkpoint_steps() == tuple(steps)
