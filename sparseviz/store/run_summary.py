"""What `sparseviz info` says of a run, as plain values for JSON."""

import dataclasses
import math
from typing import Any

from sparseviz.store.reader import RunReader
from sparseviz.values.snapshot import LayerSnapshot, Snapshot, planned_epochs, totals


def summary(run: RunReader) -> dict[str, Any]:
    """Status, sizes and errors of a run; shares from 0 to 1, errors in percent, None where there is no value."""
    snapshots = run.snapshots()
    info, config = run.info, run.config
    epochs = planned_epochs((event for snapshot in snapshots for event in snapshot.events), config.epochs)
    head = {
        "file": str(run.path),
        "status": run.status,
        "message": run.message,
        "writer": dataclasses.asdict(writer) if (writer := run.writer) else None,
        "network": config.network,
        "dataset": config.data.name,
        "data_note": info.data_note,
        "weights_note": info.weights_note,
        "method": config.method.name,
        "seed": config.seed,
        "device": info.device,
        "threads": info.threads,
        "created": info.created,
        "resumed": list(info.resumed),
        "id": info.id,
        "parent": dataclasses.asdict(info.parent) if info.parent else None,
        "versions": dict(info.versions),
        "steps": epochs * info.steps_per_epoch,
        "snapshots": len(snapshots),
        "checkpoints": list(run.checkpoint_steps()),
        "parameters": info.parameters,
    }
    return head | (_state(run, snapshots) if snapshots else {})


def _state(run: RunReader, snapshots: tuple[Snapshot, ...]) -> dict[str, Any]:
    last = snapshots[-1]
    size = totals(last, run.info.parameters)
    return {
        "step": last.step,
        "epoch": last.epoch,
        "seconds": last.time,
        "phase": last.phase,
        "kept": size.parameters_kept,
        "compression": _number(size.compression),
        "weights": size.weights,
        "weights_kept": size.weights_kept,
        "compression_weights": _number(size.compression_weights),
        "error_percent": _errors(run, snapshots),
        "layers": [_layer(layer) for layer in last.layers],
        "config": run.config.model_dump(),
    }


def _errors(run: RunReader, snapshots: tuple[Snapshot, ...]) -> dict[str, float | None]:
    """At the end; until then the newest measured while training."""
    ended = run.errors
    found = {"train": ended.train, "validation": ended.validation, "test": ended.test}
    for split in ("train", "validation"):
        measured = [snapshot.scalars[f"{split}_error"] for snapshot in snapshots]
        finite = [value for value in measured if math.isfinite(value)]
        if not math.isfinite(found[split]) and finite:
            found[split] = finite[-1]
    return {split: _number(value) for split, value in found.items()}


def _layer(layer: LayerSnapshot) -> dict[str, Any]:
    return {
        "name": layer.info.name,
        "shape": list(layer.info.shape),
        "parameters": layer.info.weights,
        "kept": layer.kept,
        "biases": layer.info.biases,
        "biases_kept": layer.biases_kept,
        "undecided_kept": _number(layer.undecided_kept),
        "undecided_cut": _number(layer.undecided_cut),
        "expected_sparsity": _number(1 - layer.gate_mean),
        "gate_variance": _number(layer.gate_variance),
        "dead_units": layer.dead_units,
        "multiply_adds": layer.info.multiply_adds,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
