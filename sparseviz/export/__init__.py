"""Export: from a run file to a proven ONNX file. What is shipped is what is on disk."""

from typing import TYPE_CHECKING, Any

from sparseviz.config.lazy import attribute
from sparseviz.export.options import ExportError, ExportOptions

if TYPE_CHECKING:
    from sparseviz.export.from_run import export_run
    from sparseviz.export.markdown import as_markdown
    from sparseviz.export.proof.latency import Latency
    from sparseviz.export.proof.verify import Proof
    from sparseviz.export.report import ExportReport

__all__ = ["ExportError", "ExportOptions", "ExportReport", "Latency", "Proof", "as_markdown", "export_run"]

# Loaded when they are asked for: ONNX takes as long as half of all that the window needs to start.
_LATER = {
    "export_run": "from_run",
    "Latency": "proof.latency",
    "ExportReport": "report",
    "as_markdown": "markdown",
    "Proof": "proof.verify",
}


def __getattr__(name: str) -> Any:
    return attribute(__name__, _LATER, name)
