"""Where to train."""

import torch

from sparseviz.config import InputError


def pick_device(name: str) -> torch.device:
    """The device of this name; "auto" is CUDA, or else MPS, or else the CPU. Raises InputError where it is not."""
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available[:0] = ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if name == "auto":
        return torch.device(available[0])
    if name not in available:
        raise InputError(f"device '{name}' is not available on this machine; available: {', '.join(available)}")
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """The device as people know it, such as "cuda:0 (NVIDIA H200)"."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
