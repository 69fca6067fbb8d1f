"""The run file: what was yielded is what is read, by whomever and whenever."""

import dataclasses
import shutil
import subprocess
import time

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparseviz.store import RunReader
from sparseviz.values.cells import Part, Planes, Pyramids, read_planes
from sparseviz.values.history import History
from sparseviz.values.snapshot import Errors
from sparseviz.values.states import RunStatus
from sparseviz.values.thinning import Slots
from tests.helpers.processes import WRITE, killed, lines, process
from tests.helpers.runs import Seen, new_writer, recorded
from tests.helpers.same import assert_same_checkpoint, plain


class TestRoundTrip:
    def test_that_every_snapshot_is_read_as_it_was_yielded(self, gated):
        with RunReader(gated.path) as run:
            found = run.snapshots()
        assert len(found) == len(gated.snapshots) == 10
        for one, other in zip(found, gated.snapshots, strict=True):
            np.testing.assert_equal(plain(one, previews=False), plain(other, previews=False))

    def test_that_every_preview_in_a_slot_is_the_one_that_was_yielded(self, gated):
        with RunReader(gated.path) as run:
            held = [snapshot for snapshot in run.snapshots() if snapshot.layers[0].preview is not None]
        assert len(held) == 4
        assert [held[0].step, held[-1].step] == [0, 10]
        by_step = {snapshot.step: snapshot for snapshot in gated.snapshots}
        for snapshot in held:
            np.testing.assert_equal(plain(snapshot), plain(by_step[snapshot.step]))

    def test_that_all_numbers_are_kept_where_only_two_previews_are(self, tmp_path):
        seen = recorded(tmp_path / "two.h5", {"record.previews": 2, "record.checkpoints": 2})
        with RunReader(seen.path) as run:
            found = run.snapshots()
        assert [layer.preview is not None for snapshot in found for layer in snapshot.layers] == [False] * 24 + [
            True
        ] * 6
        for one, other in zip(found, seen.snapshots, strict=True):
            np.testing.assert_equal(plain(one, previews=False), plain(other, previews=False))

    def test_that_events_stand_at_the_snapshot_that_yielded_them(self, gated):
        with RunReader(gated.path) as run:
            events = [(event.step, event.name, event.before, event.after) for event in run.history().events()]
            assert [snapshot.step for snapshot in run.snapshots() if snapshot.events] == [5]
        assert events == [(4, "penalty.lambda2", 2e-5, 3e-4), (4, "optimizer.rate", 1e-3, 5e-4)]

    def test_that_reading_from_a_position_gives_the_rest(self, gated):
        with RunReader(gated.path) as run:
            every, rest = run.snapshots(), run.snapshots(7)
            assert run.snapshots(len(run)) == ()
        np.testing.assert_equal([plain(one) for one in rest], [plain(one) for one in every[7:]])

    def test_that_the_newest_not_after_a_step_is_the_last_of_those(self, gated):
        steps = [snapshot.step for snapshot in gated.snapshots]
        with RunReader(gated.path) as run:
            for step in range(steps[0], steps[-1] + 2):
                expected = [snapshot for snapshot in run.snapshots() if snapshot.step <= step][-1]
                found = run.newest_snapshot(step)
                assert found is not None
                np.testing.assert_equal(plain(found), plain(expected))
            assert run.newest_snapshot(steps[0] - 1) is None

    def test_that_the_history_holds_all_scalars_and_histograms(self, gated):
        alive = History(gated.info.parameters)
        for snapshot in gated.snapshots:
            alive.append(snapshot)
        with RunReader(gated.path) as run:
            stored = run.history()
        np.testing.assert_array_equal(stored.scalar("loss"), alive.scalar("loss"))
        np.testing.assert_array_equal(stored.histograms(1), alive.histograms(1))

    def test_that_the_facts_of_the_run_are_read_as_they_were_given(self, gated):
        with RunReader(gated.path) as run:
            assert run.info == gated.info
            assert run.config == gated.trainer.config
            assert (run.status, run.message) == ("finished", "")
            assert run.errors == gated.trainer.errors()
            inputs = run.test_inputs()
        np.testing.assert_array_equal(inputs.images, gated.trainer.test.images[:256].numpy())
        np.testing.assert_array_equal(inputs.labels, gated.trainer.test.labels[:256].numpy())


class TestCheckpoints:
    def test_that_those_held_are_the_trainer_s_first_and_last_among_them(self, gated):
        with RunReader(gated.path) as run:
            steps = run.checkpoint_steps()
            assert (len(steps), steps[0], steps[-1]) == (4, 0, 10)
            for step in steps:
                assert_same_checkpoint(run.checkpoint(step), gated.checkpoints[step])
            assert_same_checkpoint(run.checkpoint(), gated.trainer.checkpoint())

    def test_that_convolutions_are_stored_in_row_major_order(self, conv):
        with RunReader(conv.path) as run:
            assert_same_checkpoint(run.checkpoint(), conv.trainer.checkpoint())
            weight = run.checkpoint().parameters["conv2.weight"]
        original = conv.trainer.method.weight("conv2")
        assert not original.is_contiguous()
        assert weight[7, 3, 1, 4] == original[7, 3, 1, 4].item()

    def test_that_one_between_two_is_answered_by_the_one_before(self, gated):
        with RunReader(gated.path) as run:
            steps = run.checkpoint_steps()
            assert steps[1] > 1
            assert run.checkpoint(steps[1] - 1).step == 0
            assert run.checkpoint(10_000).step == 10

    def test_that_masks_are_the_gates_at_the_threshold_and_the_counts_of_the_snapshot(self, gated):
        with RunReader(gated.path) as run:
            checkpoint, layers = run.checkpoint(), run.snapshots()[-1].layers
        for layer in layers:
            mask = checkpoint.masks[layer.info.name]
            assert 0.02 < mask.mean() < 0.98
            np.testing.assert_array_equal(mask, checkpoint.quantities[layer.info.name] >= 0.5)
            np.testing.assert_array_equal(layer.row_kept, mask.sum(axis=1))
            np.testing.assert_array_equal(layer.column_kept, mask.sum(axis=0))
            assert layer.kept == mask.sum()

    def test_that_cells_are_slices_of_the_plain_arrays(self, conv):
        part = Part("conv2", slice(3, 9), slice(20, 70))
        with RunReader(conv.path) as run:
            checkpoint, cells = run.checkpoint(), run.cells(part, 10, Pyramids())
        assert (cells.part, cells.step, cells.source) == (part, 10, "checkpoint")
        assert checkpoint.cut_at is not None
        plain_planes = (
            checkpoint.parameters["conv2.weight"],
            checkpoint.masks["conv2"],
            checkpoint.quantities["conv2"],
            checkpoint.cut_at["conv2"],
        )
        shown_planes = (cells.weight, cells.kept, cells.quantity, cells.cut_at)
        for shown, plane in zip(shown_planes, plain_planes, strict=True):
            np.testing.assert_array_equal(shown, plane.reshape(50, 500)[3:9, 20:70])

    def test_that_it_says_at_which_snapshot_each_weight_was_last_cut(self, gated):
        masks, cut_at = None, np.full((300, 784), -1)
        for number, snapshot in enumerate(gated.snapshots):
            mask = gated.checkpoints[snapshot.step].masks["fc1"]
            cut_at[~mask if masks is None else masks & ~mask] = number
            masks = mask
        assert len(np.unique(cut_at)) > 3
        with RunReader(gated.path) as run:
            stored = run.checkpoint().cut_at
        assert stored is not None
        np.testing.assert_array_equal(stored["fc1"], cut_at)

    def test_that_sorted_and_reduced_cells_are_read_as_from_memory(self, conv):
        with RunReader(conv.path) as run:
            checkpoint = run.checkpoint()
            assert checkpoint.cut_at is not None
            stored = (
                checkpoint.parameters["fc1.weight"],
                checkpoint.masks["fc1"].astype(np.float32),
                checkpoint.quantities["fc1"],
                checkpoint.cut_at["fc1"],
            )
            planes = Planes(*stored)
            random = np.random.default_rng(0)
            for block in (1, 2, 4):
                rows, columns = random.permutation(500), random.permutation(800)
                part = Part("fc1", slice(16, 96), slice(40, 400), block, rows, columns)
                cells = run.cells(part, 10, Pyramids())
                twin = read_planes(lambda *at: planes.at(at[0]).at(slice(None), at[1]), part, (500, 800))
                np.testing.assert_array_equal(cells.weight, twin.weight)
                np.testing.assert_array_equal(cells.quantity, twin.quantity)
                np.testing.assert_array_equal(cells.kept, twin.kept > 0)

    def test_that_one_overwritten_while_it_is_read_is_never_given_another_s_step(self, gated, tmp_path, monkeypatch):
        one, other = gated.checkpoints[0], gated.checkpoints[10]
        run_writer = new_writer(gated, tmp_path / "run.h5")
        index = RunReader._checkpoints

        def overwritten(run: RunReader) -> dict[int, object]:
            found = index(run)
            monkeypatch.setattr(RunReader, "_checkpoints", index)
            for step in range(1, 9):  # twice through all slots but the first
                run_writer.checkpoint(dataclasses.replace(other, step=step))
            return found

        run_writer.checkpoint(dataclasses.replace(one, step=0))
        with RunReader(run_writer.path) as run:
            monkeypatch.setattr(RunReader, "_checkpoints", overwritten)
            assert_same_checkpoint(run.checkpoint(), dataclasses.replace(other, step=8))
        run_writer.close()


class TestSlots:
    @settings(deadline=None, derandomize=True)
    @given(number=st.integers(2, 40), takings=st.integers(1, 300))
    def test_that_the_newest_and_the_first_stay_and_generations_rise(self, number, takings):
        slots, holds = Slots(number), dict[int, int]()
        for taking in range(takings):
            slot, generation = slots.take()
            assert generation == taking + 1
            assert 0 <= slot < number
            assert holds.get(slot) != taking - 1 or taking == 0  # while it is written the last one is still whole
            holds[slot] = taking
            assert len(holds) == min(number, taking + 1)
            assert 0 in holds.values() or number == 2

    @settings(deadline=None, derandomize=True)
    @given(number=st.integers(4, 40), takings=st.integers(1, 300))
    def test_that_what_is_held_lies_evenly(self, number, takings):
        slots, holds = Slots(number), dict[int, int]()
        for taking in range(takings):
            holds[slots.take()[0]] = taking
        assert np.diff(sorted(holds.values())).max(initial=0) <= max(1, 4 * takings / number)

    def test_that_a_slot_is_not_whole_while_it_is_written(self, gated, tmp_path):
        run_writer = new_writer(gated, tmp_path / "run.h5")
        for step in (1, 2, 3):
            run_writer.checkpoint(dataclasses.replace(gated.checkpoints[0], step=step))
        with RunReader(run_writer.path) as run:
            assert run.checkpoint_steps() == (0, 1, 2, 3)
            with run_writer._slot("checkpoints", "checkpoints/index", 4):
                assert run.checkpoint_steps() == (0, 2, 3)
            assert run.checkpoint_steps() == (0, 2, 3, 4)
        run_writer.close()

    @pytest.mark.parametrize("part", ["before", "after"])
    def test_that_a_slot_whose_generations_differ_is_left_out(self, gated, copy, part):
        with h5py.File(copy, "r+") as file:
            for name in ("previews", "checkpoints/index"):
                index = file[name][()]
                index[part][index["step"] == 10] += 1
                file[name][...] = index
        with RunReader(copy) as run, RunReader(gated.path) as sound:
            assert run.checkpoint_steps() == sound.checkpoint_steps()[:-1]
            assert run.checkpoint().step == run.checkpoint_steps()[-1]
            held = [
                [shot.step for shot in one.snapshots() if shot.layers[0].preview is not None] for one in (run, sound)
            ]
        assert held[0] == held[1][:-1]


class TestOthers:
    def test_that_another_process_reads_while_it_is_written(self, gated, tmp_path):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 1)
            with RunReader(path) as run:
                counts = []
                for _ in range(3):
                    said = int(lines(child, 5)[-1])
                    counts.append(len(run))
                    assert counts[-1] >= said
                    assert run.status == "training"
                    assert_appended(run, gated)
                    assert run.checkpoint().step >= said - 2  # the last may be half written
            assert counts[0] < counts[1] < counts[2]

    def test_that_the_same_process_reads_while_it_is_written(self, gated, tmp_path):
        run_writer = new_writer(gated, tmp_path / "run.h5")
        with RunReader(run_writer.path) as run:
            for number, snapshot in enumerate(gated.snapshots):
                assert (len(run), run.status) == (number, "training")
                run_writer.append(snapshot)
                np.testing.assert_equal(plain(run.snapshots()[-1]), plain(snapshot))
                with RunReader(run_writer.path) as second:  # its end must not be the writer's
                    assert len(second) == number + 1
            run_writer.finish(RunStatus.STOPPED, Errors(1.5, 2.5))
            assert (run.status, run.errors.train, run.errors.validation) == ("stopped", 1.5, 2.5)

    @pytest.mark.parametrize(("snapshots", "delay_ms"), [(1, 0), (3, 2.5), (20, 0.7), (41, 5.3)])
    def test_that_a_killed_writer_leaves_every_flushed_snapshot(self, gated, tmp_path, snapshots, delay_ms):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            said = lines(child, snapshots)
            time.sleep(delay_ms / 1000)
            said += killed(child)
        with RunReader(path) as run:
            assert len(run) >= len(said) >= snapshots
            assert run.status == "interrupted"
            assert_appended(run, gated)
            held = run.checkpoint()
        assert_same_checkpoint(held, dataclasses.replace(gated.checkpoints[0], step=held.step))

    def test_that_after_the_end_plain_hdf5_opens_it(self, gated):
        with h5py.File(gated.path, "r") as file:
            assert file["snapshots/scalars"]["step"].tolist() == [snapshot.step for snapshot in gated.snapshots]
            assert bytes(file["status"][0]) == b"finished"

    @pytest.mark.skipif(not shutil.which("h5dump"), reason="h5dump is not on PATH")
    def test_that_hdf5_s_own_tool_lists_it(self, gated):
        shown = subprocess.run(["h5dump", "-H", gated.path], capture_output=True, text=True, check=True)
        assert 'DATASET "histogram"' in shown.stdout
        assert 'ATTRIBUTE "format_version"' in shown.stdout


def assert_appended(run: RunReader, source: Seen) -> None:
    """The file holds the source's snapshots, over and over, under rising steps."""
    with RunReader(source.path) as original:
        cycle = original.snapshots()
    for number, snapshot in enumerate(run.snapshots()):
        expected = dataclasses.replace(cycle[number % len(cycle)], step=number)
        held = snapshot.layers[0].preview is not None
        np.testing.assert_equal(plain(snapshot, previews=held), plain(expected, previews=held))
