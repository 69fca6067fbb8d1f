"""Export: from a run file to a proven ONNX file. What is shipped is what is on disk."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparseviz.export.options import ExportError, ExportOptions

if TYPE_CHECKING:
    from sparseviz.export.from_run import export_run
    from sparseviz.export.latency import Latency
    from sparseviz.export.report import ExportReport, as_markdown
    from sparseviz.export.verify import Proof

__all__ = ["ExportError", "ExportOptions", "ExportReport", "Latency", "Proof", "as_markdown", "export_run"]

# Loaded when they are asked for: ONNX takes as long as half of all that the window needs to start.
_LATER = {
    "export_run": "from_run",
    "Latency": "latency",
    "ExportReport": "report",
    "as_markdown": "report",
    "Proof": "verify",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
