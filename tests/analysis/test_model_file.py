"""Model files made here and elsewhere, read back weight by weight; and what must not be read."""

import math
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

from sparseviz.analysis.model_file import Cancelled, facts, layer, open_model
from sparseviz.export import ExportOptions, export_run
from sparseviz.export.convert import convert_run
from sparseviz.methods.dense import RELATIVE_MAGNITUDE, relative_magnitude
from sparseviz.networks.baked import baked_model
from sparseviz.networks.stored_tensors import ModelFileError
from sparseviz.store import RunReader
from sparseviz.training.measure.reductions import histogram, take_preview
from sparseviz.values.cells import Part
from tests.helpers.model_files import STORAGES, matrices, small


def network_of(path: Path) -> nn.Module:
    with RunReader(path) as run:
        return baked_model(run.info.config.network, run.checkpoint())


def weights(network: nn.Module) -> dict[str, np.ndarray]:
    """By layer, as matrices."""
    named = {name: value.detach().numpy() for name, value in network.named_parameters() if value.ndim > 1}
    return {name.removesuffix(".weight"): value.reshape(len(value), -1) for name, value in named.items()}


@pytest.fixture
def saved(tmp_path) -> Path:
    path: Path = tmp_path / "small.pt"
    torch.save(small().state_dict(), path)
    return path


class TestOwnFiles:
    @pytest.mark.parametrize("storage", ["dense", "coo"])
    def test_that_an_export_of_ours_gives_the_trained_weights_bit_for_bit(self, conv, tmp_path, storage):
        export_run(conv.path, tmp_path / "own.onnx", STORAGES[storage])
        found, expected = matrices(open_model(tmp_path / "own.onnx")), weights(network_of(conv.path))
        assert list(found) == list(expected) == ["conv1", "conv2", "fc1", "fc2"]
        for name, weight in expected.items():
            assert found[name].tobytes() == (weight + 0).tobytes(), name

    @pytest.mark.parametrize("storage", ["half", "coo half"])
    def test_that_halves_are_the_trained_weights_rounded(self, conv, tmp_path, storage):
        export_run(conv.path, tmp_path / "own.onnx", STORAGES[storage])
        model = open_model(tmp_path / "own.onnx")
        for name, weight in weights(network_of(conv.path)).items():
            assert np.array_equal(matrices(model)[name], weight.astype(np.float16).astype(np.float32)), name
        assert facts(model)["layers"][2]["numbers"] == "float16"

    def test_that_a_compact_export_has_the_weights_that_are_left(self, gated, tmp_path):
        report = export_run(gated.path, tmp_path / "own.onnx", STORAGES["compact"])
        layers = {entry["name"]: entry for entry in facts(open_model(tmp_path / "own.onnx"))["layers"]}
        assert report.layers
        for change in report.layers:
            assert change.after is not None
            assert layers[change.name]["kept"] == change.after.nonzero
            assert math.prod(layers[change.name]["shape"]) == change.after.weights

    def test_that_eight_bits_are_brought_back_to_within_half_a_step_and_in_their_rows(self, conv, tmp_path):
        export_run(conv.path, tmp_path / "own.onnx", ExportOptions(int8=True, test_set=False))
        model = open_model(tmp_path / "own.onnx")
        assert [entry["numbers"] for entry in facts(model)["layers"]] == ["int8"] * 4
        for name, weight in weights(network_of(conv.path)).items():
            step = 2 * np.abs(weight).max() / 254
            assert np.abs(matrices(model)[name] - weight).max() <= 0.51 * step, name
        assert model.notes == ()

    def test_that_a_conversion_of_ours_has_the_weights_of_its_run_and_its_sizes(self, gated, tmp_path):
        path = convert_run(gated.path, "safetensors", tmp_path / "own.safetensors")
        model, network = open_model(path), network_of(gated.path)
        for name, weight in weights(network).items():
            assert np.array_equal(matrices(model)[name], weight), name
        with RunReader(gated.path) as run:
            last, parameters = run.snapshots()[-1], run.info.parameters
        found = facts(model)
        assert found["parameters"] == parameters
        assert [entry["kept"] for entry in found["layers"]] == [entry.kept for entry in last.layers]
        assert [entry["biases"] for entry in found["layers"]] == [entry.info.biases for entry in last.layers]


class TestWhatAViewSees:
    def test_that_a_layer_is_told_as_a_run_would_tell_it(self, saved):
        network, snapshot = small(), open_model(saved).history[0]
        for entry, weight in zip(snapshot.layers, weights(network).values(), strict=True):
            tensor = torch.from_numpy(weight)
            preview, scale = take_preview(tensor, tensor != 0)
            assert np.array_equal(np.asarray(entry.preview), preview.numpy())
            assert entry.preview_scale == pytest.approx(scale)
            assert entry.kept == (weight != 0).sum()
            assert np.array_equal(entry.row_kept, (weight != 0).sum(axis=1))
            assert np.array_equal(entry.column_kept, (weight != 0).sum(axis=0))
            counts = histogram(relative_magnitude(tensor), RELATIVE_MAGNITUDE).numpy()
            assert np.abs(entry.histogram - counts).sum() <= 2  # the last digit of the deviation
        assert [entry.dead_units for entry in snapshot.layers] == [0, 1, 0]
        assert [entry.biases_kept for entry in snapshot.layers] == [6, 39, 3]
        assert (
            snapshot.scalars["parameters_kept"]
            == sum(int((value != 0).sum()) for name, value in network.named_parameters() if "weight" in name)
            + 6
            + 39
            + 3
        )
        assert math.isnan(snapshot.scalars["validation_error"])

    def test_that_a_layer_read_in_bands_is_what_it_is_at_once(self, tmp_path, monkeypatch):
        torch.manual_seed(2)
        weight = torch.randn(301, 517) * (torch.rand(301, 517) < 0.1)
        save_file({"wide.weight": weight}, tmp_path / "wide.safetensors")
        whole = open_model(tmp_path / "wide.safetensors").history[0].layers[0]
        monkeypatch.setattr(layer, "BAND_CELLS", 3000)
        banded = open_model(tmp_path / "wide.safetensors").history[0].layers[0]
        for name in ("preview", "histogram", "row_kept", "column_kept"):
            assert np.array_equal(getattr(whole, name), getattr(banded, name)), name
        assert banded.preview_scale == whole.preview_scale == float(weight.abs().max())

    def test_that_single_rows_in_any_order_and_blocks_are_true_cells(self, tmp_path):
        torch.manual_seed(3)
        weight = torch.randn(150, 90) * (torch.rand(150, 90) < 0.3)
        save_file({"a.weight": weight}, tmp_path / "a.safetensors")
        model, order = open_model(tmp_path / "a.safetensors"), np.random.default_rng(0).permutation(150)
        rows = model.cells(Part("a", slice(20, 60), slice(10, 30), row_order=order))
        assert np.array_equal(rows.weight, weight.numpy()[order[20:60], 10:30])
        assert np.array_equal(rows.density, rows.weight != 0)
        assert np.allclose(rows.quantity, np.abs(rows.weight) / weight.numpy().std(), rtol=1e-5)
        assert (rows.source, rows.cut_at) == ("file", None)
        blocks = model.cells(Part("a", slice(0, 150), slice(0, 90), block=8))
        assert blocks.count() == (int((weight != 0).sum()), 150 * 90)

    def test_that_numbers_that_are_none_count_as_kept_and_are_told(self, tmp_path):
        weight = torch.tensor([[math.nan, 1.0, 0.0], [math.inf, -2.0, 0.5]])
        save_file({"odd": weight}, tmp_path / "odd.safetensors")
        model = open_model(tmp_path / "odd.safetensors")
        found = model.history[0].layers[0]
        assert found.kept == 5
        assert found.preview_scale == 2.0
        assert found.histogram.sum() == 6
        assert model.notes == ("2 weights are no finite numbers (NaN or infinite); they count as kept",)
        assert facts(model)["layers"][0]["not_finite"] == 2

    def test_that_reading_ends_when_nobody_waits(self, saved):
        def look():
            raise Cancelled

        with pytest.raises(Cancelled):
            open_model(saved, look)


class TestSafetensors:
    def test_that_every_floating_type_is_read_and_what_is_no_layer_is_not(self, tmp_path):
        torch.manual_seed(0)
        weight = torch.randn(8, 6)
        kinds = {"double": torch.float64, "half": torch.float16, "brain": torch.bfloat16, "eight": torch.float8_e4m3fn}
        stored = {f"module.{name}.weight": weight.to(kind) for name, kind in kinds.items()}
        rest = {"steps": torch.arange(6).reshape(2, 3), "empty": torch.zeros(0, 3), "module.half.bias": torch.ones(8)}
        save_file(stored | rest | {"norm.running_mean": torch.ones(5)}, tmp_path / "kinds.safetensors")
        model = open_model(tmp_path / "kinds.safetensors")
        found = matrices(model)
        assert set(found) == {f"module.{name}" for name in kinds}
        for name, kind in kinds.items():
            assert np.array_equal(found[f"module.{name}"], weight.to(kind).float().numpy())
        assert {entry["name"]: entry["biases"] for entry in facts(model)["layers"]}["module.half"] == 8
        assert facts(model)["parameters"] == 4 * 48 + 8


class TestStateDicts:
    @pytest.mark.parametrize("form", ["plain", "state_dict", "model", "old"])
    def test_that_a_state_dict_is_read_as_training_programs_keep_it(self, tmp_path, form):
        state, path = small().state_dict(), tmp_path / "model.pth"
        kept = state if form in ("plain", "old") else {form: state, "epoch": 3, "optimizer": {"lr": 0.1}}
        torch.save(kept, path, _use_new_zipfile_serialization=form != "old")
        found = matrices(open_model(path))
        assert list(found) == ["0", "2", "4"]
        for name, weight in weights(small()).items():
            assert np.array_equal(found[name], weight), name

    def test_that_a_transposed_weight_is_read_as_it_lies(self, tmp_path):
        weight = torch.arange(12.0).reshape(3, 4)
        torch.save({"t.weight": weight.T}, tmp_path / "t.bin")
        assert np.array_equal(matrices(open_model(tmp_path / "t.bin"))["t"], weight.T.numpy())

    def test_that_the_masks_of_torchs_own_pruning_are_applied(self, tmp_path):
        network = small()
        prune.l1_unstructured(network[4], "weight", amount=0.75)
        torch.save(network.state_dict(), tmp_path / "pruned.pt")
        found = {entry["name"]: entry for entry in facts(open_model(tmp_path / "pruned.pt"))["layers"]}
        assert list(found) == ["0", "2", "4"]
        assert found["4"]["kept"] == 30
        assert found["4"]["biases"] == 3

    def test_that_a_pickle_with_code_is_refused_and_its_code_not_run(self, tmp_path):
        trace = tmp_path / "was-run"

        class Trap:
            def __reduce__(self):
                return os.system, (f"touch {trace}",)

        torch.save({"fc.weight": torch.ones(2, 2), "trap": Trap()}, tmp_path / "new.pt")
        torch.save(
            {"fc.weight": torch.ones(2, 2), "trap": Trap()}, tmp_path / "old.pt", _use_new_zipfile_serialization=False
        )
        (tmp_path / "plain.bin").write_bytes(pickle.dumps(Trap()))
        for name in ("new.pt", "old.pt", "plain.bin"):
            with pytest.raises(ModelFileError, match=rf"{name}.*"):
                open_model(tmp_path / name)
            assert not trace.exists()
        with pytest.raises(ModelFileError, match="could run code of the file; save the state_dict alone"):
            open_model(tmp_path / "new.pt")
        torch.load(tmp_path / "new.pt", weights_only=False)
        assert trace.exists()  # it would have run

    def test_that_a_whole_network_is_refused_with_what_to_do(self, tmp_path):
        torch.save(small(), tmp_path / "network.pt")
        with pytest.raises(ModelFileError, match=r"network\.pt was not opened.*Sequential.*save the state_dict alone"):
            open_model(tmp_path / "network.pt")

    def test_that_a_list_is_no_state_dict(self, tmp_path):
        torch.save([torch.ones(2, 2)], tmp_path / "list.pt")
        with pytest.raises(ModelFileError, match="holds a list, not a state_dict"):
            open_model(tmp_path / "list.pt")

    def test_that_a_few_numbers_repeated_to_a_large_shape_are_left_out(self, tmp_path):
        torch.save({"huge": torch.ones(1).expand(10**6, 10**6), "fc.weight": torch.ones(2, 2)}, tmp_path / "huge.pt")
        model = open_model(tmp_path / "huge.pt")
        assert [entry.info.name for entry in model.history[0].layers] == ["fc"]
        assert "huge is left out" in model.notes[0]
