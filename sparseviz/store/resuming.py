"""Where a run that has not finished can go on, and the clean copy with which the new file begins."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import h5py

from sparseviz.snapshot import Arrays, Checkpoint, Event
from sparseviz.store import pieces
from sparseviz.store.format import CHECKPOINT_KINDS, RunFileError, RunInfo, TestInputs
from sparseviz.store.opening import open_to_read, reading
from sparseviz.store.reader import RunReader
from sparseviz.store.slots import read_checkpoint, whole_slots

ANEW = "open it in the window and press Train to train it anew"
ROWS = ("scalars", "layers", "histogram", "row_kept", "column_kept")


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """The last whole checkpoint of a run, with its state, and what of the file comes before it."""

    path: Path
    info: RunInfo
    inputs: TestInputs
    checkpoint: Checkpoint
    generation: int  # of the checkpoint in its file
    snapshots: int  # taken before it, the one that a stop took left out
    events: tuple[Event, ...]  # that no snapshot of these has


def resume_point(path: Path) -> ResumePoint:
    """Where to go on. Raises RunFileError where a run has finished, is being written, or is of an older format."""
    with RunReader(path) as run:
        _refuse(run)
        with reading(path), open_to_read(path) as file:
            checkpoint, generation = _newest(file, path)
            state = checkpoint.state or {}
            snapshots, pending = (int(state["numbers"][name][0]) for name in ("snapshots", "pending"))
        done = run.snapshots(snapshots)
        events = done[0].events[:pending] if done else ()
        return ResumePoint(path, run.info, run.test_inputs(), checkpoint, generation, snapshots, events)


def _refuse(run: RunReader) -> None:
    if writer := run.writer:
        raise RunFileError(f"{run.path} is being written by {writer}; stop that training first")
    if run.status == "finished":
        raise RunFileError(f"{run.path} has finished, so there is nothing to resume; {ANEW}, with more epochs")
    with reading(run.path), open_to_read(run.path) as file:
        version = int(file.attrs["format_version"])
    if version < 3:
        raise RunFileError(f"{run.path} has format {version}, which lacks what a resume needs (from 3 on); {ANEW}")


def _newest(file: h5py.File, path: Path) -> tuple[Checkpoint, int]:
    """The newest checkpoint that is whole and has a whole state, and its generation."""
    order = lambda entry: (entry[1]["step"], entry[1]["before"])  # noqa: E731  # of steps, then of rewriting
    checkpoints = sorted(whole_slots(file["checkpoints/index"][()]).items(), key=order)
    states = sorted(whole_slots(file["resume/index"][()]).items(), key=order)
    by_step = {record["step"].item(): slot for slot, record in states}
    for slot, record in reversed(checkpoints):
        if (step := record["step"].item()) in by_step:
            checkpoint = read_checkpoint(step, file[f"checkpoints/{slot}"])
            state = _read_state(file[f"resume/{by_step[step]}"])
            return replace(checkpoint, state=state), record["before"].item()
    raise RunFileError(f"{path} has no whole checkpoint to go on from; {ANEW}")


def _read_state(group: h5py.Group) -> Arrays:
    names: list[str] = []
    group.visit(names.append)  # which holds h5py's lock all the while
    items = {name: group[name] for name in names}
    return {name: pieces.read(item) for name, item in items.items() if isinstance(item, h5py.Dataset)}


def copy_into(file: h5py.File, point: ResumePoint, first: Checkpoint, held: Mapping[str, Mapping[int, int]]) -> None:
    """Fill a new file with what came before the point; `held` says which generation each slot has by then.

    `first` is the checkpoint at the point, as the training that goes on takes it.
    """
    with reading(point.path), open_to_read(point.path) as source:
        _copy_rows(source, file, point.snapshots)
        previews = [f"layers/{index}/preview" for index in range(len(point.info.layers))]
        for slot in _copy_index(source, file, "previews", held["previews"]):
            for name in previews:
                file[name][slot] = source[name][slot]
        for slot in _copy_index(source, file, "checkpoints/index", held["checkpoints"]):
            _copy_checkpoint(read_checkpoint(0, source[f"checkpoints/{slot}"]), file[f"checkpoints/{slot}"])
    slot = next(slot for slot, generation in held["checkpoints"].items() if generation == point.generation)
    _copy_checkpoint(first, file[f"checkpoints/{slot}"])
    file["checkpoints/index"][slot] = (point.generation, point.snapshots, first.step, point.generation)


def _copy_rows(source: h5py.File, file: h5py.File, snapshots: int) -> None:
    for name in ROWS:
        dataset = file[f"snapshots/{name}"]
        dataset.resize(snapshots, axis=0)
        if snapshots:
            dataset[...] = source[f"snapshots/{name}"][:snapshots]
    file["snapshots/count"][0] = snapshots
    events = source["events"][()]
    events = events[events["snapshot"] < snapshots]
    file["events"].resize(len(events), axis=0)
    if len(events):
        file["events"][...] = events


def _copy_index(source: h5py.File, file: h5py.File, name: str, held: Mapping[int, int]) -> list[int]:
    """Copy the records of the slots that still hold what they held at the point; the others are empty."""
    index, now = source[name][()], file[name][()]
    whole = whole_slots(index)
    kept = [slot for slot, generation in held.items() if slot in whole and whole[slot]["before"] == generation]
    now[:] = 0
    now[kept] = index[kept]
    file[name][...] = now
    return kept


def _copy_checkpoint(checkpoint: Checkpoint, group: h5py.Group) -> None:
    for kind in CHECKPOINT_KINDS:
        for name, values in getattr(checkpoint, kind).items():
            group[kind][name][...] = values
