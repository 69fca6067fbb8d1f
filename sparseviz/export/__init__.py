"""Export: from a run file to a proven ONNX file. What is shipped is what is on disk."""

from sparseviz.export.from_run import export_run
from sparseviz.export.latency import Latency
from sparseviz.export.options import ExportError, ExportOptions
from sparseviz.export.report import ExportReport, as_markdown
from sparseviz.export.verify import Proof

__all__ = ["ExportError", "ExportOptions", "ExportReport", "Latency", "Proof", "as_markdown", "export_run"]
