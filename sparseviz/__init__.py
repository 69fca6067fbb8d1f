"""Watch a neural network decide which of its weights it needs, steer it while it does, ship what is left.

The public names are loaded on first use, so that `sparseviz info` does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparseviz.config import RunConfig
    from sparseviz.export import ExportOptions, export_run
    from sparseviz.run import branch_run, record_run, resume_run
    from sparseviz.store import RunReader

__version__ = "0.1.0"
__all__ = [
    "ExportOptions",
    "RunConfig",
    "RunReader",
    "__version__",
    "branch_run",
    "export_run",
    "record_run",
    "resume_run",
]

_HOMES = {
    "ExportOptions": "export",
    "RunConfig": "config",
    "RunReader": "store",
    "branch_run": "run",
    "export_run": "export",
    "record_run": "run",
    "resume_run": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparseviz' has no attribute {name!r}")
    return getattr(import_module(f"sparseviz.{_HOMES[name]}"), name)
