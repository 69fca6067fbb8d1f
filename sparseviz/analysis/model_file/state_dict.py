"""The layers of a state_dict that torch saved."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparseviz.networks.stored_tensors import StoredTensor, TensorFile, biases_of, is_buffer, layer_names
from sparseviz.networks.torch_file import load_state
from sparseviz.values.cells import FloatPlane

_PRUNED, _MASK = "_orig", "_mask"  # torch.nn.utils.prune keeps a weight as the product of these two


def read_state_dict(path: Path) -> TensorFile:
    """The layers of a file. Raises ModelFileError."""
    tensors, notes = _stored(load_state(path))
    tensors, masks = _pruned(tensors)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    weights = [name for name, shape in shapes.items() if len(shape) > 1]
    layers = tuple(
        StoredTensor(
            layer,
            shapes[name],
            str(tensors[name].dtype).removeprefix("torch."),
            biases_of(name, shapes[name][0], shapes),
            _rows(tensors[name], masks.get(name)),
        )
        for layer, name in zip(layer_names(weights), weights, strict=True)
    )
    others = sum(math.prod(shape) for name, shape in shapes.items() if len(shape) < 2 and not is_buffer(name))
    return TensorFile(path, "PyTorch", layers, others, notes)


def _stored(state: Mapping[Any, Any]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The floating tensors that hold all numbers they claim, and what is left out."""
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    floating = {name: value for name, value in tensors.items() if value.is_floating_point() and value.numel()}
    whole = {name: value for name, value in floating.items() if _is_whole(value)}
    notes = tuple(
        f"{name} is left out: it does not hold all its numbers one by one" for name in floating if name not in whole
    )
    return whole, notes


def _is_whole(tensor: Tensor) -> bool:
    """Not sparse, not a few numbers that are repeated to a large shape."""
    if tensor.layout is not torch.strided or tensor.device.type != "cpu":
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _pruned(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weights under their own names, and the masks of those that torch.nn.utils.prune has cut."""
    masks = {}
    for name in [name.removesuffix(_PRUNED) for name in tensors if name.endswith(_PRUNED)]:
        mask = tensors.get(name + _MASK)
        if mask is not None and name not in tensors and mask.shape == tensors[name + _PRUNED].shape:
            masks[name] = mask
    gone = {name + _MASK for name in masks}
    kept = {name: value for name, value in tensors.items() if name not in gone}
    return {
        name.removesuffix(_PRUNED) if name.removesuffix(_PRUNED) in masks else name: kept[name] for name in kept
    }, masks


def _rows(tensor: Tensor, mask: Tensor | None) -> Callable[[slice], FloatPlane]:
    def read(rows: slice) -> FloatPlane:
        part = tensor[rows].detach().to(torch.float32)
        if mask is not None:
            part = torch.where(mask[rows] != 0, part * mask[rows], 0)
        return np.asarray(part.reshape(len(part), -1).numpy())

    return read
