"""The proof that an ONNX file computes what the network computes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import nn

from sparseviz.export.graph.onnx_file import read_weights
from sparseviz.export.options import ExportError

FLOAT32_BAR = 1e-5  # largest difference over largest answer
FOLDED = 1e-5  # relative, of a weight times a scale: some roundings
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
BARS = {"float32": FLOAT32_BAR, "float16": 5e-3, "int8": 1e-1}  # by storage
BATCH = 250  # images at a time

Answers = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Images as torch reads them and as the file reads them, with their labels where they have any."""

    images: npt.NDArray[np.float32]  # (N, C, H, W), normalised
    fed: npt.NDArray[np.generic]  # (N, C, H, W): the same, or uint8 pixels
    labels: Labels | None  # (N,)


@dataclass(frozen=True, slots=True)
class Proof:
    """onnxruntime beside torch on some images."""

    images: int
    relative_difference: float  # max |a - b| / max |a|
    bar: float  # what the relative difference had to stay at or below
    top1_changes: int  # where torch's margin exceeds twice the largest difference
    top1_agreement: float  # share of images with the same answer, counted without that allowance
    error_torch: float  # percent, on these images; NaN where they have no labels
    error_onnx: float
    absolute_difference: float  # max |a - b|

    @property
    def holds(self) -> bool:
        """Whether the file may be given its name."""
        return self.relative_difference <= self.bar and self.top1_changes == 0


def prove(path: Path, model: nn.Module, sets: Sequence[Inputs], bar: float = FLOAT32_BAR) -> list[Proof]:
    """Run the file and the network on the same images, many at once and one alone; both must agree on every set.

    Raises ExportError where anything differs.
    """
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as it trained: a third the time
    # all of them first: the threads of a session that has run go on spinning for a while, and would be in torch's way
    expected = [_torch_answers(model, inputs.images) for inputs in sets]
    session = open_session(path)
    if isinstance(session.get_inputs()[0].shape[0], int):
        raise ExportError("the ONNX file reads a fixed number of images only; no file was written")
    return [_proven(session, inputs, answers, bar) for inputs, answers in zip(sets, expected, strict=True)]


def _proven(session: Any, inputs: Inputs, expected: Answers, bar: float) -> Proof:
    proof = compare(expected, _answers(session, inputs.fed), inputs.labels, bar)
    labels = inputs.labels[:1] if inputs.labels is not None else None
    single = compare(expected[:1], _answers(session, inputs.fed[:1]), labels, bar)
    for shown in (proof, single):
        if not shown.holds:
            raise ExportError(
                f"the ONNX file does not compute what the network computes: relative difference "
                f"{shown.relative_difference:.1e} (allowed {shown.bar:.0e}), {shown.top1_changes} changed answers of "
                f"{shown.images}; no file was written"
            )
    return proof


def prove_weights(path: Path, model: nn.Module) -> None:
    """What the file stores under a parameter's name must be that parameter bit for bit.

    Into a weight the exporter may have folded the normalisation behind it: then it is that, to rounding, and 0 where
    the weight is. Answers alone would not show a wrong weight of a unit that no image wakes. Raises ExportError.
    """
    stored = read_weights(path)
    scales = [_scale(each) for each in model.modules() if isinstance(each, BATCH_NORMS)]
    for name, value in model.state_dict().items():
        expected = value.numpy()
        if name not in stored or stored[name].tobytes() == expected.tobytes():
            continue
        if not any(_is_folded(stored[name], expected, scale) for scale in scales):
            raise ExportError(f"the ONNX file does not store {name} as the network has it; no file was written")


def _scale(norm: Any) -> npt.NDArray[np.float64]:
    """By what a normalisation multiplies each channel, when it has been trained."""
    spread = (norm.running_var.double() + norm.eps).sqrt()
    return np.asarray((spread.reciprocal() if norm.weight is None else norm.weight.double() / spread).detach().numpy())


def _is_folded(stored: npt.NDArray[Any], weight: npt.NDArray[Any], scale: npt.NDArray[np.float64]) -> bool:
    if stored.shape != weight.shape or weight.ndim < 2 or len(weight) != len(scale):
        return False
    folded = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    return bool(np.allclose(stored, folded, rtol=FOLDED, atol=0) and not stored[weight == 0].any())


def open_session(path: Path, threads: int = 0) -> Any:
    """An onnxruntime session on the CPU; 0 threads: onnxruntime decides."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _torch_answers(model: nn.Module, images: npt.NDArray[np.float32]) -> Answers:
    with torch.no_grad():
        return np.concatenate([model(torch.from_numpy(part)).numpy() for part in _parts(images)])


def _answers(session: Any, images: npt.NDArray[np.generic]) -> Answers:
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: part})[0] for part in _parts(images)])


def _parts(images: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    return [images[start : start + BATCH] for start in range(0, len(images), BATCH)]


def compare(expected: Answers, found: Answers, labels: Labels | None, bar: float = FLOAT32_BAR) -> Proof:
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
        error_torch=_error(ours, labels),
        error_onnx=_error(theirs, labels),
        absolute_difference=difference,
    )


def _error(answers: npt.NDArray[np.intp], labels: Labels | None) -> float:
    return 100 * float((answers != labels).mean()) if labels is not None else math.nan
