"""What a unit of a sparse network can see of the input: where kept weights lead from a pixel to it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sparseviz.config import InputError
from sparseviz.networks import layers
from sparseviz.networks.baked import baked_model
from sparseviz.values.snapshot import Checkpoint

Picture = npt.NDArray[np.float32]  # (channels, height, width)


def receptive_picture(  # noqa: PLR0913, PLR0917
    network: str,
    checkpoint: Checkpoint,
    layer: str,
    unit: int,
    input_shape: tuple[int, ...],
    classes: int | None = None,
) -> Picture:
    """How strongly each input value reaches an output unit of a layer, float32 of the input's shape.

    The sum, over all paths of kept weights from the input value to the unit, of the product of their magnitudes:
    0 where no path is left. A filter is looked at in the middle of its map. Biases, signs and what an activation
    lets through are left out; max pooling passes all of its window. Raises InputError for a network that cannot
    be built or followed.
    """
    model = _magnitudes(baked_model(network, checkpoint, classes))
    found: list[Tensor] = []
    hook = layers(model)[layer].register_forward_hook(lambda *call: found.append(call[2]))
    image = torch.ones(1, *input_shape, requires_grad=True)
    try:
        with torch.enable_grad():
            model(image)
            output = found[0][0, unit]  # (), or the map of a filter
            middle: Any = tuple(side // 2 for side in output.shape)
            (strength,) = torch.autograd.grad(output[middle], image, allow_unused=True)
    except (RuntimeError, IndexError) as error:
        raise InputError(f"layer '{layer}': what its unit {unit} sees cannot be followed: {error}") from error
    finally:
        hook.remove()
    return np.zeros(input_shape, np.float32) if strength is None else strength[0].numpy()


def _magnitudes(model: nn.Module) -> nn.Module:
    """The network with |w| for w, no biases, and sums for maxima, so that its gradient counts paths."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        parameter.data = (
            torch.zeros_like(parameter) if name.endswith("bias") else parameter.abs()
        )  # not the checkpoint's
    for parent, name, pool in list(_pools(model)):
        size = (pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)
        setattr(parent, name, nn.AvgPool2d(*size, divisor_override=1))
    return model


def _pools(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.MaxPool2d]]:
    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.MaxPool2d):
                yield parent, name, child
