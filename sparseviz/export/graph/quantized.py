"""Weights in 8 bits, by onnxruntime's own quantizer."""

import logging
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic


def quantize(path: Path, out: Path) -> None:
    """Write the float32 model at `path` with 8-bit weights; activations are quantized as they come.

    No calibration: no images are read. Raises what the quantizer raises.
    """
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises a preparation that the exporter's shapes make needless
    try:
        quantize_dynamic(path, out, weight_type=QuantType.QInt8, per_channel=True)
    finally:
        root.setLevel(level)
