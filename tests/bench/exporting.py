"""Export with proof beside torch's exporter alone."""

import itertools
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from sparseviz.export import export_run
from sparseviz.export.options import ExportOptions
from sparseviz.networks import build
from tests.bench import material
from tests.bench.table import cost
from tests.bench.timing import in_turns


def measure(repeats: int) -> list[dict[str, Any]]:
    """LeNet-5, as it comes from a run file."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path, numbers = Path(folder), itertools.count()
        run = material.recorded(path / "run.h5", "lenet5", epochs=2)
        model = build("lenet5").eval()

        def ours() -> None:
            export_run(run, path / f"{next(numbers)}.onnx", ExportOptions())

        def theirs() -> None:
            torch.onnx.export(
                model,
                (torch.zeros(2, 1, 28, 28),),
                path / f"{next(numbers)}.onnx",
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )

        times = in_turns({"ours": ours, "theirs": theirs}, repeats)
    return [asdict(cost("export and proof of LeNet-5", "torch.onnx.export alone", times, bound=1.3))]
