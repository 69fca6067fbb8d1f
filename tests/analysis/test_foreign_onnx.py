"""ONNX files that were not made here: their operators, files beside them, eight bits and sparse tensors."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sparseviz.analysis.model_file import facts, open_model
from sparseviz.networks.stored_tensors import ModelFileError
from tests.helpers.model_files import matrices, write_onnx


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
        stored.append(numpy_helper.from_array(np.arange(6).reshape(2, 3), "numbers"))
        nodes = [
            helper.make_node("MatMul", ["x", "product"], ["a"]),
            helper.make_node("Add", ["a", "added"], ["a2"]),
            helper.make_node("MatMul", ["left", "x"], ["b"]),
            helper.make_node("Gemm", ["x", "gemm"], ["c"]),
            helper.make_node("Gemm", ["x", "gemm_t"], ["d"], transB=1),
            helper.make_node("Conv", ["x", "conv"], ["e"]),
            helper.make_node("ConvTranspose", ["x", "up"], ["f"]),
            helper.make_node("Gather", ["table", "x"], ["g"]),
            helper.make_node("Gather", ["numbers", "x"], ["h"]),
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
        session = ReferenceEvaluator(onnx.load(path))
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

    def test_that_no_two_layers_have_one_name(self, tmp_path):
        stored = [numpy_helper.from_array(self.array(4, 4), name) for name in ("onnx::1", "onnx::2", "a.weight", "a")]
        nodes = [helper.make_node("MatMul", ["x", f"onnx::{at}"], [f"y{at}"], name="/same/MatMul") for at in (1, 2)]
        names = list(matrices(open_model(write_onnx(tmp_path / "names.onnx", nodes, stored))))
        assert names == ["same/MatMul #1", "same/MatMul #2", "a.weight", "a"]

    def test_that_a_graph_that_means_nothing_is_told_by_name(self, tmp_path):
        stored = [numpy_helper.from_array(np.ones((6, 8), np.int8), "q"), numpy_helper.from_array(self.array(5), "s")]
        nodes = [
            helper.make_node("QLinearMatMul", ["x", "xs", "xz", "q", "s", "z", "ys", "yz"], ["y"]),
        ]
        with pytest.raises(ModelFileError, match=r"odd\.onnx cannot be read: ValueError"):
            open_model(write_onnx(tmp_path / "odd.onnx", nodes, stored))
