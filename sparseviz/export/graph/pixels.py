"""The normalisation of training, put in front of the network: the file then reads pixels as a camera gives them."""

import onnx_ir as ir

from sparseviz.export.graph.compact.flow import new_parameter
from sparseviz.values.examples import planes


def read_raw_pixels(model: ir.Model, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    """Let the graph's input be uint8 pixels, 0 to 255, instead of (pixel / 255 - mean) / std.

    Requires: one float32 input (batch, channels, height, width). Ensures: the same shape and name, and the same
    answers to the same pixels up to rounding.
    """
    graph = model.graph
    images = graph.inputs[0]
    shape = images.shape
    factor = new_parameter(graph, "pixel.factor", planes(1 / (255 * scale) for scale in std))
    shift = new_parameter(graph, "pixel.shift", planes(-shift / scale for shift, scale in zip(mean, std, strict=True)))
    wide = ir.node("Cast", [images], {"to": int(ir.DataType.FLOAT)})
    scaled = ir.node("Mul", [wide.outputs[0], factor])
    shifted = ir.node("Add", [scaled.outputs[0], shift])
    for node, name in ((wide, "pixel.wide"), (scaled, "pixel.scaled"), (shifted, "pixel.normalised")):
        node.outputs[0].name, node.outputs[0].shape = name, shape
        node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    first = graph[0]
    images.replace_all_uses_with(shifted.outputs[0])
    wide.replace_input_with(0, images)
    graph.insert_before(first, [wide, scaled, shifted])
    images.type = ir.TensorType(ir.DataType.UINT8)
