"""What a model file stores, whatever its form: the weights of its layers, read when they are asked for."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sparseviz.config import InputError
from sparseviz.values.cells import FloatPlane

BUFFERS = ("running_mean", "running_var")  # floating, and no parameters


class ModelFileError(InputError):
    """A model file cannot be read; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A layer's weight; its rows are output units where the file tells which they are."""

    name: str  # of the layer
    shape: tuple[int, ...]  # (out, in, *kernel); at least two dimensions, none of them 0
    kind: str  # the type of its numbers in the file
    biases: int
    read: Callable[[slice], FloatPlane]  # rows of its matrix to (rows, columns). Raises ModelFileError


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A file's layers, in its order."""

    path: Path
    form: str  # "ONNX", "safetensors" or "PyTorch"
    layers: tuple[StoredTensor, ...]
    others: int  # floating numbers that are no layer's weight: biases, scales of normalisation
    notes: tuple[str, ...] = ()  # what was left out or could not be told


def layer_names(tensors: Iterable[str]) -> list[str]:
    """The layers of these weights: without ".weight", unless two would have one name; no name comes twice."""
    full = list(tensors)
    short = [name.removesuffix(".weight") or name for name in full]
    taken = Counter(short) + Counter(name for name in full if name.endswith(".weight"))
    names = [name if taken[name] == 1 else whole for name, whole in zip(short, full, strict=True)]
    seen = Counter(names)
    return [name if seen[name] == 1 else f"{name} #{number}" for number, name in enumerate(names, start=1)]


def biases_of(weight: str, rows: int, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many biases a weight has: those of the tensor that is named like it, if it has one a row."""
    head, found, tail = weight.rpartition("weight")
    return rows if found and shapes.get(f"{head}bias{tail}") == (rows,) else 0


def is_buffer(name: str) -> bool:
    """Whether it is a statistic that a layer keeps, not a parameter."""
    return re.split(r"[./]", name)[-1] in BUFFERS
