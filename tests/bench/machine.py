"""Which machine measured."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

PACKAGES = ("torch", "nncf", "tensorboard", "pyqtgraph", "silx", "h5py")


def machine() -> dict[str, str]:
    """Processor, cores, threads, versions, and how busy it is."""
    facts = {"processor": _processor(), "cores": str(os.cpu_count()), "torch threads": str(torch.get_num_threads())}
    facts |= {"system": platform.system(), "Python": platform.python_version()}
    facts |= {name: _version(name) for name in PACKAGES}
    if hasattr(os, "getloadavg"):
        facts["load before"] = f"{os.getloadavg()[0]:.1f}"
    return facts


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
