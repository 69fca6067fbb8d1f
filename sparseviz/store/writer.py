"""RunWriter: the one thread that writes a run's file."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sparseviz.h5.files import LIBVER
from sparseviz.paths import rename_to_new
from sparseviz.snapshot import PHASES, SCALARS, Checkpoint, Errors, LayerSnapshot, Snapshot
from sparseviz.store.format import (
    CHECKPOINT_KINDS,
    LAYER_NUMBERS,
    LAYER_ROW,
    RunFileError,
    RunInfo,
    TestInputs,
    lay_out,
    places_for,
)
from sparseviz.store.lock import WriterLock, writer_of
from sparseviz.store.resuming import ResumePoint, copy_into
from sparseviz.store.status_file import StatusFile


class RunWriter:
    """Writes one run, alone. Raises RunFileError where the file exists or its folder cannot be written."""

    def __init__(
        self, path: Path, info: RunInfo, inputs: TestInputs, first: Checkpoint, earlier: ResumePoint | None = None
    ) -> None:
        self.path = path
        record, self._count = info.config.record, earlier.snapshots if earlier else 0
        # the first slot holds the checkpoint and the state that the file is made with
        taken, places = earlier.generation if earlier else 1, places_for(info, first)
        takings = {"previews": self._count, "checkpoints": taken, "resume": taken}
        numbers = {"previews": record.previews, "checkpoints": places, "resume": places}
        self._slots = {kind: _Slots(number, takings[kind]) for kind, number in numbers.items()}

        def fill(file: h5py.File) -> None:
            if earlier:
                copy_into(file, earlier, first, {kind: slots.held() for kind, slots in self._slots.items()})

        self._file, self._lock = _create(path, info, inputs, first, fill)
        self._datasets: dict[str, Any] = {}
        self._status = StatusFile(path, info, inputs.images.shape[1:], earlier.seen() if earlier else ())

    def append(self, snapshot: Snapshot) -> None:
        """Add a snapshot; when this returns, a reader sees all of it."""
        rows = {
            "scalars": _scalar_row(snapshot),
            "layers": np.array([_layer_row(layer) for layer in snapshot.layers], dtype=LAYER_ROW),
            "histogram": np.stack([layer.histogram for layer in snapshot.layers]),
            "row_kept": np.concatenate([layer.row_kept for layer in snapshot.layers]),
            "column_kept": np.concatenate([layer.column_kept for layer in snapshot.layers]),
        }
        if snapshot.masks is not None and "snapshots/masks" in self._file:
            rows["masks"] = snapshot.masks
        for name, row in rows.items():
            self._append_row(f"snapshots/{name}", row)
        for event in snapshot.events:
            self._append_row("events", (self._count, event.step, event.name.encode(), event.before, event.after))
        if all(layer.preview is not None for layer in snapshot.layers):
            with self._slot("previews", "previews", snapshot.step) as slot:
                for index, layer in enumerate(snapshot.layers):
                    self._at(f"layers/{index}/preview")[slot] = layer.preview
        self._file.flush()
        self._count += 1
        self._at("snapshots/count")[0] = self._count  # last: now the rows are all there
        self._file.flush()
        self._status.publish(snapshot, self._lock.beat())

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint into its slot, and its state into another."""
        if checkpoint.state:
            with self._slot("resume", "resume/index", checkpoint.step) as slot:
                for name, values in checkpoint.state.items():
                    self._file[f"resume/{slot}/{name}"][...] = values
        with self._slot("checkpoints", "checkpoints/index", checkpoint.step) as slot:
            group = self._file[f"checkpoints/{slot}"]
            for kind in CHECKPOINT_KINDS:
                for name, values in getattr(checkpoint, kind).items():
                    group[kind][name][...] = values

    def finish(self, status: str, errors: Errors, message: str = "") -> None:
        """Write how the run ended, and close the file."""
        self._file["errors"][0] = dataclasses.astuple(errors)
        self._file["message"][0] = message.encode()[:1024]
        self._file["status"][0] = status.encode()
        self.close()

    def close(self) -> None:
        """Close the file; a run that was not finished stays readable."""
        self._file.close()
        self._status.remove()  # before the lock is free: a status without a writer is that of an interrupted run
        self._lock.release()

    def _at(self, name: str) -> Any:
        """A dataset of small rows, kept open: looking it up costs as much as writing a row into it."""
        if name not in self._datasets:
            self._datasets[name] = self._file[name]
        return self._datasets[name]

    def _append_row(self, name: str, row: Any) -> None:
        dataset = self._at(name)
        dataset.resize(dataset.shape[0] + 1, axis=0)
        dataset[-1] = row

    @contextlib.contextmanager
    def _slot(self, kind: str, index: str, step: int) -> Iterator[int]:
        """The slot to write; its generation numbers differ until the block has ended."""
        slot, generation = self._slots[kind].take()
        dataset = self._at(index)
        dataset[slot] = (generation, self._count, step, 0)
        self._file.flush()
        yield slot
        self._file.flush()
        dataset[slot] = (generation, self._count, step, generation)
        self._file.flush()


class _Slots:
    """Which slot to overwrite: the newest stays, the rest lie evenly in time, the first among them.

    Kept are the takings whose number is a multiple of a stride, which doubles when the slots are full.
    """

    def __init__(self, number: int, takings: int = 0) -> None:
        self._free = list(range(number))
        self._held: list[tuple[int, int]] = []  # (number of the taking, slot), oldest first
        self._taken, self._stride = 0, 1
        for _ in range(takings):
            self.take()

    def held(self) -> dict[int, int]:
        """The generation number of every slot in use."""
        return {slot: number + 1 for number, slot in self._held}

    def take(self) -> tuple[int, int]:
        """The slot to write next, and the generation number to write it under: 1, 2, ..."""
        slot = self._free.pop(0) if self._free else self._drop()
        self._held.append((self._taken, slot))
        self._taken += 1
        return slot, self._taken

    def _drop(self) -> int:
        """Never the newest: until the next is whole it is the only late one."""
        if len(self._held) <= 2:
            return self._held.pop(0)[1]
        while True:
            for place, (number, slot) in enumerate(self._held[:-1]):
                if number % self._stride:
                    del self._held[place]
                    return slot
            self._stride *= 2


def _scalar_row(snapshot: Snapshot) -> tuple[float, ...]:
    head = (snapshot.step, snapshot.epoch, snapshot.time, PHASES.index(snapshot.phase))
    return (*head, *(snapshot.scalars[name] for name in SCALARS))


def _layer_row(layer: LayerSnapshot) -> tuple[float, ...]:
    return tuple(getattr(layer, name) for name, _ in LAYER_NUMBERS)


def _create(
    path: Path, info: RunInfo, inputs: TestInputs, first: Checkpoint, fill: Callable[[h5py.File], None]
) -> tuple[h5py.File, WriterLock]:
    """The file, whole and named, open for one writer and many readers, and the writer's lock."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(path)
        with h5py.File(temporary, "x", libver=LIBVER) as made:
            lay_out(made, info, inputs, first)
            fill(made)
        return _publish(temporary, path)
    except FileExistsError as error:
        if path.parent.is_dir():
            writer = writer_of(path)
            held = f"is being written by {writer}" if writer else "exists already"
            raise RunFileError(f"{path} {held} and is not overwritten; choose another name") from None
        raise RunFileError(f"{path} cannot be written: {path.parent} is no folder; choose another folder") from error
    except OSError as error:
        raise RunFileError(f"{path} cannot be written: {_reason(error)}; choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _publish(temporary: Path, path: Path) -> tuple[h5py.File, WriterLock]:
    """Give the file its name and open it; nobody sees it without its writer's lock."""
    lock = WriterLock(path)
    try:
        rename_to_new(temporary, path)
        file = h5py.File(path, "r+", libver=LIBVER)
        file.swmr_mode = True
    except BaseException:
        lock.release()
        raise
    return file, lock


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
