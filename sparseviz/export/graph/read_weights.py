"""The layers of any ONNX file: which tensors are weights, which of their axes is the output, and their numbers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from sparseviz.export.graph.folding import Array, attributes, dequantized
from sparseviz.export.graph.stored_values import StoredValues
from sparseviz.networks.stored_tensors import ModelFileError, StoredTensor, TensorFile, biases_of, layer_names
from sparseviz.values.cells import FloatPlane

_Type = onnx.TensorProto
FLOATING = {_Type.DOUBLE: "float64", _Type.FLOAT: "float32", _Type.FLOAT16: "float16", _Type.BFLOAT16: "bfloat16"}
WEIGHT_AT = {"Conv": (1,), "ConvTranspose": (1,), "Gemm": (1, 0), "MatMul": (1, 0), "Gather": (0,)}
INTEGER = {"ConvInteger": (1, 3), "MatMulInteger": (1, 3), "QLinearConv": (3, 5), "QLinearMatMul": (3, 5)}  # and zero
_ADDED = ("_quantized", "_Transposed")  # by quantizers to a weight's name


@dataclass(frozen=True, slots=True)
class Use:
    """How a layer reads its weight."""

    node: onnx.NodeProto
    weight: str
    swap: bool  # whether its rows are inputs
    scale: str = ""  # of integers, with its zero point
    zero: str = ""
    bias: str = ""


def read_onnx(path: Path) -> TensorFile:
    """The layers of a file, in the order in which its graph reads them. Raises ModelFileError."""
    return _OnnxFile(path).tensors()


class _OnnxFile:
    """A graph and its numbers; the matrix read last is kept, since parts of it follow one another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._graph = _load(path).graph
        self._values = StoredValues(path, self._graph)
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self._graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self._products = {node.output[0]: node for node in self._graph.node if node.op_type == "Mul" and node.output}
        self._shapes: dict[str, tuple[int, ...]] = {}  # as they are stored
        self._kept: tuple[str, Array] | None = None
        self._notes: list[str] = []

    def tensors(self) -> TensorFile:
        """All layers: what a layer's operator reads first, then every other floating tensor of two axes or more."""
        uses = list({use.weight: use for use in reversed(list(self._uses()))}.values())[::-1]
        used = {leaf for use in uses for name in (use.weight, use.scale) if name for leaf in self._values.leaves(name)}
        floating = {name: tuple(tensor.dims) for name, tensor in self._values.stored.items() if self._is_floating(name)}
        rest = [name for name, shape in floating.items() if len(shape) > 1 and name not in used and math.prod(shape)]
        uses += [Use(onnx.NodeProto(), name, swap=False) for name in rest]
        names = layer_names(_layer_name(use) for use in uses)
        layers = tuple(self._layer(name, use, floating) for name, use in zip(names, uses, strict=True))
        others = sum(math.prod(shape) for name, shape in floating.items() if len(shape) == 1 and name not in used)
        return TensorFile(self._path, "ONNX", layers, others, tuple(self._notes))

    def _is_floating(self, name: str) -> bool:
        return self._values.stored[name].data_type in FLOATING

    def _uses(self) -> Iterator[Use]:
        for node in self._graph.node:
            if node.op_type in INTEGER:
                use = self._integer_use(node)
            else:
                known = [at for at in WEIGHT_AT.get(node.op_type, ()) if at < len(node.input)]
                at = next((at for at in known if self._values.knows(node.input[at])), None)
                use = None if at is None else Use(node, node.input[at], _swaps(node, at), bias=self._bias(node))
            if use is not None and self._is_matrix(use):
                yield use

    def _is_matrix(self, use: Use) -> bool:
        """Whether it is floating, or made so, and has two axes or more; what cannot be computed is noted."""
        try:
            shape = self._shape(use)
        except ModelFileError as error:
            self._notes.append(f"left out: {error}")
            return False
        stored = self._values.stored.get(use.weight)
        is_number = stored is None or stored.data_type in FLOATING or use.node.op_type in INTEGER
        return is_number and len(shape) > 1 and math.prod(shape) > 0

    def _integer_use(self, node: onnx.NodeProto) -> Use | None:
        at, zero_at = INTEGER[node.op_type]
        weight = node.input[at] if at < len(node.input) else ""
        if not weight or not self._values.knows(weight):
            return None
        zero = node.input[zero_at] if zero_at < len(node.input) else ""
        scale = node.input[zero_at - 1] if node.op_type.startswith("QLinear") else self._scale_after(node)
        if not scale or not self._values.knows(scale):
            self._notes.append(f"{weight} is shown as integers: its scale was not found")
            scale = ""
        return Use(node, weight, _swaps(node, 1), scale, zero if zero and self._values.knows(zero) else "")

    def _scale_after(self, node: onnx.NodeProto) -> str:
        """An integer product is cast, then multiplied by the input's scale times the weight's."""
        casts = [cast.output[0] for cast in self._readers.get(node.output[0], []) if cast.output]
        names = [name for cast in casts for reader in self._readers.get(cast, []) for name in reader.input]
        names += [name for made in names if made in self._products for name in self._products[made].input]
        return next((name for name in names if self._values.knows(name)), "")

    def _bias(self, node: onnx.NodeProto) -> str:
        """The third input, or what is added to a product."""
        added = [add for add in self._readers.get(node.output[0], []) if add.op_type == "Add"] if node.output else []
        names = [*node.input[2:3], *(name for add in added[:1] for name in add.input)]
        return next((name for name in names if self._values.knows(name)), "") if node.op_type != "Gather" else ""

    def _shape(self, use: Use) -> tuple[int, ...]:
        """As it is stored. Raises ModelFileError where that must be computed, and cannot be."""
        if use.weight in self._values.stored:
            return tuple(self._values.stored[use.weight].dims)
        if use.weight not in self._shapes:
            array = self._values.read(use.weight)
            is_whole = np.issubdtype(array.dtype, np.integer) and use.node.op_type not in INTEGER
            self._shapes[use.weight] = () if is_whole else tuple(array.shape)
        return self._shapes[use.weight]

    def _layer(self, name: str, use: Use, floating: dict[str, tuple[int, ...]]) -> StoredTensor:
        shape = self._shape(use)
        shape = (shape[1], shape[0], *shape[2:]) if use.swap else shape
        if use.bias:
            biases = shape[0] if self._values.read(use.bias).size == shape[0] else 0
        else:
            biases = biases_of(f"{name}.weight", shape[0], floating)
        return StoredTensor(name, shape, self._kind(use), biases, lambda rows: self._matrix(use)[rows])

    def _kind(self, use: Use) -> str:
        leaves = [self._values.stored[leaf] for leaf in self._values.leaves(use.weight) if leaf in self._values.stored]
        floating = [leaf for leaf in leaves if leaf.data_type in FLOATING and leaf.dims]
        sized = {math.prod(leaf.dims): leaf.data_type for leaf in leaves if leaf.data_type not in FLOATING}
        if "Integer" in use.node.op_type or "QLinear" in use.node.op_type or not floating:
            return _Type.DataType.Name(sized[max(sized)]).lower() if sized else "made"
        return FLOATING[max(floating, key=lambda leaf: math.prod(leaf.dims)).data_type]

    def _matrix(self, use: Use) -> FloatPlane:
        if self._kept is None or self._kept[0] != use.weight:
            self._kept = None  # the old one goes before the new one comes
            self._kept = use.weight, self._read(use)
        return self._kept[1]

    def _read(self, use: Use) -> FloatPlane:
        array = self._values.read(use.weight)
        if use.scale or use.zero:
            scale = self._values.read(use.scale) if use.scale else np.ones(1, np.float32)
            zero = self._values.read(use.zero) if use.zero else None
            array = dequantized({"axis": 0 if "Conv" in use.node.op_type else array.ndim - 1}, array, scale, zero)
        array = np.swapaxes(array, 0, 1) if use.swap else array
        return np.ascontiguousarray(array.reshape(array.shape[0], -1), dtype=np.float32)


def _load(path: Path) -> onnx.ModelProto:
    """The graph; numbers that lie beside it are not read yet."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path} is no whole ONNX file: {error}") from error
    if not model.ir_version or not (model.graph.node or model.graph.initializer):
        raise ModelFileError(f"{path} is no ONNX file: it has no graph")
    return model


def _swaps(node: onnx.NodeProto, at: int) -> bool:
    """Whether the weight, the node's input at this place, has its outputs in the second axis."""
    given = attributes(node)
    if node.op_type == "Gemm":
        return not given.get("transB") if at == 1 else bool(given.get("transA"))
    if node.op_type == "ConvTranspose":
        return int(given.get("group", 1)) == 1
    return at == 1 and "MatMul" in node.op_type


def _layer_name(use: Use) -> str:
    """The weight's name, without what quantizers added to it; the node's where an exporter only counted weights."""
    name = use.weight
    for added in _ADDED:
        name = name.removesuffix(added)
    return use.node.name.strip("/") if name.startswith("onnx::") and use.node.name else name
