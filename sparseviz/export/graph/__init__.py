"""All that touches the graph of an ONNX file."""
