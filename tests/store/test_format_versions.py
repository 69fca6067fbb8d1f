"""Files of every format version, as they were written, still say what they said."""

import json

import h5py
import numpy as np
import pytest

from sparseviz.export import export_run
from sparseviz.store import FORMAT_VERSION, RunReader, summary
from sparseviz.values.cells import Part, Pyramids
from tests.helpers.places import FORMATS


def test_that_there_is_a_file_of_every_format_version():
    assert [path.stem for path in sorted(FORMATS.glob("*.h5"))] == [f"format-{n + 1}" for n in range(FORMAT_VERSION)]


def test_that_format_1_reads_as_it_did_when_it_was_written():
    with RunReader(FORMATS / "format-1.h5") as run:
        snapshots, checkpoint = run.snapshots(), run.checkpoint()
        assert (run.status, run.config.network, run.config.seed) == ("finished", "tests.networks:small", 5)
        assert run.errors.validation == 8.75
        assert run.checkpoint_steps() == (0, 209, 228)
        assert summary(run)["kept"] == 1881
    assert len(snapshots) == 13
    assert [layer.kept for layer in snapshots[-1].layers] == [1796, 67]
    assert snapshots[-1].scalars["loss"] == pytest.approx(0.32348938753132833)
    assert snapshots[6].layers[0].flips == 448
    assert sum(snapshot.layers[0].preview is not None for snapshot in snapshots) == 4
    for layer in snapshots[-1].layers:
        mask = checkpoint.masks[layer.info.name]
        assert np.array_equal(layer.row_kept, mask.sum(axis=1))
        assert layer.histogram[32:].sum() == layer.kept == mask.sum()
    assert checkpoint.parameters["fc1.weight"].sum() == pytest.approx(-7.1616129875183105, rel=1e-5)


def test_that_cells_of_format_1_are_given_without_the_age_that_it_does_not_have():
    with RunReader(FORMATS / "format-1.h5") as run:
        cells = run.cells(Part("fc1", slice(0, 12), slice(0, 784)), 228, Pyramids())
        assert run.checkpoint().cut_at is None
    assert cells.cut_at is None
    assert cells.count() == (1796, 9408)


def test_that_format_2_says_when_each_weight_was_cut():
    with RunReader(FORMATS / "format-2.h5") as run:
        snapshots, checkpoint = run.snapshots(), run.checkpoint()
        assert summary(run)["kept"] == 1881
        cells = run.cells(Part("fc1", slice(0, 12), slice(0, 784)), 228, Pyramids())
    assert checkpoint.cut_at is not None
    assert cells.cut_at is not None
    assert (cells.cut_at == checkpoint.cut_at["fc1"]).all()
    assert [snapshots[at].layers[0].kept for at in (4, 8, 12)] == [2983, 1796, 1796]
    assert ((cells.cut_at >= 0) >= ~cells.kept).all()  # what is cut was seen to be cut
    assert np.bincount(cells.cut_at[~cells.kept]).tolist() == [0, 0, 3651, 1617, 1157, 714, 447, 26]


def test_that_format_1_exports_with_proof(tmp_path):
    report = export_run(FORMATS / "format-1.h5", tmp_path / "old.onnx")
    assert report.proof.holds
    assert report.parameters_kept == 1881


def test_that_format_3_holds_the_state_of_its_two_newest_checkpoints():
    with h5py.File(FORMATS / "format-3.h5", locking=False) as file, RunReader(FORMATS / "format-3.h5") as run:
        assert sorted(file["resume/index"]["step"].tolist()) == [209, 228]
        slot = file["resume/index"]["step"].tolist().index(228)
        state = file[f"resume/{slot}"]
        assert (state["numbers"]["step"][0], state["numbers"]["snapshots"][0]) == (228, 13)
        assert state["numbers"]["penalty.lambda2"][0] == 3e-4
        assert state["moments/fc1.parametrizations.weight.original"].shape == (2, 12, 784)
        assert state["moments/fc1.parametrizations.weight.original.steps"][0] == 228
        assert (state["seen/fc1"][()] == run.checkpoint().masks["fc1"]).all()
        assert run.checkpoint_steps()[0] == 0
        assert summary(run)["kept"] == 1881
        assert run.info.resumed == ()


def test_that_format_4_has_the_masks_of_every_snapshot_and_the_run_s_id():
    with RunReader(FORMATS / "format-4.h5") as run:
        assert len(run.info.id) == 32
        assert run.info.parent is None
        for position, snapshot in enumerate(run.snapshots()):
            for layer in snapshot.layers:
                mask = run.mask(layer.info.name, position)
                assert mask is not None
                assert mask.sum(axis=1).tolist() == layer.row_kept.tolist()
        cells = run.cells(Part("fc1", slice(0, 12), slice(0, 784)), 100, Pyramids())
    assert (cells.step, cells.mask_step) == (0, 95)
    with RunReader(FORMATS / "format-3.h5") as older:
        assert older.mask("fc1", 0) is None
        assert older.info.id == ""


@pytest.mark.parametrize("version", range(1, FORMAT_VERSION + 1))
def test_that_every_format_reads_whole(version):
    with RunReader(FORMATS / f"format-{version}.h5") as run:
        assert len(run.snapshots()) == 13
        assert all(run.checkpoint(step).step == step for step in run.checkpoint_steps())


def test_that_format_5_has_a_mean_and_a_deviation_for_each_channel_and_older_ones_read_as_one():
    with h5py.File(FORMATS / "format-5.h5", locking=False) as file, RunReader(FORMATS / "format-5.h5") as run:
        assert json.loads(file.attrs["mean"]) == list(run.info.mean)
        newer = run.info
    with RunReader(FORMATS / "format-1.h5") as run:
        assert (run.info.mean, run.info.std) == (newer.mean, newer.std)
    assert len(newer.mean) == len(newer.std) == 1
