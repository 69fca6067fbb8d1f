"""Export: from a run file to a proven ONNX file. What is shipped is what is on disk."""

from sparseviz.export.from_run import ExportReport, export_run
from sparseviz.export.verify import ExportError, Proof

__all__ = ["ExportError", "ExportReport", "Proof", "export_run"]
