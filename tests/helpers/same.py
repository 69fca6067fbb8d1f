"""The words in which runs are compared."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from sparseviz.store import RunReader
from sparseviz.store.format import CHECKPOINT_KINDS
from sparseviz.values.snapshot import Checkpoint, LayerSnapshot, Snapshot


def plain(snapshot: Snapshot, *, time=True, previews=True) -> dict[str, Any]:
    """All of a snapshot but the masks in dicts, for `np.testing.assert_equal`, to which NaN equals NaN."""
    values = {field.name: getattr(snapshot, field.name) for field in dataclasses.fields(snapshot)}
    values |= {"scalars": dict(snapshot.scalars), "layers": [plain_layer(layer) for layer in snapshot.layers]}
    del values["masks"]  # the file gives them one by one
    values["events"] = [dataclasses.astuple(event) for event in snapshot.events]
    if not time:
        del values["time"]
    if not previews:
        for layer in values["layers"]:
            del layer["preview"]
    return values


def plain_layer(layer: LayerSnapshot) -> dict[str, Any]:
    values = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    return values | {"info": dataclasses.asdict(layer.info)}


def assert_same_checkpoint(one: Checkpoint, other: Checkpoint) -> None:
    """Bit for bit, types included."""
    assert one.step == other.step
    for kind in CHECKPOINT_KINDS:
        ours, theirs = getattr(one, kind), getattr(other, kind)
        assert set(ours) == set(theirs)
        for name, values in ours.items():
            assert (values.dtype, values.shape) == (theirs[name].dtype, theirs[name].shape)
            assert np.array_equal(values.view(np.uint8), theirs[name].view(np.uint8)), name


def assert_same_run(one: Path, other: Path) -> None:
    with RunReader(one) as ours, RunReader(other) as theirs:
        for mine, yours in zip(ours.snapshots(), theirs.snapshots(), strict=True):
            np.testing.assert_equal(plain(mine, time=False, previews=False), plain(yours, time=False, previews=False))
        assert_same_checkpoint(ours.checkpoint(), theirs.checkpoint())
        assert (ours.errors, ours.status) == (theirs.errors, theirs.status)
        times = [snapshot.time for snapshot in ours.snapshots()]
        assert times == sorted(times)
