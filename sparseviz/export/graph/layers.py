"""Every layer of an ONNX file by its weight: shape, weights, multiply-adds."""

import math
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from sparseviz.export.graph.compact import Compaction, Removed
from sparseviz.export.graph.compact.flow import is_parameter, shape_of, stored
from sparseviz.export.graph.compact.removal import layer_name

_READERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of one file."""

    shape: tuple[int, ...]  # of its weight
    weights: int
    nonzero: int
    multiply_adds: int  # for one image
    nonzero_multiply_adds: int  # with the kept weights alone


@dataclass(frozen=True, slots=True)
class LayerChange:
    """One layer before and after; `after` is None where all of it went."""

    name: str
    before: Layer
    after: Layer | None
    removed: Removed


def layers_of(model: ir.Model) -> dict[str, Layer]:
    """The layers of a graph in its order, by name; one whose weight is read twice counts its work twice."""
    found: dict[str, Layer] = {}
    for node in model.graph:
        weight = node.inputs[1] if len(node.inputs) > 1 else None
        if node.op_type not in _READERS or weight is None or not is_parameter(weight):
            continue
        array, places = stored(weight), _places(node)
        nonzero = int(np.count_nonzero(array))
        before = found.get(layer_name(node))
        done, kept = (before.multiply_adds, before.nonzero_multiply_adds) if before else (0, 0)
        found[layer_name(node)] = Layer(
            array.shape, array.size, nonzero, done + places * array.size, kept + places * nonzero
        )
    return found


def _places(node: ir.Node) -> int:
    """How often each weight is multiplied for one image."""
    value = node.inputs[0] if node.op_type == "ConvTranspose" else node.outputs[0]
    sizes = shape_of(value) if value is not None else ()
    between = sizes[1:-1] if node.op_type in {"Gemm", "MatMul"} else sizes[2:]
    return math.prod(max(size, 1) for size in between)


def changes(
    before: dict[str, Layer], after: dict[str, Layer], compaction: Compaction | None
) -> tuple[LayerChange, ...]:
    """Both files' layers side by side."""
    removed = {part.layer: part for part in compaction.removed} if compaction else {}
    return tuple(
        LayerChange(name, layer, after.get(name), removed.get(name, Removed(name))) for name, layer in before.items()
    )
