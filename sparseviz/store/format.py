"""One HDF5 file a run, written while it trains and readable at any moment.

Format 5
--------
Root attributes: `format` ("sparseviz run"), `format_version`, `config` (JSON of RunConfig), and the facts of
`RunInfo`; what is not a number or a text is JSON. `id` and `parent` are not in formats 1 to 3; `mean` and `std` are
lists, a number a channel, and in formats 1 to 4 one number;
`weights_note` is not in formats 1 to 4.

    /status                 (1,) S16: training, finished, stopped, failed; overwritten in place; "training" stays
                            where the writer died: then nobody holds the lock beside the file (files/lock.py)
    /message                (1,) S1024: why a run failed
    /errors                 (1,) record (train, validation, test): percent at the end, NaN where not read
    /layers/<i>             attributes: the facts of LayerInfo; i in the order of the model
    /layers/<i>/preview     (slots, 2, h, w) uint8
    /previews               (slots,) records: the snapshot that each slot holds, between two generation numbers
    /snapshots/count        (1,) snapshots that are whole; rows beyond it are not to be read
    /snapshots/scalars      (T,) records: step, epoch, time, phase, and every name of SCALARS
    /snapshots/layers       (T, L) records: the numbers of LayerSnapshot
    /snapshots/histogram    (T, L, 64) uint32
    /snapshots/row_kept     (T, rows of all layers in a row) uint32
    /snapshots/column_kept  (T, columns of all layers in a row) uint32
    /snapshots/masks        (T, bytes) uint8: masks of all layers as bits, each layer from a byte of its own on; only
                            where the network has fewer than a million weights (not in formats 1 to 3)
    /events                 (E,) records: snapshot, step, name, before, after
    /checkpoints/index      (slots,) records, as /previews, with the step
    /checkpoints/<slot>/parameters/<name>, masks/<layer>, quantities/<layer>
    /checkpoints/<slot>/cut_at/<layer>   int32: snapshot that last saw each weight cut, -1 for never (not in format 1)
    /resume/index           (slots,) records, as /checkpoints/index; a state belongs to the checkpoint of the same step
    /resume/<slot>/...      what the next step needs besides (not in formats 1 and 2; in 3, of the two newest
                            checkpoints; in a branch, not of its parent's): numbers (1,) record, method/, moments/
                            (2, *shape) and <name>.steps, random/, weights/ where their average is kept, and seen/
                            (masks of the last snapshot) and cut_at/, which hold nothing where the number
                            `seen_apart` is 0 and the checkpoint says the same (it is not in formats 1 to 4)
    /test/images, /test/labels   up to 256 test inputs or 16 MiB of them (one at the least; bounded by their number
                            alone in formats 1 to 4), normalised as the network reads them

What appends has chunks of one row, which are written once; what is overwritten has slots of fixed size: neither makes
the file grow. A slot is whole where its two generation numbers are equal and above 0.

Everything that is read has a checksum. HDF5 has one in every object header (where a lone number lies), group and index
of chunks of libver v110, and in the superblock. Every array carries `fletcher32`, and is a stream of zlib (level 0,
stored as it is, where it is not compressed): Fletcher's sum takes a chunk that was wiped out for zeros, and ones for
zeros, which zlib's header and Adler's sum do not. Texts in attributes lie in a heap without a checksum: `checksum`, an
attribute of the root and of every layer, is the CRC-32 of the others (files/hdf5.py). Files of formats 1 to 3 that were
written before have `fletcher32` alone.

The file is made whole, with the checkpoint of step 0, under a temporary name, closed, renamed and opened
again in SWMR mode (single writer, multiple readers), in which HDF5 takes no new object: all are made before.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5d, h5p, h5s, h5t

from sparseviz.config import RunConfig
from sparseviz.config.parts import checkpoint_places
from sparseviz.store.files.hdf5 import seal
from sparseviz.store.files.signature import FORMAT, FORMAT_VERSION
from sparseviz.values import masks
from sparseviz.values.snapshot import HISTOGRAM_BINS, SCALARS, Checkpoint, LayerInfo
from sparseviz.values.states import RunStatus

TEST_INPUTS, TEST_BYTES = 256, 16 << 20  # stored at most
CHECKPOINT_KINDS = ("parameters", "masks", "quantities", "cut_at")  # fields of Checkpoint, groups of a slot

# Fletcher's sum of zeros is 0, so it takes a chunk that was wiped out for one of zeros: zlib's bytes are never zeros.
CHECKED: dict[str, Any] = {"fletcher32": True, "compression": "gzip", "compression_opts": 0}  # stored as it is

SCALARS_ROW = np.dtype(
    [("step", "i8"), ("epoch", "f8"), ("time", "f8"), ("phase", "u1"), *((n, "f8") for n in SCALARS)]
)
LAYER_NUMBERS = (
    ("kept", "i8"),
    ("undecided_kept", "f8"),
    ("undecided_cut", "f8"),
    ("gate_mean", "f8"),
    ("gate_variance", "f8"),
    ("flips", "i8"),
    ("dead_units", "i8"),
    ("biases_kept", "i8"),
    ("threshold", "f8"),
    ("preview_scale", "f8"),
)
LAYER_ROW = np.dtype(list(LAYER_NUMBERS))
EVENT_ROW = np.dtype([("snapshot", "i8"), ("step", "i8"), ("name", "S64"), ("before", "f8"), ("after", "f8")])
SLOT_ROW = np.dtype([("before", "i8"), ("snapshot", "i8"), ("step", "i8"), ("after", "i8")])
ERRORS_ROW = np.dtype([(split, "f8") for split in ("train", "validation", "test")])


@dataclass(frozen=True, slots=True)
class Parent:
    """The run from which another was branched."""

    id: str
    name: str  # of its file, without the suffix, at that time
    step: int  # of the checkpoint at which it was branched


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What of a run never changes."""

    config: RunConfig
    created: str  # ISO 8601, UTC
    versions: Mapping[str, str]  # of the program and its libraries
    device: str
    threads: int
    parameters: int  # of the network, gates left out
    steps: int  # of the whole run, as planned before it was made longer
    steps_per_epoch: int
    images: Mapping[str, int]  # train, validation, test
    classes: tuple[str, ...]
    mean: tuple[float, ...]  # by channel; normalisation: (raw in [0, 1] - mean) / std
    std: tuple[float, ...]
    data_checksum: str
    data_note: str  # what is to be said of the data files, or ""
    layers: tuple[LayerInfo, ...]
    resumed: tuple[int, ...] = ()  # steps from which another process, or a later one, went on
    id: str = ""  # the same in every file of the run, as a resume makes another; "" before format 4
    parent: Parent | None = None
    weights_note: str = ""  # which file of pretrained weights it began with, and what of it fitted; "" for none


@dataclass(frozen=True, slots=True)
class TestInputs:
    """Some of the test images, so that an export can be proven without the data set."""

    __test__ = False  # no test case, whatever its name

    images: npt.NDArray[np.float32]  # (N, C, H, W), normalised
    labels: npt.NDArray[np.int64]  # (N,)


def lay_out(file: h5py.File, info: RunInfo, inputs: TestInputs, first: Checkpoint) -> None:
    """Make every object that the run will ever need."""
    file.attrs["format"], file.attrs["format_version"] = FORMAT, FORMAT_VERSION
    for field in dataclasses.fields(info):
        if field.name != "layers":
            file.attrs[field.name] = _attribute(getattr(info, field.name))
    seal(file)
    _one(file, "status", np.bytes_(RunStatus.TRAINING), "S16")
    _one(file, "message", np.bytes_(b""), "S1024")
    _one(file, "errors", (np.nan,) * 3, ERRORS_ROW)
    file.create_dataset("test/images", data=inputs.images, fletcher32=True, compression="gzip", shuffle=True)
    file.create_dataset("test/labels", data=inputs.labels, **CHECKED)
    _lay_out_snapshots(file, info)
    _lay_out_checkpoints(file, info, first)
    _lay_out_states(file, info, first)


def _lay_out_snapshots(file: h5py.File, info: RunInfo) -> None:
    number, slots = len(info.layers), info.config.record.previews
    _one(file, "snapshots/count", 0, "i8")
    _appendable(file, "snapshots/scalars", (), SCALARS_ROW)
    _appendable(file, "snapshots/layers", (number,), LAYER_ROW)
    _appendable(file, "snapshots/histogram", (number, HISTOGRAM_BINS), "u4")
    _appendable(file, "snapshots/row_kept", (sum(layer.rows for layer in info.layers),), "u4")
    _appendable(file, "snapshots/column_kept", (sum(layer.columns for layer in info.layers),), "u4")
    if masks.are_kept(info.layers):
        _appendable(file, "snapshots/masks", (masks.row_bytes(info.layers),), "u1")
    _appendable(file, "events", (), EVENT_ROW)
    file.create_dataset("previews", shape=(slots,), dtype=SLOT_ROW, chunks=(1,), **CHECKED)
    for index, layer in enumerate(info.layers):
        group = file.create_group(f"layers/{index}")
        for field in dataclasses.fields(layer):
            group.attrs[field.name] = _attribute(getattr(layer, field.name))
        seal(group)
        shape = (2, *layer.preview_shape)
        group.create_dataset("preview", (slots, *shape), dtype="u1", chunks=(1, *shape), **CHECKED)


def _one(file: h5py.File, name: str, value: Any, dtype: Any) -> None:
    """A dataset of one element that is overwritten in place; only a chunk can have a checksum."""
    file.create_dataset(name, data=np.array([value], dtype=dtype), chunks=(1,), **CHECKED)


def _appendable(file: h5py.File, name: str, row: tuple[int, ...], dtype: Any) -> None:
    """A dataset of rows; only plain numbers compress well."""
    packing = {"compression_opts": 1, "shuffle": dtype == "u4"} if dtype in ("u4", "u1") else {}
    shape = {"shape": (0, *row), "maxshape": (None, *row), "chunks": (1, *row)}
    file.create_dataset(name, **shape, dtype=dtype, **(CHECKED | packing))


def _lay_out_checkpoints(file: h5py.File, info: RunInfo, first: Checkpoint) -> None:
    """All slots; the first holds the first checkpoint, the others wait empty."""
    slots = places_for(info, first)
    index = file.create_dataset("checkpoints/index", shape=(slots,), dtype=SLOT_ROW, chunks=(1,), **CHECKED)
    for slot in range(slots):
        for kind in CHECKPOINT_KINDS:
            group = file.create_group(f"checkpoints/{slot}/{kind}")
            for name, values in getattr(first, kind).items():
                _slotted(group, name, values, filled=slot == 0)
    index[0] = (1, 0, first.step, 1)


def places_for(info: RunInfo, first: Checkpoint) -> int:
    """Slots for checkpoints and their states, as the run's budget allows."""
    groups = [*(getattr(first, kind) or {} for kind in CHECKPOINT_KINDS), first.state or {}]
    return checkpoint_places(info.config.record, sum(values.nbytes for group in groups for values in group.values()))


def _lay_out_states(file: h5py.File, info: RunInfo, first: Checkpoint) -> None:
    """As many slots as for checkpoints."""
    slots = places_for(info, first)
    index = file.create_dataset("resume/index", shape=(slots,), dtype=SLOT_ROW, chunks=(1,), **CHECKED)
    for slot in range(slots):
        for name, values in (first.state or {}).items():
            _slotted(file, f"resume/{slot}/{name}", values, filled=slot == 0)
        for name, values in seen_of(first).items() if first.state else ():
            if name not in (first.state or {}):  # room for it all the same: a state may have it later
                _slotted(file, f"resume/{slot}/{name}", values, filled=False)
    if first.state:
        index[0] = (1, 0, first.step, 1)


def seen_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What a state says of the last snapshot where that was taken at its checkpoint, by path."""
    kinds = {"seen": checkpoint.masks, "cut_at": checkpoint.cut_at or {}}
    return {f"{kind}/{name}": values for kind, arrays in kinds.items() for name, values in arrays.items()}


def _slotted(group: h5py.Group, name: str, values: Any, *, filled: bool) -> None:
    if not values.ndim:
        _lone(group, name, values.dtype)
    else:
        checked = {"chunks": True, **CHECKED} if values.size else {}
        group.create_dataset(name, values.shape, values.dtype, **checked)
    if filled and not _is_nothing(array := np.asarray(values)):
        group[name][...] = array


def _is_nothing(array: npt.NDArray[Any]) -> bool:
    """Zeros, such as moments before the first step: what was never written is read as zeros, and takes no room."""
    return array.ndim > 0 and not array.dtype.names and not array.any()


def _lone(group: h5py.Group, name: str, dtype: Any) -> None:
    """A number in the header of its object, as it has no chunk that could be checked."""
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_layout(h5d.COMPACT)
    kind, space = h5t.py_create(dtype, logical=True), h5s.create(h5s.SCALAR)
    group[name] = h5py.Dataset(h5d.create(group.id, None, kind, space, properties))


def _attribute(value: Any) -> Any:
    if isinstance(value, RunConfig):
        return value.model_dump_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return json.dumps(dataclasses.asdict(value))
    return json.dumps(value) if value is None or isinstance(value, Mapping | tuple) else value
