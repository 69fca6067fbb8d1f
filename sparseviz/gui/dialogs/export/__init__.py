"""Export ONNX: choices, progress, report."""
