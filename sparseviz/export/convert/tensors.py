"""safetensors: a checkpoint's weights as the network uses them, and its masks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from sparseviz.config.version import __version__
from sparseviz.export.convert.moment import Moment
from sparseviz.values.snapshot import Checkpoint


def write_tensors(moment: Moment, path: Path) -> None:
    """Write one file: the state_dict with its cut weights +0.0, and `<layer>.weight_mask`, true where kept."""
    checkpoint, info = moment.checkpoint(), moment.run.info
    metadata = {
        "format": "pt",  # what loaders of torch models ask for; the names are those of its state_dict
        "sparseviz": __version__,
        "run": moment.run.path.name,
        "created": info.created,
        "network": info.config.network,
        "step": str(checkpoint.step),
        "weights": str(sum(layer.weights for layer in info.layers)),
        "weights_kept": str(sum(int(mask.sum()) for mask in checkpoint.masks.values())),
        "classes": json.dumps(info.classes),
        "config": info.config.model_dump_json(),
    }
    path.write_bytes(save(_tensors(checkpoint), metadata))


def _tensors(checkpoint: Checkpoint) -> dict[str, npt.NDArray[Any]]:
    # not ascontiguousarray: it makes a batch norm's counter an array of one
    tensors = {name: np.array(values, order="C") for name, values in checkpoint.parameters.items()}
    for layer, mask in checkpoint.masks.items():
        weight = tensors[f"{layer}.weight"]
        tensors[f"{layer}.weight"] = np.where(mask, weight, weight.dtype.type(0))
        tensors[f"{layer}.weight_mask"] = np.ascontiguousarray(mask)
    return tensors
