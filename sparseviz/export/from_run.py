"""export_run(): bake the masks in, write, prove, and only then give the file its name."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode  # the only place that has it

from sparseviz.export.onnx_file import write_onnx
from sparseviz.export.verify import ExportError, Proof, prove
from sparseviz.models import build
from sparseviz.paths import rename_to_new
from sparseviz.snapshot import Checkpoint, totals
from sparseviz.store import RunReader


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and how it is known to be right."""

    path: Path
    step: int  # of the checkpoint
    bytes: int
    parameters: int
    parameters_kept: int
    compression: float
    weights_kept: int  # nonzero weights in the file, at most
    proof: Proof

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"path": str(self.path)}


def export_run(
    run: str | Path, out: str | Path | None = None, *, now_at: Callable[[str], None] = lambda _: None
) -> ExportReport:
    """Export the newest checkpoint of a run file to ONNX (beside it unless `out` is given), with proof.

    The model takes (batch, channels, height, width) float32 images, normalised as in training, and gives one
    number a class. `now_at` is told of each stage. An existing file is never overwritten.
    Raises RunFileError for the run, ExportError for what cannot be written or proven; then no file is left.
    """
    run = Path(run)
    out = Path(out) if out else run.with_suffix(".onnx")
    if out.exists():
        raise ExportError(f"{out} exists already and is not overwritten; choose another name")
    with RunReader(run) as reader:
        checkpoint, inputs, info = reader.checkpoint(), reader.test_inputs(), reader.info
        at = [snapshot for snapshot in reader.snapshots() if snapshot.step <= checkpoint.step]
    if not at:
        raise ExportError(f"{run} has no snapshot yet, so there is nothing to export; let the run go on")
    size = totals(at[-1], info.parameters)
    now_at("network")
    model = baked_model(info.config.network, checkpoint)
    with _temporary(out) as temporary:
        now_at("onnx")
        metadata = {"run": run.name, "step": str(checkpoint.step), "config": info.config.model_dump_json()}
        write_onnx(model, torch.from_numpy(inputs.images[:2]), temporary, metadata)
        now_at("proof")
        proof = prove(temporary, model, inputs.images, inputs.labels)
        rename_to_new(temporary, out)
    return ExportReport(
        path=out,
        step=checkpoint.step,
        bytes=out.stat().st_size,
        parameters=info.parameters,
        parameters_kept=size.parameters_kept,
        compression=size.compression,
        weights_kept=size.weights_kept,
        proof=proof,
    )


def baked_model(network: str, checkpoint: Checkpoint) -> nn.Module:
    """The plain network with the checkpoint's parameters, its cut weights +0.0, in evaluation mode."""
    state = {name: torch.from_numpy(values) for name, values in checkpoint.parameters.items()}
    for layer, mask in checkpoint.masks.items():
        name = f"{layer}.weight"
        state[name] = torch.where(torch.from_numpy(mask), state[name], 0.0)
    with _OwnDraws():
        model = build(network)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ExportError(f"network '{network}' is no longer the one of the run: {error}") from error
    return model.eval()


class _OwnDraws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Random numbers come from a generator of its own: the default one belongs to a run that may train beside us."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = torch.Generator()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded in func.tags:
            return func.overloadpacket(*args, **kwargs | {"generator": self._generator})
        return func(*args, **kwargs)


@contextlib.contextmanager
def _temporary(out: Path) -> Iterator[Path]:
    """A name beside `out` under which to write; nothing of it is left, whatever happens."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        yield temporary
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise ExportError(f"{out} cannot be written: {reason}; choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
