"""Initializers of an ONNX file by name, and what is folded of them: stored, beside it, sparse, or made by operators."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from sparseviz.export.graph.folding import Array, can_fold, check_size, fold
from sparseviz.networks.stored_tensors import ModelFileError

DEEPEST = 16  # operators between stored numbers and a weight


class StoredValues:
    """Reads one value at a time; none is kept but in the graph itself."""

    def __init__(self, path: Path, graph: onnx.GraphProto) -> None:
        self._path = path
        self.stored = {tensor.name: tensor for tensor in graph.initializer}
        self.sparse = {tensor.values.name: tensor for tensor in graph.sparse_initializer}
        self._makers = {node.output[0]: node for node in graph.node if node.output and can_fold(node)}
        self._is_known: dict[str, bool] = {}

    def knows(self, name: str, depth: int = 0) -> bool:
        """Whether a value depends on stored numbers alone."""
        if name in self.stored or name in self.sparse:
            return True
        if name not in self._makers or depth > DEEPEST:
            return False
        if name not in self._is_known:
            inputs = self._makers[name].input
            self._is_known[name] = all(not given or self.knows(given, depth + 1) for given in inputs)
        return self._is_known[name]

    def leaves(self, name: str) -> set[str]:
        """The stored tensors of which a known value is made."""
        found, open_, seen = set(), [name], set()
        while open_:
            at = open_.pop()
            if at in seen:
                continue
            seen.add(at)
            if at in self.stored or at in self.sparse:
                found.add(at)
            elif at in self._makers:
                open_ += [given for given in self._makers[at].input if given]
        return found

    def read(self, name: str) -> Array:
        """A known value. Raises ModelFileError, which names it."""
        try:
            return self._read(name, {})
        except ModelFileError:
            raise
        except Exception as error:
            text = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise ModelFileError(f"{self._path}: the tensor {name!r} cannot be read: {text}") from error

    def _read(self, name: str, made: dict[str, Array]) -> Array:
        """`made` is what was computed for it so far: each value is computed once."""
        if name in self.stored:
            tensor = self.stored[name]
            is_beside = tensor.data_location == onnx.TensorProto.EXTERNAL
            return np.asarray(numpy_helper.to_array(self._fetched(tensor) if is_beside else tensor))
        if name in self.sparse:
            return _dense(self.sparse[name])
        if name not in made:
            node = self._makers[name]
            made[name] = fold(node, [self._read(given, made) if given else None for given in node.input])
        return made[name]

    def _fetched(self, tensor: onnx.TensorProto) -> onnx.TensorProto:
        """With its bytes, from a file in the same folder."""
        given = {entry.key: entry.value for entry in tensor.external_data}
        folder = self._path.resolve().parent
        beside = (folder / given["location"]).resolve()
        if not beside.is_relative_to(folder):
            raise ModelFileError(f"{self._path}: the tensor {tensor.name!r} lies outside the file's folder: {beside}")
        if not beside.is_file():
            raise ModelFileError(f"{self._path}: the numbers of {tensor.name!r} are in {beside.name}, which is missing")
        offset, size = int(given.get("offset", 0)), beside.stat().st_size
        length = int(given.get("length", size - offset))
        if offset < 0 or length < 0 or offset + length > size:
            raise ModelFileError(f"{self._path}: {beside.name} is too short for the tensor {tensor.name!r}")
        whole = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        with beside.open("rb") as file:
            file.seek(offset)
            whole.raw_data = file.read(length)
        return whole


def _dense(tensor: Any) -> Array:
    """Values at places that count through the array, (n,), or that name a place in every axis, (n, axes)."""
    shape = tuple(tensor.dims)
    check_size(shape)
    values, places = numpy_helper.to_array(tensor.values), numpy_helper.to_array(tensor.indices)
    found = np.zeros(shape, values.dtype)
    if places.ndim == 1:
        found.ravel()[places] = values
    else:
        found[tuple(places.T)] = values
    return found
