"""Rules of what moves channels without computing: reshaping, joining, cutting, turning."""

import math

import numpy as np
import onnx_ir as ir

from sparseviz.export.graph.compact.flow import (
    Alive,
    Channels,
    Flow,
    integers,
    is_parameter,
    new_parameter,
    others,
    shape_of,
)


def flatten(flow: Flow, node: ir.Node) -> bool:
    """(B, C, ...) to (B, C * ...): a channel becomes a stretch."""
    x = node.inputs[0]
    if x not in flow.channels or flow.channels[x].axis != 1 or node.attributes.get_int("axis", 1) != 1:
        return False
    read, places = flow.channels[x], math.prod(shape_of(x)[2:])
    if places < 1:
        return False
    flow.write(node.outputs[0], 1, read.atoms.repeat(places), read.constants.repeat(places))
    return True


def reshape(flow: Flow, node: ir.Node) -> bool:
    """(B, C, ...) to (B, C, ...) or to (B, C * ...), or back; the new sizes are computed from what is left."""
    x, shape = node.inputs
    if x not in flow.channels or flow.channels[x].axis != 1:
        return False
    before, after = shape_of(x), shape_of(node.outputs[0])
    written = _reshaped(flow, flow.channels[x], before, after)
    if written is None:
        return False
    flow.channels[node.outputs[0]] = written
    if shape is not None and is_parameter(shape):
        flow.bind(shape, {})

    def resize(alive: Alive) -> None:
        if not alive[written.atoms].all():
            _let_channels_follow(node, after)

    flow.edits.append(resize)
    return True


def _reshaped(flow: Flow, read: Channels, before: tuple[int, ...], after: tuple[int, ...]) -> Channels | None:
    if min(*before[1:], *after[1:], 1) < 1 or before[0] != after[0]:
        return None
    if before[1] == after[1]:
        return read
    if after[1] == math.prod(before[1:]):
        places = after[1] // before[1]
        return Channels(1, read.atoms.repeat(places), read.constants.repeat(places))
    if before[1] == math.prod(after[1:]):
        atoms, constants = read.atoms.reshape(after[1], -1), read.constants.reshape(after[1], -1)
        flow.tie(atoms[:, :1], atoms)
        uniform = (constants == constants[:, :1]).all(1)
        return Channels(1, atoms[:, 0], np.where(uniform, constants[:, 0], np.nan))
    return None


def _let_channels_follow(node: ir.Node, after: tuple[int, ...]) -> None:
    graph = node.graph
    assert isinstance(graph, ir.Graph)  # noqa: S101  # subgraphs are not entered
    sizes = np.array([0, -1, *after[2:]], dtype=np.int64)
    node.attributes["allowzero"] = ir.AttrInt64("allowzero", 0)
    node.replace_input_with(1, new_parameter(graph, f"{node.outputs[0].name}.shape", sizes))


def concat(flow: Flow, node: ir.Node) -> bool:
    """Channels one after the other; joined along another axis they are tied."""
    out = node.outputs[0]
    axes = {flow.channels[value].axis for value in node.inputs if value in flow.channels}
    if len(axes) != 1 or out.shape is None or any(value is None or value.shape is None for value in node.inputs):
        return False
    axis = axes.pop()
    if any(is_parameter(value) or shape_of(value)[axis] < 1 for value in node.inputs if value is not None):
        return False
    parts = [flow.read(value, axis, shape_of(value)[axis]) for value in node.inputs if value is not None]
    if node.attributes.get_int("axis", 1) % len(out.shape) == axis:
        atoms, constants = (np.concatenate([getattr(part, name) for part in parts]) for name in ("atoms", "constants"))
        flow.write(out, axis, atoms, constants)
        return True
    same = np.ones(len(parts[0].atoms), bool)
    for part in parts[1:]:
        flow.tie(parts[0].atoms, part.atoms)
        same &= part.constants == parts[0].constants
    flow.write(out, axis, parts[0].atoms, np.where(same, parts[0].constants, np.nan))
    return True


def transpose(flow: Flow, node: ir.Node) -> bool:
    """Follow the channels' axis, which moves."""
    x = node.inputs[0]
    if x not in flow.channels or x.shape is None:
        return False
    read = flow.channels[x]
    order = list(node.attributes.get_ints("perm", range(len(x.shape))[::-1]))
    flow.write(node.outputs[0], order.index(read.axis), read.atoms, read.constants)
    return True


def squeeze(flow: Flow, node: ir.Node) -> bool:
    """Axes of size 1 go, or come."""
    x, axes = (*node.inputs, None)[:2]
    given = integers(axes)
    if x not in flow.channels or given is None or axes is None or x.shape is None:
        return False
    read = flow.channels[x]
    if node.op_type == "Squeeze":
        gone = others(given, len(x.shape))
        axis = read.axis - sum(place < read.axis for place in gone)
        if read.axis in gone:
            return False
    else:
        rank = len(x.shape) + len(given)
        axis = [place for place in range(rank) if place not in others(given, rank)][read.axis]
    flow.write(node.outputs[0], axis, read.atoms, read.constants)
    flow.bind(axes, {})
    return True


def slice_(flow: Flow, node: ir.Node) -> bool:
    """A stretch of the image, or of the channels, whose ends move with what is left."""
    x, *rest = node.inputs
    lists = [integers(value) for value in rest]
    if x not in flow.channels or x.shape is None or len(rest) < 3 or any(found is None for found in lists):
        return False
    starts, ends, axes, *steps = [found or [] for found in lists]
    read, places = flow.channels[x], [axis % len(x.shape) for axis in axes]
    if read.axis not in places:
        flow.write(node.outputs[0], read.axis, read.atoms, read.constants)
    else:
        at = places.index(read.axis)
        if len(axes) > 1 or (steps and steps[0][at] != 1):
            return False
        begin, end, _ = slice(starts[at], ends[at]).indices(len(read.atoms))
        if begin >= end:
            return False
        flow.write(node.outputs[0], read.axis, read.atoms[begin:end], read.constants[begin:end])
        flow.edits.append(lambda alive: _move_ends(node, alive[read.atoms], begin, end))
    for value in rest:
        if value is not None:
            flow.bind(value, {})
    return True


def _move_ends(node: ir.Node, alive: Alive, begin: int, end: int) -> None:
    graph = node.graph
    assert isinstance(graph, ir.Graph)  # noqa: S101  # subgraphs are not entered
    if alive.all():
        return
    for place, name, last in ((1, "start", begin), (2, "end", end)):
        size = np.array([alive[:last].sum()], dtype=np.int64)
        node.replace_input_with(place, new_parameter(graph, f"{node.outputs[0].name}.{name}", size))


def split(flow: Flow, node: ir.Node) -> bool:
    """Stretches of the channels, whose sizes follow what is left; or of another axis."""
    x, sizes = (*node.inputs, None)[:2]
    if x not in flow.channels or x.shape is None or (sizes is not None and not is_parameter(sizes)):
        return False
    read, axis = flow.channels[x], node.attributes.get_int("axis", 0) % len(x.shape)
    parts = [shape_of(value)[axis] if value.shape is not None else 0 for value in node.outputs]
    if axis == read.axis and (min(parts) < 1 or sum(parts) != len(read.atoms)):
        return False
    ends = np.cumsum(parts)
    for value, end, size in zip(node.outputs, ends, parts, strict=True):
        stretch = slice(end - size, end) if axis == read.axis else slice(None)
        flow.write(value, read.axis, read.atoms[stretch], read.constants[stretch])
    if axis == read.axis:
        flow.edits.append(lambda alive: _share_out(node, [alive[flow.channels[out].atoms] for out in node.outputs]))
    if sizes is not None:
        flow.bind(sizes, {})
    return True


def _share_out(node: ir.Node, alive: list[Alive]) -> None:
    graph = node.graph
    assert isinstance(graph, ir.Graph)  # noqa: S101  # subgraphs are not entered
    if all(part.all() for part in alive):
        return
    sizes = np.array([part.sum() for part in alive], dtype=np.int64)
    node.attributes.pop("num_outputs", None)
    node.resize_inputs(2)
    node.replace_input_with(1, new_parameter(graph, f"{node.outputs[0].name}.sizes", sizes))


def shape(_flow: Flow, node: ir.Node) -> bool:
    """The number of images, which does not depend on channels."""
    found = node.attributes
    return bool(found.get_int("start", 0) == 0 and found.get_int("end", 0) == 1)
