"""Rules of what works on every channel by itself: elementwise functions, normalisation, pooling, reductions."""

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime

from sparseviz.export.graph.compact.flow import (
    Channels,
    Flow,
    Numbers,
    integers,
    is_parameter,
    numbers,
    others,
    shape_of,
    stored,
)

_NAMES = """
Abs Add And Cast Ceil Celu Clip Cos Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish
Identity LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mul Neg Not Or Pow PRelu Reciprocal Relu Round Selu Shrink
Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Swish Tanh ThresholdedRelu Where Xor
"""
ELEMENTWISE = frozenset(_NAMES.split())


def elementwise(flow: Flow, node: ir.Node) -> bool:
    """Channels of all operands are tied; constants are computed by onnxruntime, as they would be in the file."""
    place = _common_axis(flow, node)
    if place is None:
        return False
    axis, size = place
    rank = len(node.outputs[0].shape or ())
    atoms = flow.fresh(size)
    constants: list[Numbers] = []
    for value in node.inputs:
        if value is None:
            continue
        own = axis - rank + len(value.shape or ())
        carries = own >= 0 and shape_of(value)[own] == size
        if is_parameter(value):
            flow.bind(value, {own: atoms} if carries else {})
            constants.append(_by_channel(value, axis - rank, size))
            continue
        read = flow.read(value, own, size) if carries else _spread(flow, value, axis, size)
        flow.tie(atoms, read.atoms)
        constants.append(read.constants)
    flow.write(node.outputs[0], axis, atoms, _applied(node, constants, size))
    return True


def _spread(flow: Flow, value: ir.Value, axis: int, size: int) -> Channels:
    """An operand that is the same for all channels, and stays."""
    flow.need_all(value)
    return Channels(axis, flow.fresh(size), np.full(size, np.nan))


def _common_axis(flow: Flow, node: ir.Node) -> tuple[int, int] | None:
    """Axis and number of the output's channels: those of the first operand that has as many."""
    out = node.outputs[0]
    operands = [value for value in node.inputs if value is not None]
    if out.shape is None or len(node.outputs) > 1 or any(value.shape is None for value in operands):
        return None
    for value in operands:
        if value in flow.channels:
            known = flow.channels[value]
            axis = known.axis + len(out.shape) - len(shape_of(value))
            if shape_of(out)[axis] == len(known.atoms):
                return axis, len(known.atoms)
    return None


def _by_channel(value: ir.Value, axis: int, size: int) -> Numbers:
    """(size,), or () of a scalar: a stored operand where it is uniform in a channel, else NaN; axis from the end."""
    array = numbers(value)
    if not array.ndim:
        return array
    own = array.ndim + axis
    rows = np.moveaxis(array, own, 0).reshape(array.shape[own], -1) if own >= 0 else array.reshape(1, -1)
    uniform = np.where((rows == rows[:, :1]).all(1), rows[:, 0], np.nan)
    return np.broadcast_to(uniform, (size,))


def _applied(node: ir.Node, operands: list[Numbers], size: int) -> Numbers:
    """(size,): the function of the operands where all are constants, else NaN; 0 where a factor is 0."""
    rows = np.stack([np.broadcast_to(operand, (size,)) for operand in operands])
    steady = ~np.isnan(rows).any(0)
    found = np.full(size, np.nan)
    if steady.any():
        chosen = [operand if not operand.ndim else operand[steady] for operand in operands]
        found[steady] = _computed(node, chosen)
    if node.op_type == "Mul":
        found[(rows == 0).any(0)] = 0
    return found


def _computed(node: ir.Node, operands: list[Numbers]) -> Numbers:
    """The node alone, run by onnxruntime on (n,) numbers."""
    given = [value for value in node.inputs if value is not None]
    proto = ir.to_proto(node)
    inputs, fed = {}, {}
    for value, operand in zip(given, operands, strict=True):
        dtype = value.dtype
        assert dtype is not None and value.name is not None  # noqa: S101, PT018  # of a checked graph
        fed[value.name] = operand.astype(dtype.numpy())
        inputs[value.name] = onnx.helper.make_tensor_value_info(value.name, dtype.value, [None] * operand.ndim)
    out = node.outputs[0]
    result = onnx.helper.make_tensor_value_info(out.name, out.dtype.value if out.dtype else 1, None)
    graph = onnx.helper.make_graph([proto], "one", list(inputs.values()), [result])
    opset = node.graph.opset_imports.get("", 20) if isinstance(node.graph, ir.Graph) else 20
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    with np.errstate(all="ignore"):
        return np.asarray(session.run(None, fed)[0], dtype=np.float64)


def batch_normalization(flow: Flow, node: ir.Node) -> bool:
    """In evaluation: a scale and a shift for each channel."""
    x, *parameters = node.inputs
    if x not in flow.channels or flow.channels[x].axis != 1 or node.attributes.get_int("training_mode", 0):
        return False
    known = [value for value in parameters if value is not None and is_parameter(value)]
    if len(known) != 4:
        return False
    read = flow.channels[x]
    factor, shift = scale_and_shift(node)
    for value in known:
        flow.bind(value, {0: read.atoms})
    constants = np.where(factor == 0, shift, read.constants * factor + shift)
    flow.write(node.outputs[0], 1, read.atoms, constants)
    return True


def scale_and_shift(node: ir.Node) -> tuple[Numbers, Numbers]:
    """Factor and summand (C,) of a normalisation in evaluation."""
    scale, shift, mean, variance = (numbers(value) for value in node.inputs[1:5] if value is not None)
    factor = scale / np.sqrt(variance + node.attributes.get_float("epsilon", 1e-5))
    return factor, shift - mean * factor


def pooling(flow: Flow, node: ir.Node) -> bool:
    """A constant stays one, but for averages that count the zeros beside the image, or windows beyond it."""
    x = node.inputs[0]
    if x not in flow.channels or flow.channels[x].axis != 1 or len(node.outputs) > 1:
        return False
    read, found = flow.channels[x], node.attributes
    padded = any(found.get_ints("pads", [])) or found.get_string("auto_pad", "NOTSET").startswith("SAME")
    counts = padded and node.op_type == "AveragePool" and found.get_int("count_include_pad", 0) == 1
    uneven = counts or found.get_int("ceil_mode", 0) == 1
    constants = np.where((read.constants == 0) | (not uneven), read.constants, np.nan)
    flow.write(node.outputs[0], 1, read.atoms, constants)
    return True


def reduction(flow: Flow, node: ir.Node) -> bool:
    """A reduction over other axes than the channels'; the mean and the extremes of a constant are itself."""
    x, *rest = node.inputs
    if x not in flow.channels or x.shape is None:
        return False
    rank, read = len(x.shape), flow.channels[x]
    axes = integers(rest[0]) if rest else list(node.attributes.get_ints("axes", [])) or None
    if not axes or read.axis in others(axes, rank):
        return False
    gone = 0 if node.attributes.get_int("keepdims", 1) else sum(axis < read.axis for axis in others(axes, rank))
    same = node.op_type in {"ReduceMean", "ReduceMax", "ReduceMin"}
    constants = read.constants if same else np.full(len(read.atoms), np.nan)
    flow.write(node.outputs[0], read.axis - gone, read.atoms, constants)
    if rest and rest[0] is not None:
        flow.bind(rest[0], {})
    return True


def resize(flow: Flow, node: ir.Node) -> bool:
    """A picture enlarged or reduced by stored scales, or by sizes that leave the channels alone."""
    x, roi, scales = (*node.inputs, None, None)[:3]
    if x not in flow.channels or flow.channels[x].axis != 1 or len(node.inputs) > 3 or roi is not None:
        return False
    if scales is None or not is_parameter(scales) or numbers(scales)[1] != 1:
        return False
    read = flow.channels[x]
    plain = node.attributes.get_string("mode", "nearest") in {"nearest", "linear"}
    constants = read.constants if plain else np.full(len(read.atoms), np.nan)
    flow.write(node.outputs[0], 1, read.atoms, constants)
    flow.bind(scales, {})
    return True


def pad(flow: Flow, node: ir.Node) -> bool:
    """A frame beside the image; a constant stays one where the frame has its value."""
    x, pads, *rest = node.inputs
    sizes = integers(pads)
    if x not in flow.channels or x.shape is None or sizes is None or any(value is not None for value in rest[1:]):
        return False
    read, rank = flow.channels[x], len(x.shape)
    if sizes[read.axis] or sizes[read.axis + rank]:
        return False
    frame = _frame(node, rest[0] if rest else None)
    same = (read.constants == frame) | (node.attributes.get_string("mode", "constant") != "constant")
    flow.write(node.outputs[0], read.axis, read.atoms, np.where(same, read.constants, np.nan))
    for value in node.inputs[1:]:
        if value is not None and is_parameter(value):
            flow.bind(value, {})
    return True


def _frame(_node: ir.Node, value: ir.Value | None) -> float:
    if value is None:
        return 0.0
    return float(stored(value).ravel()[0]) if is_parameter(value) else float("nan")


def softmax(flow: Flow, node: ir.Node) -> bool:
    """Along another axis than the channels' it leaves them apart."""
    x = node.inputs[0]
    if x not in flow.channels or x.shape is None:
        return False
    read: Channels = flow.channels[x]
    if node.attributes.get_int("axis", -1) % len(x.shape) == read.axis:
        return False
    flow.write(node.outputs[0], read.axis, read.atoms, np.full(len(read.atoms), np.nan))
    return True
