"""Lazy copies of a training's tensors, as arrays: copied at once, or only when somebody asks for one."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sparseviz.values.snapshot import Arrays, Checkpoint


@dataclass(frozen=True, slots=True)
class Copied:
    """An array that is copied from its tensor when it is asked for: true until the next step.

    A checkpoint of a large network is written array by array, so that not all of it needs to be there twice.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    make: Callable[[], Tensor]

    @classmethod
    def of(cls, tensor: Tensor) -> "Copied":
        """The lazy copy of this tensor."""
        return cls(tuple(tensor.shape), numpy_dtype(tensor), lambda: tensor)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """A copy in plain row-major order: the file's reader knows no memory formats."""
        with torch.no_grad():
            return np.array(self.make().detach().cpu().numpy(), order="C")

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Axes of the array."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Entries of the array."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the copy."""
        return self.size * self.dtype.itemsize


def as_arrays(copied: Mapping[str, Copied]) -> Arrays:
    """The same by the type that whoever writes arrays knows."""
    return cast("Arrays", copied)


def made(checkpoint: Checkpoint) -> Checkpoint:
    """The same with arrays of its own, copied now."""
    kinds: dict[str, Any] = {field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}
    step = kinds.pop("step")
    return Checkpoint(step, **{kind: copies(arrays) for kind, arrays in kinds.items() if arrays is not None})


def copies(arrays: Arrays) -> Arrays:
    """All of them as arrays of their own, copied now."""
    return {name: np.asarray(values) for name, values in arrays.items()}


def numpy_dtype(tensor: Tensor) -> np.dtype[Any]:
    """The dtype that a tensor's numbers have in numpy."""
    return torch.empty(0, dtype=tensor.dtype).numpy().dtype
