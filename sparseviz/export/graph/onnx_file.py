"""The one place that writes ONNX."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx
import onnx_ir as ir
import torch
from onnx_ir.passes import common
from torch import Tensor, nn

INPUT, OUTPUT = "images", "answers"


def write_onnx(
    model: nn.Module, images: Tensor, path: Path, metadata: Mapping[str, str], *, opset: int | None = None
) -> None:
    """Write the network as one ONNX file with a dynamic batch; `images` is an example, (2, C, H, W).

    Requires: a plain network in evaluation mode. Ensures: the file passes `onnx.checker` with full checks, and
    `metadata` stands in its properties. Raises what the exporter raises.
    """
    with _quiet():
        # A batch of 1 would be taken for a constant; external data would make a second file.
        program = torch.onnx.export(
            model,
            (images,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            external_data=False,
            verbose=False,
            opset_version=opset,
        )
    assert program is not None  # noqa: S101  # dynamo=True always returns one
    model_ = program.model
    common.ClearMetadataAndDocStringPass()(model_)  # the exporter notes lines and folders of this machine
    save(model_, path, metadata)


def save(model: ir.Model, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a graph as a file that passes `onnx.checker` with full checks."""
    model.producer_name = "sparseviz"
    model.metadata_props.clear()
    model.metadata_props.update(metadata)
    path.write_bytes(ir.to_proto(model).SerializeToString())
    onnx.checker.check_model(str(path), full_check=True)


def read_weights(path: Path) -> dict[str, npt.NDArray[Any]]:
    """What a file stores, by name."""
    model = onnx.load(str(path))
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks to standard output and warns of its own internals: neither is for the person."""
    level = logging.getLogger("torch.onnx").level
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        try:
            yield
        finally:
            logging.getLogger("torch.onnx").setLevel(level)
