"""The device to train on, and the states of its random generators."""

from collections.abc import Mapping

import torch
from torch import Tensor

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


def set_tf32(device: torch.device, *, used: bool) -> None:
    """Have a GPU multiply float32 in TF32 from now on, or not. Raises InputError where `used` and there is none."""
    if device.type == "cuda":
        kind = "tf32" if used else "ieee"
        torch.backends.cuda.matmul.fp32_precision = kind
        torch.backends.cudnn.conv.fp32_precision = kind  # type: ignore[attr-defined]  # torch's own default is tf32
    elif used:
        raise InputError(f"precision: tf32 is for CUDA devices, not {device}; use float32 or bfloat16")


def device_name(device: torch.device) -> str:
    """The device as people know it, such as "cuda:0 (NVIDIA H200)"."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Of torch's default generators, uint8: the processor's, and the device's own where it has one."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["device"] = torch.mps.get_rng_state()
    return states


def set_random_states(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Put back what `random_states` gave; a device that it was not asked about keeps its own."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "device" in states:
        torch.cuda.set_rng_state(states["device"], device)
    elif device.type == "mps" and "device" in states:
        torch.mps.set_rng_state(states["device"])
