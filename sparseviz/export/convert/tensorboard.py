"""TensorBoard: an event file with a run's scalars and histograms, at their steps and wall times."""

from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from sparseviz.export.convert.moment import ConvertError, Moment
from sparseviz.values.snapshot import SCALARS, LayerSnapshot, Snapshot

_LAYER = ("kept", "undecided_kept", "undecided_cut", "gate_mean", "flips", "dead_units", "threshold")


def write_events(moment: Moment, path: Path) -> None:
    """Make a folder with an event file. Raises ConvertError where the package tensorboard is missing.

    A snapshot's wall time is when the run was made, and the seconds of training since; pauses are left out.
    """
    writer_class, snapshots = _writer_class(), moment.snapshots()
    began = datetime.fromisoformat(moment.run.info.created).timestamp()
    path.mkdir()
    with writer_class(path) as writer:
        for snapshot in snapshots:
            _write_snapshot(writer, snapshot, began + snapshot.time)


def _writer_class() -> Any:
    try:
        return import_module("torch.utils.tensorboard").SummaryWriter
    except ImportError as error:
        raise ConvertError(
            f"files for TensorBoard need the package tensorboard ({error}); "
            "install it with: pip install 'sparseviz[tensorboard]'"
        ) from error


def _write_snapshot(writer: Any, at: Snapshot, wall_time: float) -> None:
    named = {f"run/{name}": at.scalars[name] for name in SCALARS} | {"run/epoch": at.epoch}
    named |= {f"{layer.info.name}/{name}": getattr(layer, name) for layer in at.layers for name in _LAYER}
    for tag, value in named.items():
        if np.isfinite(value):  # what was not measured at this step
            writer.add_scalar(tag, value, at.step, wall_time, new_style=True)
    for layer in at.layers:
        tag = f"{layer.info.name}/{layer.info.quantity.name}"
        writer.add_histogram_raw(tag, **_histogram(layer), global_step=at.step, walltime=wall_time)


def _histogram(layer: LayerSnapshot) -> dict[str, Any]:
    """The bins as they are; the sums are those of the bins' middles, for the values themselves are gone."""
    edges, counts = layer.info.quantity.bin_edges, layer.histogram
    middles = (edges[:-1] + edges[1:]) / 2
    return {
        "min": edges[0].item(),
        "max": edges[-1].item(),
        "num": counts.sum().item(),
        "sum": (middles * counts).sum().item(),
        "sum_squares": (middles**2 * counts).sum().item(),
        "bucket_limits": edges[1:].tolist(),
        "bucket_counts": counts.tolist(),
    }
