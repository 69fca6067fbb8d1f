"""Model files, made here or elsewhere, as a history of one snapshot and true cells."""

from sparseviz.analysis.model_file.model import Cancelled, Model, open_model
from sparseviz.analysis.model_file.table import facts

__all__ = ["Cancelled", "Model", "facts", "open_model"]
