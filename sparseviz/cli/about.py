"""What `sparseviz info` says without a run: versions, device, folders."""

import platform
from importlib.metadata import version
from typing import Any

from sparseviz.config import paths
from sparseviz.config.version import __version__
from sparseviz.training.device import pick_device

LIBRARIES = ("torch", "numpy", "h5py", "onnx", "onnxruntime", "PySide6-Essentials", "pyqtgraph")


def about() -> dict[str, Any]:
    """As plain values for JSON."""
    return {
        "version": __version__,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "device": str(pick_device("auto")),
        "runs": str(paths.runs_folder()),
        "data": str(paths.data_folder()),
        "resources": str(paths.resources()),
        "presets": list(paths.presets()),
    }
