"""The masks of every snapshot: as bits, in the file, and as exact cells and ages."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparseviz.runs.recording import resume_run
from sparseviz.store import RunReader
from sparseviz.values import masks
from sparseviz.values.cells import NEVER, Part, Pyramids
from sparseviz.values.snapshot import LayerInfo, Quantity
from tests.helpers.processes import WRITE, killed, lines, process
from tests.helpers.runs import Seen, recorded, short

shapes = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4)


def layers(sizes: list[tuple[int, int]]) -> tuple[LayerInfo, ...]:
    quantity = Quantity("gate", 0, 1, is_gate=True)
    return tuple(LayerInfo(f"fc{at}", size, 0, 0, quantity, size) for at, size in enumerate(sizes))


def mask_of(run: RunReader, layer: str, position: int) -> npt.NDArray[np.bool_]:
    mask = run.mask(layer, position)
    assert mask is not None
    return mask


@given(shapes, st.integers(0, 2**32 - 1))
def test_that_what_is_packed_is_unpacked(sizes, seed):
    random = np.random.default_rng(seed)
    infos, drawn = layers(sizes), [random.random(size) < 0.5 for size in sizes]
    row = masks.pack(drawn)
    assert len(row) == masks.row_bytes(infos)
    for info, mask in zip(infos, drawn, strict=True):
        assert np.array_equal(masks.unpack(row[masks.places(infos)[info.name]], info), mask)


def test_that_only_networks_below_a_million_weights_keep_them():
    assert masks.are_kept(layers([(999, 1000), (1, 999)]))
    assert not masks.are_kept(layers([(999, 1000), (1, 1000)]))


def test_that_the_file_has_the_mask_of_every_snapshot(gated):
    with RunReader(gated.path) as run:
        for position, snapshot in enumerate(gated.snapshots):
            checkpoint = gated.checkpoints[snapshot.step]
            for name, mask in checkpoint.masks.items():
                assert np.array_equal(mask_of(run, name, position), mask.reshape(len(mask), -1)), (position, name)


def test_that_flips_are_the_masks_differences(gated):
    with RunReader(gated.path) as run:
        for position, snapshot in enumerate(run.snapshots()[1:], start=1):
            for layer in snapshot.layers:
                before, now = (mask_of(run, layer.info.name, at) for at in (position - 1, position))
                assert (before != now).sum() == layer.flips


@pytest.mark.parametrize("block", [1, 4])
def test_that_cells_have_the_mask_and_ages_of_the_snapshot_and_the_weights_of_the_checkpoint(gated, block):
    part = Part("fc1", slice(0, 300), slice(0, 784), block)
    with RunReader(gated.path) as run:
        held, pyramids = run.checkpoint_steps(), Pyramids()
        between = [at for at in gated.snapshots if at.step not in held]
        assert len(between) > 3
        for snapshot in gated.snapshots:
            cells = run.cells(part, snapshot.step, pyramids)
            truth = gated.checkpoints[snapshot.step]
            assert (cells.mask_step, cells.step) == (snapshot.step, max(s for s in held if s <= snapshot.step))
            assert cells.count()[0] == truth.masks["fc1"].sum()
            if block == 1:
                assert np.array_equal(cells.kept, truth.masks["fc1"])
                assert truth.cut_at is not None
                assert cells.cut_at is not None
                assert np.array_equal(cells.cut_at, truth.cut_at["fc1"])
                assert np.array_equal(cells.weight, gated.checkpoints[cells.step].parameters["fc1.weight"])


def test_that_a_convolution_has_its_masks_too(conv):
    with RunReader(conv.path) as run:
        mask = mask_of(run, "conv2", len(run) - 1)
        assert np.array_equal(mask, run.checkpoint().masks["conv2"].reshape(50, -1))


def test_that_a_run_that_goes_on_has_the_masks_of_one_that_never_stopped(stopped, tmp_path):
    path = resume_run(stopped.path, tmp_path / "on.h5", watcher=Until(12))
    with RunReader(path) as run, RunReader(stopped.path) as before:
        assert run.info.id == before.info.id != ""
        for position in range(len(before) - 1):  # the last is the stop's own
            assert np.array_equal(mask_of(run, "fc1", position), mask_of(before, "fc1", position))
        assert (mask_of(run, "fc1", len(run) - 1) == run.checkpoint().masks["fc1"]).all()


class Until(Seen):
    """Stops a training after so many snapshots."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def saw(self, snapshot):
        super().saw(snapshot)
        if len(self.snapshots) == self.number:
            self.trainer.stop()


def test_that_every_mask_is_there_after_the_writer_was_killed(gated, tmp_path):
    with process(WRITE, gated.path, tmp_path / "killed.h5") as child:
        lines(child, 5)
        said = killed(child)
    with RunReader(tmp_path / "killed.h5") as run:
        assert len(run) >= 5 + len(said)
        first = gated.checkpoints[0].masks["fc1"]
        assert all(np.array_equal(mask_of(run, "fc1", position), first) for position in range(len(run)))


def test_that_a_layer_that_was_never_cut_has_no_age(tmp_path):
    seen = recorded(tmp_path / "dense.h5", {"method.name": "dense"})
    with RunReader(seen.path) as run:
        cells = run.cells(Part("fc3", slice(0, 10), slice(0, 100)), short().epochs * 5, Pyramids())
    assert cells.cut_at is not None
    assert (cells.cut_at == NEVER).all()
    assert cells.kept.all()
