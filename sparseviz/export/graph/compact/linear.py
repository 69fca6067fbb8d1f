"""Rules of the layers: what reads channels through weights, and writes units or filters."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from sparseviz.export.graph.compact.flow import (
    Alive,
    Atoms,
    Channels,
    Flow,
    Numbers,
    is_parameter,
    new_parameter,
    numbers,
    put,
    shape_of,
    stored,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A layer's weights, (out, in), and what is added to them."""

    sums: Numbers  # (out, in), over a kernel's places
    touched: Alive  # (out, in): some weight is not 0
    bias: Numbers  # (out,)
    padded: bool = False  # zeros stand beside the input: a constant is none at the border

    @classmethod
    def of(cls, array: Numbers, bias: ir.Value | None, *, padded: bool = False) -> "Weights":
        """From weights (out, in, ...)."""
        added = numbers(bias).ravel() if bias is not None else np.zeros(len(array))
        places = tuple(range(2, array.ndim))
        if not places:  # a linear layer may be large: no copy
            return cls(array, array != 0, added, padded)
        return cls(array.sum(places), (array != 0).any(places), added, padded)

    def lively(self, read: Channels) -> Alive:
        """Input channels that are no constant to this layer."""
        return np.isnan(read.constants) | (read.constants != 0 if self.padded else False)

    def outputs(self, read: Channels) -> Numbers:
        """(out,): the constant that an output is, or NaN."""
        steady = ~(self.touched & self.lively(read)).any(1)
        return np.where(steady, self.bias + self.sums @ np.nan_to_num(read.constants), np.nan)

    def folded(self, read: Channels, gone: Alive) -> Numbers:
        """(out,): what the constant inputs that are `gone` have added."""
        return self.sums[:, gone] @ np.nan_to_num(read.constants[gone])


def conv(flow: Flow, node: ir.Node) -> bool:
    """Convolution; an input channel that is a constant but 0 stays where zeros are padded beside it."""
    x, weight, bias = _inputs(node)
    if x is None or not _are_parameters(weight, bias) or weight is None:
        return False
    array, groups = numbers(weight), node.attributes.get_int("group", 1)
    read = flow.read(x, 1, array.shape[1] * groups)
    weights = Weights.of(array, bias, padded=_is_padded(node))
    out = flow.fresh(len(array))
    if groups > 1:
        _grouped(flow, node, weights, read, out, groups)
        flow.bind(weight, {0: out})
    else:
        _layer(flow, node, weights, read, out, lambda shift: _add_to_bias(flow, node, shift, out))
        flow.bind(weight, {0: out, 1: read.atoms})
    if bias is not None:
        flow.bind(bias, {0: out})
    return True


def conv_transpose(flow: Flow, node: ir.Node) -> bool:
    """Transposed convolution without groups; its places see unlike parts of the kernel, as with padding."""
    x, weight, bias = _inputs(node)
    if x is None or weight is None or not _are_parameters(weight, bias) or node.attributes.get_int("group", 1) != 1:
        return False
    array = np.swapaxes(numbers(weight), 0, 1)
    read = flow.read(x, 1, array.shape[1])
    out = flow.fresh(len(array))
    _layer(flow, node, Weights.of(array, bias, padded=True), read, out, lambda _: None)
    flow.bind(weight, {0: read.atoms, 1: out})
    if bias is not None:
        flow.bind(bias, {0: out})
    return True


def gemm(flow: Flow, node: ir.Node) -> bool:
    """A linear layer with its bias, as torch writes it."""
    x, weight, bias = _inputs(node)
    if x is None or weight is None or not _are_parameters(weight, bias) or not _is_plain(node):
        return False
    turned = node.attributes.get_int("transB", 0) == 1
    array = numbers(weight) if turned else numbers(weight).T
    if bias is not None and shape_of(bias) not in {(len(array),), (1, len(array))}:
        return False
    read = flow.read(x, 1, array.shape[1])
    out = flow.fresh(len(array))
    _layer(flow, node, Weights.of(array, bias), read, out, lambda shift: _add_to_bias(flow, node, shift, out))
    flow.bind(weight, {0: out, 1: read.atoms} if turned else {0: read.atoms, 1: out})
    if bias is not None:
        flow.bind(bias, {len(shape_of(bias)) - 1: out})
    return True


def matmul(flow: Flow, node: ir.Node) -> bool:
    """A linear layer on the last axis."""
    x, weight = node.inputs
    if x is None or weight is None or not is_parameter(weight) or len(shape_of(weight)) != 2 or x.shape is None:
        return False
    array = numbers(weight).T
    read = flow.read(x, len(x.shape) - 1, array.shape[1])
    out = flow.fresh(len(array))
    _layer(flow, node, Weights.of(array, None), read, out, lambda shift: _add_after(flow, node, shift, out))
    flow.bind(weight, {0: read.atoms, 1: out})
    return True


def _inputs(node: ir.Node) -> tuple[ir.Value | None, ir.Value | None, ir.Value | None]:
    x, weight, *bias = node.inputs
    return x, weight, bias[0] if bias else None


def _are_parameters(weight: ir.Value | None, bias: ir.Value | None) -> bool:
    return is_parameter(weight) and (bias is None or is_parameter(bias))


def _is_plain(node: ir.Node) -> bool:
    found = node.attributes
    scales = (found.get_float("alpha", 1.0), found.get_float("beta", 1.0))
    return found.get_int("transA", 0) == 0 and scales == (1.0, 1.0)


def _is_padded(node: ir.Node) -> bool:
    if node.attributes.get_string("auto_pad", "NOTSET") in {"SAME_UPPER", "SAME_LOWER"}:
        return True
    return any(node.attributes.get_ints("pads", []))


def _layer(  # noqa: PLR0913, PLR0917  # what a layer is
    flow: Flow, node: ir.Node, weights: Weights, read: Channels, out: Atoms, add: Callable[[Numbers], None]
) -> None:
    """An input is needed where a weight reads it, unless it is a constant that `add` can put into the bias."""

    def fold(alive: Alive) -> None:
        shift = weights.folded(read, ~alive[read.atoms])
        if shift.any():
            add(shift)

    flow.need(read.atoms[weights.touched.any(0) & weights.lively(read)])
    constants = weights.outputs(read)
    flow.write(node.outputs[0], read.axis, out, constants)
    flow.writers.append((node, Channels(read.axis, out, constants)))
    flow.edits.append(fold)


def _grouped(  # noqa: PLR0913, PLR0917  # what a layer is
    flow: Flow, node: ir.Node, weights: Weights, read: Channels, out: Atoms, groups: int
) -> None:
    """A group goes as a whole: all its inputs with all its outputs."""
    inputs, outputs = read.atoms.reshape(groups, -1), out.reshape(groups, -1)
    flow.tie(inputs[:, :1], inputs)
    flow.tie(inputs[:, :1], outputs)
    size = len(out) // groups
    constants = np.concatenate([_group_outputs(weights, read, part, size) for part in range(groups)])
    flow.write(node.outputs[0], 1, out, constants)
    flow.writers.append((node, Channels(1, out, constants)))

    def count(alive: Alive) -> None:
        node.attributes["group"] = ir.AttrInt64("group", int(alive[inputs[:, 0]].sum()))

    flow.edits.append(count)


def _group_outputs(weights: Weights, read: Channels, part: int, size: int) -> Numbers:
    """(size,): the constants that one group writes."""
    rows = slice(part * size, (part + 1) * size)
    width = weights.sums.shape[1]
    columns = slice(part * width, (part + 1) * width)
    own = Weights(weights.sums[rows], weights.touched[rows], weights.bias[rows], weights.padded)
    return own.outputs(Channels(read.axis, read.atoms[columns], read.constants[columns]))


def _add_to_bias(flow: Flow, node: ir.Node, shift: Numbers, out: Atoms) -> None:
    """Put `shift` (out,) into the bias; one that others read, or none, becomes a new one."""
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    weight = node.inputs[1]
    assert weight is not None and node.graph is not None  # noqa: S101, PT018  # a layer has both
    if bias is not None and len(bias.uses()) == 1 and not bias.is_graph_output():
        put(bias, (numbers(bias) + shift).astype(stored(bias).dtype))
        return
    sum_ = shift + (numbers(bias).ravel() if bias is not None else 0)
    new = _new_bias(node, sum_)
    if len(node.inputs) < 3:
        node.resize_inputs(3)
    node.replace_input_with(2, new)
    flow.bind(new, {0: out})


def _new_bias(node: ir.Node, values: Numbers) -> ir.Value:
    weight, graph = node.inputs[1], node.graph
    assert weight is not None and isinstance(graph, ir.Graph)  # noqa: S101, PT018  # a layer has both
    return new_parameter(graph, f"{node.outputs[0].name}.bias", values.astype(stored(weight).dtype))


def _add_after(flow: Flow, node: ir.Node, shift: Numbers, out: Atoms) -> None:
    """Put `shift` (out,) into the bias that is added next, or add one."""
    bias = _added_next(node, len(shift))
    if bias is not None:
        put(bias, (numbers(bias) + shift).astype(stored(bias).dtype))
        return
    old, graph = node.outputs[0], node.graph
    assert isinstance(graph, ir.Graph)  # noqa: S101  # subgraphs are not entered
    new = _new_bias(node, shift)
    flow.bind(new, {0: out})
    inner = ir.node("MatMul", node.inputs)
    add = ir.node("Add", [inner.outputs[0], new])
    inner.outputs[0].name = f"{old.name}.product"
    for value in (inner.outputs[0], add.outputs[0]):
        value.shape, value.type = ir.Shape(old.shape or ()), old.type
        flow.channels[value] = flow.channels[old]
    del flow.channels[old]
    ir.convenience.replace_nodes_and_values(graph, node, [node], [inner, add], [old], [add.outputs[0]])


def _added_next(node: ir.Node, size: int) -> ir.Value | None:
    uses = list(node.outputs[0].uses())
    if len(uses) != 1 or uses[0].node.op_type != "Add" or node.outputs[0].is_graph_output():
        return None
    bias = uses[0].node.inputs[1 - uses[0].idx]
    sole = bias is not None and is_parameter(bias) and len(bias.uses()) == 1 and not bias.is_graph_output()
    return bias if sole and bias is not None and shape_of(bias) == (size,) else None
