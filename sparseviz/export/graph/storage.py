"""How weights lie in the file: float16 instead of float32, values with their places instead of zeros.

Standard operators bring them back when the file is loaded: onnxruntime computes what depends on stored numbers alone
once, so that a session is as fast as that of a file that stores all zeros.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

OVERHEAD_BYTES = 500  # of the nodes that bring one weight back, at most
LEAST_HALF = 64  # numbers; below, a cast costs more than it saves

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Places:
    """The nonzero numbers of an array, laid out flat: how far each is from the one before, and its value.

    Where a gap is too wide for its type, a 0 of the array stands in between as a step.
    """

    gaps: npt.NDArray[np.unsignedinteger]  # (n,) uint8 or uint16; the first from place 0
    values: Array  # (n,)

    @classmethod
    def of(cls, array: Array, kind: type[np.unsignedinteger]) -> "Places":
        """With gaps of this type."""
        flat, widest = array.ravel(), np.iinfo(kind).max
        at = np.flatnonzero(flat)
        gaps = np.diff(at, prepend=0)
        steps = gaps // (widest + 1) if not len(gaps) else np.maximum(gaps - 1, 0) // widest
        rows = np.repeat(np.arange(len(at)), steps + 1)
        last = np.cumsum(steps + 1) - 1
        out = np.full(len(rows), widest, dtype=np.int64)
        out[last] = gaps - steps * widest
        places = np.cumsum(out)
        return cls(out.astype(kind), flat[places])

    def restored(self, shape: tuple[int, ...]) -> Array:
        """The dense array again, zeros and all."""
        flat = np.zeros(int(np.prod(shape)), dtype=self.values.dtype)
        flat[np.cumsum(self.gaps, dtype=np.int64)] = self.values
        return flat.reshape(shape)

    def bytes(self, value_bytes: int) -> int:
        """On disk, without the nodes."""
        return len(self.values) * (value_bytes + self.gaps.dtype.itemsize)


def closest(array: Array) -> Places:
    """With the type of gaps that is smaller on disk."""
    both = [Places.of(array, kind) for kind in (np.uint8, np.uint16)]
    return min(both, key=lambda places: places.bytes(2))


def store(model: ir.Model, *, coo: bool, half: bool) -> None:
    """Store the float32 parameters of a graph so, each where that makes the file smaller.

    Requires: a checked graph. Ensures: with `coo` alone the same numbers bit for bit; with `half` each rounded to
    float16 (11 bits); computations stay in float32.
    """
    graph = model.graph
    for value in list(graph.initializers.values()):
        if value.dtype != ir.DataType.FLOAT or value.const_value is None or value.is_graph_output():
            continue
        array: Array = value.const_value.numpy()
        width = 2 if half and array.size >= LEAST_HALF else 4
        places = closest(array) if coo else None
        if places is not None and places.bytes(width) + OVERHEAD_BYTES < array.size * width:
            _replace(graph, value, _scattered(graph, value, places, half=width == 2))
        elif width == 2:
            _replace(graph, value, [_widened(graph, value.name, array)])


def _replace(graph: ir.Graph, value: ir.Value, nodes: list[ir.Node]) -> None:
    """Let the last of the nodes give what the parameter has given."""
    result = nodes[-1].outputs[0]
    name, shape, type_ = value.name, value.shape, value.type
    value.replace_all_uses_with(result)
    del graph.initializers[name]
    result.name, result.shape, result.type = name, shape, type_
    first = next(node for node in graph if node not in nodes)
    graph.insert_before(first, nodes)


def _parameter(graph: ir.Graph, name: str, array: npt.NDArray[np.generic]) -> ir.Value:
    found = graph.initializers.get(name)
    if found is None:
        found = ir.Value(name=name, const_value=ir.tensor(array, name=name))
        found.shape, found.dtype = ir.Shape(array.shape), ir.DataType.from_numpy(array.dtype)
        graph.register_initializer(found)
    return found


def _cast(value: ir.Value, kind: ir.DataType) -> ir.Node:
    return ir.node("Cast", [value], {"to": int(kind)})


def _widened(graph: ir.Graph, name: str, array: Array) -> ir.Node:
    return _cast(_parameter(graph, f"{name}.half", array.astype(np.float16)), ir.DataType.FLOAT)


def _scattered(graph: ir.Graph, value: ir.Value, places: Places, *, half: bool) -> list[ir.Node]:
    shape = np.array([*value.shape], dtype=np.int64)
    size = _parameter(graph, f"size.{shape.prod()}", np.array([shape.prod()], dtype=np.int64))
    if not len(places.values):
        return [ir.node("ConstantOfShape", [_parameter(graph, f"{value.name}.shape", shape)])]
    gaps = _cast(_parameter(graph, f"{value.name}.gaps", places.gaps), ir.DataType.INT32)
    at = ir.node("CumSum", [gaps.outputs[0], _parameter(graph, "axis.0", np.array(0, dtype=np.int64))])
    zeros = ir.node("ConstantOfShape", [size])
    nodes = [gaps, at, zeros]
    if half:
        nodes.append(_widened(graph, f"{value.name}.values", places.values))
        values = nodes[-1].outputs[0]
    else:
        values = _parameter(graph, f"{value.name}.values", places.values)
    flat = ir.node("ScatterElements", [zeros.outputs[0], at.outputs[0], values])
    whole = ir.node("Reshape", [flat.outputs[0], _parameter(graph, f"{value.name}.shape", shape)])
    for node, word in zip((gaps, at, zeros, flat), ("steps", "places", "zeros", "flat"), strict=True):
        node.outputs[0].name = f"{value.name}.{word}"
    if half:
        nodes[-1].outputs[0].name = f"{value.name}.wide"
    return [*nodes, flat, whole]
