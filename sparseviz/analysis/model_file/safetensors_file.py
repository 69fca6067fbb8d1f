"""safetensors: the header is checked whole by the library, numbers are read row by row, nothing is executed."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from sparseviz.networks.stored_tensors import (
    ModelFileError,
    StoredTensor,
    TensorFile,
    biases_of,
    is_buffer,
    layer_names,
)
from sparseviz.values.cells import FloatPlane

KINDS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
KINDS |= {"F8_E4M3": "float8_e4m3", "F8_E5M2": "float8_e5m2"}


def read_safetensors(path: Path) -> TensorFile:
    """The layers of a file. Raises ModelFileError."""
    shapes, kinds = _header(path)
    floating = {name: shape for name, shape in shapes.items() if kinds[name] in KINDS and 0 not in shape}
    weights = [name for name, shape in floating.items() if len(shape) > 1]
    layers = tuple(
        StoredTensor(
            layer, shapes[name], KINDS[kinds[name]], biases_of(name, shapes[name][0], floating), _rows(path, name)
        )
        for layer, name in zip(layer_names(weights), weights, strict=True)
    )
    others = sum(math.prod(shape) for name, shape in floating.items() if len(shape) < 2 and not is_buffer(name))
    return TensorFile(path, "safetensors", layers, others)


def _header(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    with _opened(path) as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
        shapes: dict[str, tuple[int, ...]] = {name: tuple(part.get_shape()) for name, part in slices.items()}
        return shapes, {name: part.get_dtype() for name, part in slices.items()}


def _rows(path: Path, name: str) -> Callable[[slice], FloatPlane]:
    def read(rows: slice) -> FloatPlane:
        """Opened for each part: nothing of the file is held between two."""
        with _opened(path) as file:
            part = file.get_slice(name)[rows.start : rows.stop]
        return np.asarray(part.to(torch.float32).reshape(len(part), -1).numpy())

    return read


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The library's handle; its errors name the file."""
    try:
        opened: Any = safe_open(str(path), framework="pt")
        with opened as file:
            yield file
    except (SafetensorError, OSError, RuntimeError, TypeError) as error:
        raise _error(path, error) from error


def _error(path: Path, error: BaseException) -> ModelFileError:
    return ModelFileError(f"{path} is no whole safetensors file: {error}")
