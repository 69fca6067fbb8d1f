"""Watch a neural network decide which of its weights it needs, steer it while it does, ship what is left.

The public names are loaded on first use, so that `sparseviz info` does not wait for torch.
"""

from typing import TYPE_CHECKING, Any

from sparseviz.config.lazy import attribute
from sparseviz.config.version import __version__

if TYPE_CHECKING:
    from sparseviz.config import RunConfig
    from sparseviz.export import ExportOptions, export_run
    from sparseviz.runs.recording import branch_run, record_run, resume_run
    from sparseviz.store import RunReader

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
    "branch_run": "runs.recording",
    "export_run": "export",
    "record_run": "runs.recording",
    "resume_run": "runs.recording",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOMES, name)
