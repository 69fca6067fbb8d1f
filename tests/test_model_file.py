"""Model files made here and elsewhere, read back weight by weight; and what must not be read."""

import io
import json
import math
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

from sparseviz.cells import Part
from sparseviz.convert import convert_run
from sparseviz.export import ExportOptions, export_run
from sparseviz.export.from_run import baked_model
from sparseviz.measure import histogram, take_preview
from sparseviz.methods.dense import RELATIVE_MAGNITUDE, relative_magnitude
from sparseviz.model_file import Cancelled, Model, facts, layer, open_model
from sparseviz.store import RunReader
from sparseviz.stored_tensors import ModelFileError
from tests.conftest import ROOT

STORAGES = {
    "dense": ExportOptions(test_set=False),
    "compact": ExportOptions(compact=True, test_set=False),
    "coo": ExportOptions(storage="coo", test_set=False),
    "half": ExportOptions(half=True, test_set=False),
    "coo half": ExportOptions(storage="coo", half=True, test_set=False),
}


def matrices(model: Model) -> dict[str, np.ndarray]:
    """Every layer's true cells, all of them."""
    found = {}
    for info in (entry.info for entry in model.history[0].layers):
        part = Part(info.name, slice(0, info.rows), slice(0, info.columns))
        found[info.name] = model.cells(part).weight
    return found


def network_of(path: Path) -> nn.Module:
    with RunReader(path) as run:
        return baked_model(run.info.config.network, run.checkpoint())


def weights(network: nn.Module) -> dict[str, np.ndarray]:
    """By layer, as matrices."""
    named = {name: value.detach().numpy() for name, value in network.named_parameters() if value.ndim > 1}
    return {name.removesuffix(".weight"): value.reshape(len(value), -1) for name, value in named.items()}


def small() -> nn.Sequential:
    """Half of its linear weights are 0, a unit has none."""
    torch.manual_seed(5)
    network = nn.Sequential(nn.Conv2d(2, 6, 3), nn.Flatten(), nn.Linear(24, 40), nn.ReLU(), nn.Linear(40, 3))
    with torch.no_grad():
        weight = network.get_parameter("2.weight")
        weight[torch.rand(40, 24) < 0.5] = 0
        weight[7] = 0
    return network


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


def write_onnx(path: Path, nodes: list[Any], stored: list[Any], sparse: Sequence[Any] = (), **kinds: Any) -> Path:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        stored,
        sparse_initializer=list(sparse),
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]), path, **kinds)
    return path


class TestForeignOnnx:
    RANDOM = np.random.default_rng(4)

    def array(self, *shape: int) -> np.ndarray:
        return self.RANDOM.normal(size=shape).astype(np.float32)

    def test_that_rows_are_outputs_whichever_operator_reads_the_weight(self, tmp_path):
        arrays = {
            "product": self.array(5, 7),
            "left": self.array(4, 5),
            "gemm": self.array(7, 6),
            "gemm_t": self.array(6, 7),
            "conv": self.array(8, 3, 2, 2),
            "up": self.array(3, 8, 2, 2),
            "table": self.array(20, 4),
            "loose": self.array(2, 9),
        }
        stored = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
        stored.append(numpy_helper.from_array(self.array(7), "added"))
        nodes = [
            helper.make_node("MatMul", ["x", "product"], ["a"]),
            helper.make_node("Add", ["a", "added"], ["a2"]),
            helper.make_node("MatMul", ["left", "x"], ["b"]),
            helper.make_node("Gemm", ["x", "gemm"], ["c"]),
            helper.make_node("Gemm", ["x", "gemm_t"], ["d"], transB=1),
            helper.make_node("Conv", ["x", "conv"], ["e"]),
            helper.make_node("ConvTranspose", ["x", "up"], ["f"]),
            helper.make_node("Gather", ["table", "x"], ["g"]),
            helper.make_node("Identity", ["a2"], ["y"]),
        ]
        model = open_model(write_onnx(tmp_path / "foreign.onnx", nodes, stored))
        found = matrices(model)
        assert list(found) == list(arrays)
        swapped = {"product": arrays["product"].T, "gemm": arrays["gemm"].T, "up": arrays["up"].swapaxes(0, 1)}
        for name, array in (arrays | swapped).items():
            assert np.array_equal(found[name], array.reshape(len(array), -1)), name
        assert facts(model)["layers"][0]["biases"] == 7
        assert facts(model)["layers"][5]["shape"] == [8, 3, 2, 2]

    def test_that_numbers_beside_the_file_are_read_and_a_missing_or_short_file_is_told(self, tmp_path):
        weight = self.array(40, 50)
        stored = [numpy_helper.from_array(weight, "fc.weight")]
        node = helper.make_node("Gemm", ["x", "fc.weight"], ["y"], transB=1)
        beside: dict[str, Any] = {"save_as_external_data": True, "location": "fc.data", "size_threshold": 0}
        path = write_onnx(tmp_path / "outside.onnx", [node], stored, **beside)
        assert (tmp_path / "fc.data").stat().st_size >= weight.nbytes
        assert np.array_equal(matrices(open_model(path))["fc"], weight)
        (tmp_path / "fc.data").write_bytes(b"short")
        with pytest.raises(ModelFileError, match=r"outside\.onnx: fc\.data is too short for the tensor 'fc\.weight'"):
            open_model(path)
        (tmp_path / "fc.data").unlink()
        with pytest.raises(ModelFileError, match=r"are in fc\.data, which is missing"):
            open_model(path)

    def test_that_a_file_cannot_have_others_read_outside_its_folder(self, tmp_path):
        (tmp_path / "secret").write_bytes(bytes(64))
        (tmp_path / "folder").mkdir()
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 4], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="../secret")
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
        path = write_onnx(tmp_path / "folder" / "spy.onnx", [node], [tensor])
        with pytest.raises(ModelFileError, match="lies outside the file's folder"):
            open_model(path)

    @pytest.mark.parametrize("per", ["tensor", "axis", "block"])
    def test_that_eight_bits_are_brought_back_with_scale_and_zero_point(self, tmp_path, per):
        whole = self.RANDOM.integers(-128, 128, (6, 8)).astype(np.int8)
        shape = {"tensor": (), "axis": (6,), "block": (6, 2)}[per]
        scale, zero = np.abs(self.array(*shape)) + np.float32(0.1), np.full(shape, 3, np.int8)
        given = {"axis": {"axis": 0}, "block": {"axis": 1, "block_size": 4}}.get(per, {})
        stored = [numpy_helper.from_array(*pair) for pair in ((whole, "w.q"), (np.asarray(scale), "s"), (zero, "z"))]
        nodes = [
            helper.make_node("DequantizeLinear", ["w.q", "s", "z"], ["w.weight"], **given),
            helper.make_node("Gemm", ["x", "w.weight"], ["y"], transB=1),
        ]
        path = write_onnx(tmp_path / "eight.onnx", nodes, stored)
        wide = {"tensor": lambda: scale, "axis": lambda: scale.reshape(-1, 1), "block": lambda: scale.repeat(4, axis=1)}
        assert np.allclose(matrices(open_model(path))["w"], (whole.astype(np.float32) - 3) * wide[per]())
        session = onnx.reference.ReferenceEvaluator(onnx.load(path))
        assert np.allclose(session.run(None, {"x": np.eye(8, dtype=np.float32)})[0], matrices(open_model(path))["w"].T)

    @pytest.mark.parametrize("places", [np.array([3, 7, 22]), np.array([[0, 3], [1, 2], [4, 2]])])
    def test_that_a_sparse_tensor_is_spread_out(self, tmp_path, places):
        values = numpy_helper.from_array(np.array([1, -2, 3], np.float32), "w.weight")
        sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(places.astype(np.int64)), [5, 5])
        node = helper.make_node("Gemm", ["x", "w.weight"], ["y"], transB=1)
        found = matrices(open_model(write_onnx(tmp_path / "sparse.onnx", [node], [], [sparse])))["w"]
        expected = np.zeros((5, 5), np.float32)
        expected.ravel()[[3, 7, 22]] = [1, -2, 3]
        assert np.array_equal(found, expected)

    def test_that_what_an_operator_here_does_not_know_makes_is_no_layer(self, tmp_path):
        stored = [numpy_helper.from_array(self.array(4, 4), "a.weight")]
        nodes = [
            helper.make_node("Sin", ["a.weight"], ["made"]),
            helper.make_node("MatMul", ["x", "made"], ["y"]),
        ]
        assert list(matrices(open_model(write_onnx(tmp_path / "made.onnx", nodes, stored)))) == ["a"]


def opened_or_told(path: Path) -> bool:
    """Whether an error told of the file; any other error is the test's."""
    try:
        open_model(path)
    except ModelFileError as error:
        return path.name in str(error)
    return False


class TestDamage:
    @pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".pt"])
    def test_that_a_file_cut_off_anywhere_is_told_by_name_or_still_whole(self, conv, saved, tmp_path, suffix):
        whole = saved
        if suffix == ".onnx":
            whole = export_run(conv.path, tmp_path / "whole.onnx", STORAGES["coo half"]).path
        if suffix == ".safetensors":
            whole = convert_run(conv.path, "safetensors", tmp_path / "whole.safetensors")
        content, path, refused = whole.read_bytes(), tmp_path / f"cut{suffix}", 0
        for length in np.linspace(0, len(content) - 1, 25).astype(int):
            path.write_bytes(content[:length])
            refused += opened_or_told(path)
        assert refused >= 23

    @pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".pt", ".pth", ".bin"])
    def test_that_random_bytes_are_told_by_name(self, tmp_path, suffix):
        random, path = np.random.default_rng(6), tmp_path / f"random{suffix}"
        for length in (1, 7, 8, 9, 100, 5000, 200_000):
            path.write_bytes(random.bytes(length))
            with pytest.raises(ModelFileError, match="random"):
                open_model(path)

    @pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".pt"])
    def test_that_changed_bytes_are_an_error_or_a_model_and_nothing_else(self, conv, saved, tmp_path, suffix):
        whole = saved
        if suffix == ".onnx":
            whole = export_run(conv.path, tmp_path / "whole.onnx", STORAGES["coo half"]).path
        if suffix == ".safetensors":
            save_file(small().state_dict(), tmp_path / "whole.safetensors")
            whole = tmp_path / "whole.safetensors"
        content, random, path = whole.read_bytes(), np.random.default_rng(8), tmp_path / f"changed{suffix}"
        told = 0
        for _ in range(60):
            changed = bytearray(content)
            near = min(len(changed), 4000) if suffix != ".pt" else len(changed)
            for at in random.integers(0, near, 20):
                changed[at] = random.integers(256)
            path.write_bytes(changed)
            told += opened_or_told(path)
        assert told > 0

    @pytest.mark.parametrize("name", ["nothing.onnx", "folder.pt"])
    def test_that_what_is_no_file_is_told(self, tmp_path, name):
        (tmp_path / "folder.pt").mkdir()
        with pytest.raises(ModelFileError, match=f"{name} is not there, or is no file"):
            open_model(tmp_path / name)

    def test_that_a_file_without_layers_is_told(self, tmp_path):
        save_file({"one": torch.ones(3), "counts": torch.ones(2, 2, dtype=torch.int64)}, tmp_path / "a.safetensors")
        with pytest.raises(ModelFileError, match=r"a\.safetensors has no layer to show"):
            open_model(tmp_path / "a.safetensors")


def hostile_safetensors(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def hostile_length(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")


def hostile_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(3 << 30 >> 4))


def hostile_pickle(path: Path) -> None:
    """Asks the restricted unpickler itself for eight gigabytes."""
    made = b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + struct.pack("<q", 8 << 30)[:5] + b"\x85R."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", made)
        archive.writestr("a/version", b"3\n")
        archive.writestr("a/byteorder", b"little")
    path.write_bytes(buffer.getvalue())


def hostile_zeros(path: Path) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    write_onnx(path, nodes, [numpy_helper.from_array(np.array([10**5, 10**6]), "shape")])


def hostile_sparse(path: Path) -> None:
    values = numpy_helper.from_array(np.ones(1, np.float32), "w")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.zeros(1, np.int64)), [10**6, 10**6])
    write_onnx(path, [helper.make_node("MatMul", ["x", "w"], ["y"])], [], [sparse])


def hostile_doubling(path: Path) -> None:
    """Every value is read twice by the next: 2**60 readings for who counts them one by one."""
    nodes = [helper.make_node("ScatterElements", [f"w{at}", "places", f"w{at}"], [f"w{at + 1}"]) for at in range(60)]
    stored = [numpy_helper.from_array(np.ones((4, 4), np.float32), "w0")]
    stored.append(numpy_helper.from_array(np.zeros((4, 4), np.int64), "places"))
    write_onnx(path, [*nodes, helper.make_node("MatMul", ["x", "w15"], ["y"])], stored)


HOSTILE = {
    "large.safetensors": hostile_safetensors,
    "length.safetensors": hostile_length,
    "packed.pt": hostile_zip,
    "asking.pt": hostile_pickle,
    "zeros.onnx": hostile_zeros,
    "sparse.onnx": hostile_sparse,
    "doubling.onnx": hostile_doubling,
}
OPEN = """
import resource, sys
from pathlib import Path
from sparseviz.model_file import open_model
from sparseviz.stored_tensors import ModelFileError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    open_model(Path(sys.argv[1]))
except ModelFileError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_that_a_hostile_file_costs_neither_memory_nor_time(tmp_path, name):
    HOSTILE[name](tmp_path / name)
    command = [sys.executable, "-c", OPEN, str(tmp_path / name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    *told, kilobytes = done.stdout.splitlines()
    assert int(kilobytes) < 200_000
    assert name == "doubling.onnx" or name in told[0]
