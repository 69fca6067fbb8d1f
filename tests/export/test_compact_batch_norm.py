"""Normalisations that the exporter has left unfused, as in files of other versions of it."""

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch

from sparseviz.export.graph.compact import compact


def normalised(layer: str, *, bias: bool) -> ir.Model:
    """A layer of 4 units on 3 channels and its normalisation, unfused."""
    random = np.random.default_rng(0)
    image = "batch, {0}, 5, 5" if layer == "Conv" else "batch, {0}"
    proto = onnx.parser.parse_model(f"""
        <ir_version: 10, opset_import: ["": 20]>
        net (float[{image.format(3)}] images) => (float[{image.format(4)}] answers) {{
            units = {layer} (images, weight {", bias" if bias else ""})
            answers = BatchNormalization <epsilon = 0.001> (units, scale, shift, mean, variance)
        }}""")
    shape = (4, 3, 1, 1) if layer == "Conv" else (3, 4)
    values = {"weight": random.normal(size=shape), "variance": random.uniform(0.5, 2, 4)}
    values |= {name: random.normal(size=4) for name in ("scale", "shift", "mean", *(["bias"] if bias else []))}
    for name, array in values.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    return ir.from_proto(proto)


@pytest.mark.parametrize("layer", ["Conv", "Gemm"])
@pytest.mark.parametrize("bias", [True, False])
def test_that_a_normalisation_that_the_exporter_has_left_is_folded_under_its_name(layer, bias):
    model = normalised(layer, bias=bias)
    before = onnx.load_from_string(ir.to_proto(model).SerializeToString())
    assert compact(model).batch_norms == 1
    after = ir.to_proto(model)
    onnx.checker.check_model(after, full_check=True)
    assert [node.op_type for node in after.graph.node] == [layer]
    images = torch.randn(4, *((3, 5, 5) if layer == "Conv" else (3,))).numpy()
    expected, found = (
        onnxruntime.InferenceSession(proto.SerializeToString()).run(["answers"], {"images": images})[0]
        for proto in (before, after)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
