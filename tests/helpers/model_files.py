"""Model files to be read, and what was read of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from sparseviz.analysis.model_file import Model
from sparseviz.export import ExportOptions
from sparseviz.values.cells import Part

STORAGES = {
    "dense": ExportOptions(test_set=False),
    "compact": ExportOptions(compact=True, test_set=False),
    "coo": ExportOptions(storage="coo", test_set=False),
    "half": ExportOptions(half=True, test_set=False),
    "coo half": ExportOptions(storage="coo", half=True, test_set=False),
}


def matrices(model: Model) -> dict[str, np.ndarray]:
    """Every layer's true cells, all of them."""
    found = {}
    for info in (entry.info for entry in model.history[0].layers):
        part = Part(info.name, slice(0, info.rows), slice(0, info.columns))
        found[info.name] = model.cells(part).weight
    return found


def small() -> nn.Sequential:
    """Half of its linear weights are 0, a unit has none."""
    torch.manual_seed(5)
    network = nn.Sequential(nn.Conv2d(2, 6, 3), nn.Flatten(), nn.Linear(24, 40), nn.ReLU(), nn.Linear(40, 3))
    with torch.no_grad():
        weight = network.get_parameter("2.weight")
        weight[torch.rand(40, 24) < 0.5] = 0
        weight[7] = 0
    return network


def write_onnx(path: Path, nodes: list[Any], stored: list[Any], sparse: Sequence[Any] = (), **kinds: Any) -> Path:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        stored,
        sparse_initializer=list(sparse),
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]), path, **kinds)
    return path
