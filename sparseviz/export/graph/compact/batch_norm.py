"""Normalisation in evaluation, put into the layer before it."""

import numpy as np
import onnx_ir as ir

from sparseviz.export.graph.compact.flow import Numbers, is_parameter, new_parameter, numbers, put, stored
from sparseviz.export.graph.compact.unitwise import scale_and_shift


def fold_batch_norms(model: ir.Model) -> int:
    """Multiply each normalisation into the layer before it; returns how many went.

    Requires: a checked graph. Ensures: the same outputs up to rounding. A normalisation stays where its layer's
    output or weights have another reader, or its numbers are computed.
    """
    found = [node for node in model.graph if node.op_type == "BatchNormalization" and _can_fold(node)]
    for node in found:
        _fold(model.graph, node)
    return len(found)


def _can_fold(node: ir.Node) -> bool:
    x = node.inputs[0]
    layer = x.producer() if x is not None else None
    if x is None or layer is None or layer.op_type not in {"Conv", "Gemm"} or len(layer.inputs) < 2:
        return False
    own = [value for value in layer.inputs[1:] if value is not None]
    if not all(is_parameter(value) and len(value.uses()) == 1 and not value.is_graph_output() for value in own):
        return False
    plain = layer.op_type == "Conv" or _plain_gemm(layer)
    stored_ = all(is_parameter(value) for value in node.inputs[1:5])
    alone = len(x.uses()) == 1 and not x.is_graph_output()
    return plain and stored_ and alone and len(node.outputs) == 1 and not node.attributes.get_int("training_mode", 0)


def _plain_gemm(layer: ir.Node) -> bool:
    found = layer.attributes
    scales = (found.get_float("alpha", 1.0), found.get_float("beta", 1.0))
    bias = layer.inputs[2] if len(layer.inputs) > 2 else None
    return found.get_int("transA", 0) == 0 and scales == (1.0, 1.0) and (bias is None or numbers(bias).ndim == 1)


def _fold(graph: ir.Graph, node: ir.Node) -> None:
    x = node.inputs[0]
    layer = x.producer() if x is not None else None
    assert layer is not None  # noqa: S101  # it could be folded
    weight = layer.inputs[1]
    assert weight is not None  # noqa: S101
    factor, shift = scale_and_shift(node)
    axis = 1 if layer.op_type == "Gemm" and not layer.attributes.get_int("transB", 0) else 0
    array = np.moveaxis(numbers(weight), axis, -1) * factor
    put(weight, np.moveaxis(array, -1, axis).astype(stored(weight).dtype))
    _set_bias(graph, layer, factor, shift)
    layer.outputs[0].type, layer.outputs[0].shape = node.outputs[0].type, node.outputs[0].shape
    ir.convenience.replace_all_uses_with(node.outputs[0], layer.outputs[0], replace_graph_outputs=True)
    if node.outputs[0].name and layer.outputs[0].is_graph_output():
        name, node.outputs[0].name = node.outputs[0].name, None
        layer.outputs[0].name = name
    graph.remove(node, safe=True)


def _set_bias(graph: ir.Graph, layer: ir.Node, factor: Numbers, shift: Numbers) -> None:
    weight, bias = layer.inputs[1], layer.inputs[2] if len(layer.inputs) > 2 else None
    assert weight is not None  # noqa: S101
    if bias is not None:
        put(bias, (numbers(bias) * factor + shift).astype(stored(bias).dtype))
        return
    new = new_parameter(graph, f"{layer.outputs[0].name}.bias", shift.astype(stored(weight).dtype))
    layer.resize_inputs(3)
    layer.replace_input_with(2, new)
