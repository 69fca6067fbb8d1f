"""compact(): look at the whole graph, take out what nobody needs, and look again until nothing moves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from onnx_ir.passes import common

from sparseviz.export.graph.compact import layout, linear, unitwise
from sparseviz.export.graph.compact.batch_norm import fold_batch_norms
from sparseviz.export.graph.compact.flow import Alive, Flow, is_parameter, put, shape_of, stored

Rule = Callable[[Flow, ir.Node], bool]

RULES: dict[str, Rule] = {
    "Conv": linear.conv,
    "ConvTranspose": linear.conv_transpose,
    "Gemm": linear.gemm,
    "MatMul": linear.matmul,
    "BatchNormalization": unitwise.batch_normalization,
    "Softmax": unitwise.softmax,
    "LogSoftmax": unitwise.softmax,
    "Pad": unitwise.pad,
    "Resize": unitwise.resize,
    "Flatten": layout.flatten,
    "Reshape": layout.reshape,
    "Concat": layout.concat,
    "Transpose": layout.transpose,
    "Squeeze": layout.squeeze,
    "Unsqueeze": layout.squeeze,
    "Slice": layout.slice_,
    "Split": layout.split,
    "Shape": layout.shape,
}
RULES |= dict.fromkeys(unitwise.ELEMENTWISE, unitwise.elementwise)
RULES |= dict.fromkeys(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"), unitwise.pooling)
RULES |= dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2"), unitwise.reduction)


@dataclass(frozen=True, slots=True)
class Removed:
    """What went from one layer."""

    layer: str
    constant: int = 0  # units or filters that gave a constant, which was folded into what follows
    unread: int = 0  # units or filters that nothing read


@dataclass(frozen=True, slots=True)
class Compaction:
    """What compaction did to a graph."""

    rounds: int  # until nothing moved
    removed: tuple[Removed, ...]
    batch_norms: int  # folded into the layer before
    left_alone: tuple[str, ...]  # operators that are not understood; all that they touch stayed


def compact(model: ir.Model) -> Compaction:
    """Take out what changes no output, in place.

    Requires: a checked model with the shapes of its values, as torch's exporter writes it. Ensures: the same inputs
    and outputs, the same answers up to rounding, no parameter larger than before. What is not understood stays.
    """
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    folded = fold_batch_norms(model)
    removed: dict[str, Removed] = {}
    rounds = 0
    while True:
        flow, left_alone = analyse(model.graph)
        alive = flow.settle()
        if alive.all():
            break
        _count(flow, alive, removed)
        _take_out(flow, alive)
        common.RemoveUnusedNodesPass()(model)
        rounds += 1
    common.RemoveUnusedNodesPass()(model)
    return Compaction(rounds, tuple(removed.values()), folded, left_alone)


def analyse(graph: ir.Graph) -> tuple[Flow, tuple[str, ...]]:
    """The channels of a graph, and the operators that are not understood."""
    flow, left_alone = Flow(), []
    for value in graph.inputs:
        if len(shape_of(value)) > 1 and shape_of(value)[1] > 0:
            flow.channels[value] = flow.read(value, 1, shape_of(value)[1])
    for node in graph:
        rule = RULES.get(node.op_type) if node.domain in {"", "ai.onnx"} else None
        if rule is None or not rule(flow, node):
            if any(value in flow.channels for value in node.inputs) or _inner(node):
                left_alone.append(f"{node.op_type} ({node.outputs[0].name})")
            for value in (*node.inputs, *_inner(node)):
                if value is not None:
                    flow.need_all(value)
    for value in graph.outputs:
        flow.need_all(value)
    return flow, tuple(left_alone)


def _inner(node: ir.Node) -> list[ir.Value]:
    """What the graphs inside a node read."""
    graphs = [
        graph
        for attribute in node.attributes.values()
        if attribute.type in {ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS}
        for graph in ([attribute.as_graph()] if attribute.type == ir.AttributeType.GRAPH else attribute.as_graphs())
    ]
    nodes = [inner for graph in graphs for inner in graph.all_nodes()]
    read = [value for inner in nodes for value in inner.inputs if value is not None]
    return [*read, *(value for graph in graphs for value in graph.outputs)]


def _count(flow: Flow, alive: Alive, removed: dict[str, Removed]) -> None:
    for node, written in flow.writers:
        gone = ~alive[written.atoms]
        if not gone.any():
            continue
        layer = layer_name(node)
        constant = int((gone & ~np.isnan(written.constants)).sum())
        old = removed.get(layer, Removed(layer))
        removed[layer] = Removed(layer, old.constant + constant, old.unread + int(gone.sum()) - constant)


def layer_name(node: ir.Node) -> str:
    """A layer's name, as the network has it where its weight is stored under that."""
    weight = node.inputs[1] if len(node.inputs) > 1 else None
    name = weight.name if weight is not None and is_parameter(weight) else node.outputs[0].name
    return (name or "").removesuffix(".weight")


def _take_out(flow: Flow, alive: Alive) -> None:
    for edit in flow.edits:
        edit(alive)
    for parameter, axes in flow.bound.items():
        array = stored(parameter)
        for axis, atoms in axes.items():
            array = np.compress(alive[atoms], array, axis)
        if array.shape != stored(parameter).shape:
            put(parameter, np.ascontiguousarray(array))
    for value, known in flow.channels.items():
        if value.shape is not None:
            sizes = list(value.shape)
            sizes[known.axis] = int(alive[known.atoms].sum())
            value.shape = ir.Shape(sizes)
