"""The proof that an ONNX file computes what the network computes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import nn

from sparseviz.config import InputError
from sparseviz.export.onnx_file import read_weights

FLOAT32_BAR = 1e-5  # largest difference over largest answer

Answers = npt.NDArray[np.float32]


class ExportError(InputError):
    """A file cannot be written, or is not proven."""


@dataclass(frozen=True, slots=True)
class Proof:
    """onnxruntime beside torch on the run's test images."""

    images: int
    relative_difference: float  # max |a - b| / max |a|
    bar: float  # what the relative difference had to stay at or below
    top1_changes: int  # where torch's margin exceeds twice the largest difference
    top1_agreement: float  # share of images with the same answer, counted without that allowance
    error_torch: float  # percent, on these images
    error_onnx: float

    @property
    def holds(self) -> bool:
        """Whether the file may be given its name."""
        return self.relative_difference <= self.bar and self.top1_changes == 0


def prove(path: Path, model: nn.Module, images: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> Proof:
    """Run the file and the network on `images` (N, C, H, W), at batch N and at batch 1; both must agree.

    What the file stores under a parameter's name must be that parameter bit for bit: answers alone would not
    show a wrong weight of a unit that no image wakes. Raises ExportError where anything differs.
    """
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    session = open_session(path)
    proof = compare(expected, _run(session, images), labels)
    single = compare(expected[:1], _run(session, images[:1]), labels[:1])
    for shown in (proof, single):
        if not shown.holds:
            raise ExportError(
                f"the ONNX file does not compute what the network computes: relative difference "
                f"{shown.relative_difference:.1e} (allowed {shown.bar:.0e}), {shown.top1_changes} changed answers of "
                f"{shown.images}; no file was written"
            )
    _prove_weights(path, model)
    return proof


def _prove_weights(path: Path, model: nn.Module) -> None:
    stored = read_weights(path)
    for name, value in model.state_dict().items():
        expected = value.numpy()
        if name in stored and stored[name].tobytes() != expected.tobytes():
            raise ExportError(f"the ONNX file does not store {name} as the network has it; no file was written")


def open_session(path: Path) -> Any:
    """An onnxruntime session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: Any, images: npt.NDArray[np.float32]) -> Answers:
    answers: Answers = session.run(None, {session.get_inputs()[0].name: images})[0]
    return answers


def compare(expected: Answers, found: Answers, labels: npt.NDArray[np.int64], bar: float = FLOAT32_BAR) -> Proof:
    """Both answers (N, classes) to the same images, measured against each other and the labels (N,)."""
    if expected.shape != found.shape:
        raise ExportError(f"the ONNX file answers in shape {found.shape}, the network in {expected.shape}")
    with np.errstate(invalid="ignore"):  # inf - inf; what is not finite fails below
        difference = float(np.abs(expected - found).max())
    largest = float(np.abs(expected).max())
    ranked = np.sort(expected, axis=1)
    margin = ranked[:, -1] - ranked[:, -2] if ranked.shape[1] > 1 else np.full(len(ranked), np.inf)
    ours, theirs = expected.argmax(axis=1), found.argmax(axis=1)
    finite = np.isfinite(expected).all() and np.isfinite(found).all()
    return Proof(
        images=len(expected),
        relative_difference=difference / largest if largest else difference,
        bar=bar,
        top1_changes=int(((ours != theirs) & (margin > 2 * difference)).sum()) if finite else len(expected),
        top1_agreement=float((ours == theirs).mean()),
        error_torch=100 * float((ours != labels).mean()),
        error_onnx=100 * float((theirs != labels).mean()),
    )
