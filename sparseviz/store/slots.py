"""Slots with generation numbers: what they hold while a run that goes on overwrites them."""

from typing import Any

import h5py

from sparseviz.store.files import pieces
from sparseviz.store.files.opening import renewed
from sparseviz.store.format import CHECKPOINT_KINDS
from sparseviz.values.snapshot import Checkpoint


def read_checkpoint(step: int, group: h5py.Group) -> Checkpoint:
    """The checkpoint in this slot."""
    return Checkpoint(step, **{kind: _read_group(group[kind]) for kind in CHECKPOINT_KINDS if kind in group})


def _read_group(group: h5py.Group) -> dict[str, Any]:
    datasets = {name: group[name] for name in list(group)}  # its items() would hold h5py's lock all the while
    return {name: pieces.read(renewed(dataset)) for name, dataset in datasets.items()}


def whole_slots(index: Any) -> dict[int, Any]:
    """The records of the slots that are not half written."""
    return {slot: record for slot, record in enumerate(index) if record["before"] == record["after"] > 0}
