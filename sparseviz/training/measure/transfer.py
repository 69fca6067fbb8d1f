"""From the training device to the host: many small tensors by one copy and one wait."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sparseviz.training.copies import numpy_dtype

_Key = TypeVar("_Key", bound=Hashable)


@torch.no_grad()
def fetch(tensors: Mapping[_Key, Tensor]) -> dict[_Key, npt.NDArray[Any]]:
    """All of them, which lie on one device and may still be computed there, as arrays of their own."""
    if not tensors:
        return {}
    raw = _on_host(torch.cat([tensor.detach().reshape(-1).view(torch.uint8) for tensor in tensors.values()]))
    found, start = {}, 0
    for key, tensor in tensors.items():
        dtype, size = numpy_dtype(tensor), math.prod(tensor.shape) * tensor.element_size()
        found[key] = raw[start : start + size].copy().view(dtype).reshape(tensor.shape)
        start += size
    return found


def _on_host(raw: Tensor) -> npt.NDArray[np.uint8]:
    if raw.device.type != "cuda":
        return raw.cpu().numpy()
    host = torch.empty(raw.shape, dtype=raw.dtype, pin_memory=True)
    host.copy_(raw, non_blocking=True)
    torch.cuda.current_stream(raw.device).synchronize()
    return host.numpy()
