"""What `sparseviz info` says of a model file, as plain values for JSON."""

import math
from typing import Any

from sparseviz.analysis.model_file.model import Model
from sparseviz.values.snapshot import totals


def facts(model: Model) -> dict[str, Any]:
    """Its form, sizes and layers; None where there is no value."""
    snapshot = model.history[0]
    sizes = totals(snapshot, model.history.parameters)
    return {
        "file": str(model.file.path),
        "form": model.file.form,
        "notes": list(model.notes),
        "parameters": sizes.parameters,
        "kept": sizes.parameters_kept,
        "compression": _number(sizes.compression),
        "weights": sizes.weights,
        "weights_kept": sizes.weights_kept,
        "compression_weights": _number(sizes.compression_weights),
        "layers": [_layer(model, number) for number in range(len(snapshot.layers))],
    }


def _layer(model: Model, number: int) -> dict[str, Any]:
    layer, tensor = model.history[0].layers[number], model.file.layers[number]
    return {
        "name": layer.info.name,
        "shape": list(layer.info.shape),
        "numbers": tensor.kind,
        "parameters": layer.info.weights,
        "kept": layer.kept,
        "biases": layer.info.biases,
        "biases_kept": layer.biases_kept,
        "dead_units": layer.dead_units,
        "std": _number(model.spreads[layer.info.name].std),
        "not_finite": model.spreads[layer.info.name].not_finite,
        "undecided_kept": None,
        "undecided_cut": None,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
