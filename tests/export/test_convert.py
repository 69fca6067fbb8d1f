"""Runs for other tools, read back with these tools' own readers."""

import csv
import itertools
import json
import math
import re
import subprocess
import sys
from datetime import datetime

import h5py
import numpy as np
import pytest
import torch
from click import Choice
from safetensors import safe_open
from safetensors.numpy import load_file

from sparseviz.cli import main as cli
from sparseviz.export.convert import FORMS, ConvertError, convert_run
from sparseviz.networks.baked import baked_model
from sparseviz.store import RunFileError, RunReader
from sparseviz.values.snapshot import SCALARS
from tests.helpers.forked import completed
from tests.helpers.places import ROOT
from tests.helpers.program import program
from tests.helpers.runs import new_writer


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    return float(text) if text else math.nan


def bare(row):
    """The row with its headings' units taken off."""
    return {heading.split(" (")[0]: text for heading, text in row.items()}


@pytest.fixture
def snapshots(gated):
    with RunReader(gated.path) as run:
        return run.snapshots()


@pytest.fixture(scope="module")
def tables(gated, tmp_path_factory):
    return convert_run(gated.path, "csv", tmp_path_factory.mktemp("csv") / "run")


class TestCsv:
    def test_that_scalars_have_every_value_with_all_its_digits(self, tables, snapshots):
        for row, snapshot in zip(map(bare, rows_of(tables / "scalars.csv")), snapshots, strict=True):
            assert (row["step"], row["phase"]) == (str(snapshot.step), snapshot.phase)
            assert (float(row["epoch"]), float(row["time"])) == (snapshot.epoch, snapshot.time)
            np.testing.assert_equal({name: number(row[name]) for name in SCALARS}, dict(snapshot.scalars))

    def test_that_headings_name_the_units(self, tables):
        headings = set(rows_of(tables / "scalars.csv")[0]) | set(rows_of(tables / "layers.csv")[0])
        assert {"time (s)", "loss (nats)", "validation_error (%)", "undecided_kept (share)"} <= headings

    def test_that_layers_have_a_row_a_layer_and_snapshot(self, tables, snapshots):
        layers = [(snapshot, layer) for snapshot in snapshots for layer in snapshot.layers]
        for row, (snapshot, layer) in zip(map(bare, rows_of(tables / "layers.csv")), layers, strict=True):
            assert (int(row["step"]), row["layer"]) == (snapshot.step, layer.info.name)
            assert int(row["weights"]) == layer.info.weights
            names = ("kept", "undecided_kept", "undecided_cut", "gate_mean", "flips", "dead_units", "threshold")
            np.testing.assert_equal({name: number(row[name]) for name in names}, {n: getattr(layer, n) for n in names})

    def test_that_histograms_have_a_row_a_bin_and_the_bins_lie_in_a_row(self, tables, snapshots):
        key = ("step", "layer")
        layers = [(snapshot, layer) for snapshot in snapshots for layer in snapshot.layers]
        groups = itertools.groupby(rows_of(tables / "histograms.csv"), lambda row: [row[name] for name in key])
        for (at, group), (snapshot, layer) in zip(groups, layers, strict=True):
            bins = list(group)
            assert at == [str(snapshot.step), layer.info.name]
            assert [int(row["weights"]) for row in bins] == layer.histogram.tolist()
            assert {row["quantity"] for row in bins} == {"gate"}
            edges = [float(row["bin_low"]) for row in bins] + [float(bins[-1]["bin_high"])]
            assert [float(row["bin_high"]) for row in bins] == edges[1:]
            assert edges == layer.info.quantity.bin_edges.tolist()


class TestTensorboard:
    @pytest.fixture
    def events(self, gated, tmp_path):
        pytest.importorskip("tensorboard")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        sizes = {"scalars": 0, "histograms": 0, "tensors": 0}  # 0 keeps all
        found = EventAccumulator(str(convert_run(gated.path, "tensorboard", tmp_path / "events")), sizes)
        return found.Reload()

    def test_that_scalars_are_at_their_steps_and_wall_times(self, events, snapshots, gated):
        from tensorboard.util.tensor_util import make_ndarray

        began = datetime.fromisoformat(gated.info.created).timestamp()
        for name in SCALARS:
            measured = [at for at in snapshots if math.isfinite(at.scalars[name])]
            read = events.Tensors(f"run/{name}") if measured else []
            assert [event.step for event in read] == [at.step for at in measured]
            assert [event.wall_time for event in read] == pytest.approx([began + at.time for at in measured], abs=1e-5)
            values = [make_ndarray(event.tensor_proto).item() for event in read]
            assert values == [float(np.float32(at.scalars[name])) for at in measured]

    def test_that_histograms_have_the_bins_of_the_run(self, events, snapshots):
        for index, layer in enumerate(snapshots[0].layers):
            read = events.Histograms(f"{layer.info.name}/gate")
            assert [event.step for event in read] == [at.step for at in snapshots]
            for event, at in zip(read, snapshots, strict=True):
                found, edges = event.histogram_value, layer.info.quantity.bin_edges.tolist()
                assert list(found.bucket) == at.layers[index].histogram.tolist()
                assert [found.min, *found.bucket_limit] == edges
                assert (found.num, found.max) == (layer.info.weights, edges[-1])

    def test_that_without_the_package_the_extra_is_named_and_nothing_is_left(self, gated, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(ConvertError, match=re.escape("pip install 'sparseviz[tensorboard]'")):
            convert_run(gated.path, "tensorboard", tmp_path / "events")
        assert list(tmp_path.iterdir()) == []


class TestSafetensors:
    @pytest.mark.parametrize("name", ["gated", "conv", "magnitude", "dense"])
    def test_that_it_holds_what_the_export_bakes_and_the_masks(self, request, name, tmp_path):
        seen = request.getfixturevalue(name)
        tensors = load_file(convert_run(seen.path, "safetensors", tmp_path / "run.safetensors"))
        with RunReader(seen.path) as run:
            checkpoint, network = run.checkpoint(), run.config.network
        for layer, mask in checkpoint.masks.items():
            assert np.array_equal(tensors.pop(f"{layer}.weight_mask"), mask)
            cut = tensors[f"{layer}.weight"][~mask]
            assert not cut.view(np.uint32).any()  # +0.0, not -0.0
        expected = baked_model(network, checkpoint).state_dict()
        assert set(tensors) == set(expected)
        for key, values in tensors.items():
            assert values.dtype == expected[key].numpy().dtype
            assert np.array_equal(values, expected[key].numpy())

    def test_that_a_share_is_cut_and_the_metadata_says_which_run_step_and_settings(self, gated, tmp_path):
        path = convert_run(gated.path, "safetensors", tmp_path / "run.safetensors")
        with RunReader(gated.path) as run, safe_open(path, "np") as file:
            told, checkpoint = file.metadata(), run.checkpoint()
        assert (told["run"], told["network"], told["format"]) == (gated.path.name, "lenet300", "pt")
        assert int(told["step"]) == checkpoint.step
        assert 0 < int(told["weights_kept"]) == sum(mask.sum() for mask in checkpoint.masks.values()) < 266_200
        assert json.loads(told["config"]) == gated.info.config.model_dump(mode="json")

    def test_that_torch_loads_the_weights_into_the_plain_network(self, gated, tmp_path):
        from safetensors.torch import load_file as load_torch

        from sparseviz.networks import build

        tensors = load_torch(convert_run(gated.path, "safetensors", tmp_path / "run.safetensors"))
        model = build("lenet300").eval()
        model.load_state_dict({name: value for name, value in tensors.items() if not name.endswith("_mask")})
        with RunReader(gated.path) as run:
            images, baked = torch.from_numpy(run.test_inputs().images), baked_model("lenet300", run.checkpoint())
        with torch.no_grad():
            assert torch.equal(model(images), baked(images))


class TestStep:
    def test_that_the_run_is_converted_as_it_stood_at_a_step(self, gated, tmp_path, snapshots):
        tables = convert_run(gated.path, "csv", tmp_path / "tables", step=4)
        steps = [int(row["step"]) for row in rows_of(tables / "scalars.csv")]
        assert steps == [snapshot.step for snapshot in snapshots if snapshot.step <= 4]
        assert 0 < len(steps) < len(snapshots)
        with RunReader(gated.path) as run:
            held = max(step for step in run.checkpoint_steps() if step <= 4)
        with safe_open(convert_run(gated.path, "safetensors", tmp_path / "a", step=4), "np") as file:
            assert int(file.metadata()["step"]) == held

    def test_that_a_step_before_every_checkpoint_is_told(self, copy, tmp_path):
        with h5py.File(copy, "r+") as file:
            index = file["checkpoints/index"]
            index[0] = (0, 0, 0, 0)  # the checkpoint of step 0 was not written whole
        with RunReader(copy) as run:
            steps = ", ".join(map(str, run.checkpoint_steps()))
        with pytest.raises(ConvertError, match=f"no checkpoint at or before step 0; it has some at steps {steps}"):
            convert_run(copy, "safetensors", tmp_path / "a", step=0)

    @pytest.mark.parametrize("form", ["csv", "safetensors"])
    def test_that_a_run_that_has_just_begun_gives_what_it_has(self, gated, tmp_path, form):
        new_writer(gated, tmp_path / "new.h5").close()
        if form == "csv":
            with pytest.raises(ConvertError, match=r"new\.h5 has no snapshot yet; let the run go on"):
                convert_run(tmp_path / "new.h5", form)
        else:
            assert convert_run(tmp_path / "new.h5", form).name == "new.safetensors"


class TestPlace:
    @pytest.mark.parametrize("form", FORMS)
    def test_that_what_exists_is_refused_and_not_touched(self, gated, tmp_path, form):
        (tmp_path / "mine").write_text("precious")
        with pytest.raises(ConvertError, match="exists already"):
            convert_run(gated.path, form, tmp_path / "mine")
        (tmp_path / "empty").mkdir()
        with pytest.raises(ConvertError, match="exists already"):
            convert_run(gated.path, form, tmp_path / "empty")
        assert (tmp_path / "mine").read_text() == "precious"

    @pytest.mark.parametrize("form", ["csv", "safetensors"])
    def test_that_a_folder_that_cannot_be_made_is_told(self, gated, tmp_path, form):
        (tmp_path / "file").touch()
        with pytest.raises(ConvertError, match=r"name cannot be written: .*choose another folder or name"):
            convert_run(gated.path, form, tmp_path / "file" / "name")

    @pytest.mark.parametrize("form", FORMS)
    def test_that_a_file_that_is_no_run_is_told(self, tmp_path, form):
        with pytest.raises(RunFileError, match=r"gone\.h5"):
            convert_run(tmp_path / "gone.h5", form)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
    @pytest.mark.parametrize("form", ["csv", "safetensors", "tensorboard"])
    def test_that_a_disk_that_takes_no_more_is_told_and_nothing_is_left(self, gated, tmp_path, form):
        if form == "tensorboard":
            pytest.importorskip("tensorboard")
        code = f"""
import resource
from sparseviz.cli import main as cli
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
cli.main(["convert", {str(gated.path)!r}, "--to", {form!r}, "--out", "out"])
"""
        done = completed("-c", code, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert "out cannot be written: File too large" in done.stderr
        assert list(tmp_path.iterdir()) == []


class TestCommand:
    def test_that_the_command_offers_every_form(self):
        option = next(each for each in cli._cli.commands["convert"].params if each.name == "form")
        assert isinstance(option.type, Choice)
        assert list(option.type.choices) == list(FORMS)

    def test_that_the_place_is_beside_the_run_and_the_last_line_and_is_not_overwritten(self, copy):
        done = program(copy.parent, "convert", "copy.h5", "--to", "csv")
        assert (done.returncode, done.stdout) == (0, "copy-csv\n"), done.stderr
        assert sorted(path.name for path in (copy.parent / "copy-csv").iterdir()) == [
            "histograms.csv",
            "layers.csv",
            "scalars.csv",
        ]
        again = program(copy.parent, "convert", "copy.h5", "--to", "csv")
        assert (again.returncode, again.stdout) == (2, "")
        assert "copy-csv exists already" in again.stderr

    @pytest.mark.parametrize(
        ("args", "status", "words"),
        [
            (["copy.h5"], 2, "--to"),
            (["copy.h5", "--to", "xml"], 2, "'csv', 'tensorboard', 'safetensors'"),
            (["gone.h5", "--to", "csv"], 1, "gone.h5: no such file"),
            (["copy.h5", "--to", "csv", "--step", "-1"], 2, "--step"),
        ],
    )
    def test_that_wrong_use_is_told(self, copy, args, status, words):
        done = program(copy.parent, "convert", *args)
        assert (done.returncode, done.stdout) == (status, "")
        assert words in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["csv", "safetensors"])
def test_that_neither_torch_nor_qt_is_waited_for(gated, tmp_path, form):
    code = f"""
import sys
from sparseviz.export.convert import convert_run
convert_run({str(gated.path)!r}, {form!r}, "out")
print([name for name in ("torch", "PySide6") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_that_the_manuals_example_with_h5py_alone_runs_as_printed(copy, tmp_path):
    page = (ROOT / "resources" / "manual" / "run-file.md").read_text(encoding="utf-8")
    block = re.search(r"\n```python\n(.+?\n)```\n", page, re.DOTALL)
    assert block
    code = block[1]
    copy.rename(tmp_path / "run.h5")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with RunReader(tmp_path / "run.h5") as run:
        last, checkpoint = run.snapshots()[-1], run.checkpoint()
    assert str(int(last.scalars["weights_kept"])) in done.stdout
    for layer, mask in checkpoint.masks.items():
        assert f"{layer} {mask.shape} kept {mask.mean()}" in done.stdout
