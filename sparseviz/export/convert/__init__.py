"""A run's file for other tools: tables, TensorBoard, safetensors. One form a file; FORMS names them."""

from sparseviz.export.convert.from_run import FORMS, convert_run, place_beside
from sparseviz.export.convert.moment import ConvertError

__all__ = ["FORMS", "ConvertError", "convert_run", "place_beside"]
