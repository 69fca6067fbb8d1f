"""Resuming and branching: where a run can go on, and the clean copy with which the new file begins."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sparseviz.config import RunConfig
from sparseviz.config.changes import in_force
from sparseviz.store import migration
from sparseviz.store.files import pieces
from sparseviz.store.files.opening import open_to_read, reading
from sparseviz.store.files.signature import RunFileError
from sparseviz.store.format import CHECKPOINT_KINDS, RunInfo, TestInputs, seen_of
from sparseviz.store.reader import RunReader
from sparseviz.store.slots import read_checkpoint, whole_slots
from sparseviz.values.snapshot import Arrays, Checkpoint, Event, Snapshot, numbers_of
from sparseviz.values.states import RunStatus

ANEW = "open it in the window and press Train to train it anew"
ROWS = ("scalars", "layers", "histogram", "row_kept", "column_kept", "masks")


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A whole checkpoint of a run, with its state, and what of the file comes before it."""

    path: Path
    info: RunInfo
    inputs: TestInputs
    checkpoint: Checkpoint
    generation: int  # of the checkpoint in its file
    snapshots: int  # taken before it, the one that a stop took left out
    events: tuple[Event, ...]  # that no snapshot of these has
    keeps_states: bool  # whether the new file has those of earlier checkpoints too: it is the same run

    @property
    def config(self) -> RunConfig:
        """The configuration in force at the point."""
        return in_force(self.info.config, numbers_of(self.checkpoint.state or {}))

    def seen(self) -> tuple[Snapshot, ...]:
        """The snapshots that were taken before it."""
        with RunReader(self.path) as run:
            return run.snapshots()[: self.snapshots]


def resume_point(path: Path) -> ResumePoint:
    """Where to go on. Raises RunFileError where a run has finished, is being written, or is of an older format."""
    with RunReader(path) as run:
        if run.status is RunStatus.FINISHED:
            raise RunFileError(f"{path} has finished, so there is nothing to resume; {ANEW}, with more epochs")
        _refuse(run)
        return _point(run, None, keeps_states=True)


def branch_point(path: Path, step: int | None = None) -> ResumePoint:
    """The checkpoint of this step, or the newest. Raises RunFileError where training cannot go on from it."""
    with RunReader(path) as run:
        _refuse(run)
        return _point(run, step, keeps_states=False)


def branch_configs(path: Path) -> dict[int, RunConfig]:
    """The checkpoints from which a run can be branched: by step, oldest first, the configuration then in force."""
    with RunReader(path) as run, reading(path), open_to_read(path) as file:
        places = {} if run.writer or _version(file) < migration.RESUMED_FROM else _places(file)
        numbers = {step: file[f"resume/{place.state}/numbers"][()] for step, place in places.items()}
        return {step: in_force(run.config, numbers_of({"numbers": values})) for step, values in numbers.items()}


def _refuse(run: RunReader) -> None:
    if writer := run.writer:
        raise RunFileError(f"{run.path} is being written by {writer}; stop that training first")
    with reading(run.path), open_to_read(run.path) as file:
        version = _version(file)
    if version < migration.RESUMED_FROM:
        lacks = f"which lacks what it takes to go on (from {migration.RESUMED_FROM} on)"
        raise RunFileError(f"{run.path} has format {version}, {lacks}; {ANEW}")


def _version(file: h5py.File) -> int:
    return int(file.attrs["format_version"])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file has a whole checkpoint and its whole state: two slots, and the checkpoint's generation."""

    checkpoint: int
    generation: int
    state: int


def _places(file: h5py.File) -> dict[int, _Place]:
    """By step, oldest first; of several at one step the newest."""
    checkpoints, states = (_by_step(file[name][()]) for name in ("checkpoints/index", "resume/index"))
    return {
        step: _Place(slot, generation, states[step][0])
        for step, (slot, generation) in checkpoints.items()
        if step in states
    }


def _by_step(index: Any) -> dict[int, tuple[int, int]]:
    """The newest whole slot of every step, and its generation."""
    order = lambda entry: (entry[1]["step"], entry[1]["before"])  # noqa: E731  # of steps, then of rewriting
    whole = sorted(whole_slots(index).items(), key=order)
    return {record["step"].item(): (slot, record["before"].item()) for slot, record in whole}


def _point(run: RunReader, step: int | None, *, keeps_states: bool) -> ResumePoint:
    with reading(run.path), open_to_read(run.path) as file:
        places = _places(file)
        if not places:
            raise RunFileError(f"{run.path} has no whole checkpoint to go on from; {ANEW}")
        step = max(places) if step is None else step
        if step not in places:
            raise RunFileError(_other_steps(run, step, list(places)))
        place = places[step]
        checkpoint = read_checkpoint(step, file[f"checkpoints/{place.checkpoint}"])
        state = seen_of(checkpoint) | dict(_read_state(file[f"resume/{place.state}"]))
        checkpoint = replace(checkpoint, state=state)
    numbers = numbers_of(state)
    snapshots, pending = (int(numbers[name]) for name in ("snapshots", "pending"))
    done = run.snapshots(snapshots)
    events = done[0].events[:pending] if done else ()
    return ResumePoint(
        run.path, run.info, run.test_inputs(), checkpoint, place.generation, snapshots, events, keeps_states
    )


def _other_steps(run: RunReader, step: int, steps: list[int]) -> str:
    lack = (
        "whole state (optimiser, gates, random) of its checkpoint" if step in run.checkpoint_steps() else "checkpoint"
    )
    parent = run.info.parent
    older = f"; earlier ones are in its parent, {parent.name}" if parent and step < parent.step else ""
    return f"{run.path} has no {lack} at step {step}; go on from one of the steps {', '.join(map(str, steps))}{older}"


def _read_state(group: h5py.Group) -> Arrays:
    names: list[str] = []
    group.visit(names.append)  # which holds h5py's lock all the while
    items = {name: group[name] for name in names}
    state = {name: item for name, item in items.items() if isinstance(item, h5py.Dataset)}
    numbers = migration.state_numbers(state.pop("numbers")[()])
    kept = state if numbers["seen_apart"][0] else _without_seen(state)
    return {"numbers": numbers} | {name: pieces.read(item) for name, item in kept.items()}


def _without_seen(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values for name, values in state.items() if not name.startswith(("seen/", "cut_at/"))}


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
        slots = _copy_index(source, file, "checkpoints/index", held["checkpoints"])
        for slot in slots:
            _copy_checkpoint(read_checkpoint(0, source[f"checkpoints/{slot}"]), file[f"checkpoints/{slot}"])
        file["resume/index"][...] = np.zeros_like(file["resume/index"][()])
        if point.keeps_states:
            _copy_states(source, file, slots, first.state or {})
    slot = next(slot for slot, generation in held["checkpoints"].items() if generation == point.generation)
    _copy_checkpoint(first, file[f"checkpoints/{slot}"])
    _put_state(file, slot, first.state or {})
    for name in ("checkpoints/index", "resume/index"):
        file[name][slot] = (point.generation, point.snapshots, first.step, point.generation)


def _copy_states(source: h5py.File, file: h5py.File, slots: list[int], like: Arrays) -> None:
    """Copy the states of the checkpoints in these slots, into slots of the same number, where they fit in."""
    places = {place.checkpoint: place for place in _places(source).values()}
    for slot in (slot for slot in slots if slot in places):
        state = _read_state(source[f"resume/{places[slot].state}"])
        if _shapes(state) == _shapes(like):  # a state from another device has other generators
            _put_state(file, slot, state)
            file["resume/index"][slot] = file["checkpoints/index"][slot]


def _shapes(state: Arrays) -> dict[str, tuple[Any, ...]]:
    return {name: (values.shape, values.dtype) for name, values in _without_seen(state).items()}


def _put_state(file: h5py.File, slot: int, state: Arrays) -> None:
    for name, values in state.items():
        file[f"resume/{slot}/{name}"][...] = values


def _copy_rows(source: h5py.File, file: h5py.File, snapshots: int) -> None:
    if "masks" not in source["snapshots"] and "masks" in file["snapshots"]:
        del file["snapshots/masks"]  # the first snapshots of a file of format 3 have none
    for name in (name for name in ROWS if name in file["snapshots"]):
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
