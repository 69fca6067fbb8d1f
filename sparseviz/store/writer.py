"""RunWriter: the one thread that writes a run's file."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sparseviz.store.files.place import WriteError
from sparseviz.store.files.safe_file import SafeFile
from sparseviz.store.format import (
    CHECKPOINT_KINDS,
    LAYER_NUMBERS,
    LAYER_ROW,
    RunInfo,
    TestInputs,
    lay_out,
    places_for,
)
from sparseviz.store.resuming import ResumePoint, copy_into
from sparseviz.store.status_file import StatusFile, clean
from sparseviz.values.snapshot import SCALARS, Arrays, Checkpoint, Errors, LayerSnapshot, Snapshot
from sparseviz.values.states import PHASES, RunStatus
from sparseviz.values.thinning import Slots


class RunWriter:
    """Writes one run, alone. Raises RunFileError where the file exists or its folder cannot be written."""

    def __init__(
        self, path: Path, info: RunInfo, inputs: TestInputs, first: Checkpoint, earlier: ResumePoint | None = None
    ) -> None:
        record, self._count = info.config.record, earlier.snapshots if earlier else 0
        # the first slot holds the checkpoint and the state that the file is made with
        taken, places = earlier.generation if earlier else 1, places_for(info, first)
        takings = {"previews": self._count, "checkpoints": taken, "resume": taken}
        numbers = {"previews": record.previews, "checkpoints": places, "resume": places}
        self._slots = {kind: Slots(number, takings[kind]) for kind, number in numbers.items()}

        def fill(file: h5py.File) -> None:
            lay_out(file, info, inputs, first)
            if earlier:
                copy_into(file, earlier, first, {kind: slots.held() for kind, slots in self._slots.items()})

            self._events = len(file["events"])
            self._keeps_masks = "snapshots/masks" in file

        self._file = SafeFile(path, fill)
        if earlier:
            clean(earlier.path)  # its writer may have been killed
        self._status = StatusFile(path, info, inputs.images.shape[1:], earlier.seen() if earlier else ())
        self._writes: dict[str, tuple[int, int]] = {}  # slots taken by what is being written, with their generations

    def append(self, snapshot: Snapshot) -> None:
        """Add a snapshot; when this returns, a reader sees all of it."""
        rows = {
            "scalars": _scalar_row(snapshot),
            "layers": np.array([_layer_row(layer) for layer in snapshot.layers], dtype=LAYER_ROW),
            "histogram": np.stack([layer.histogram for layer in snapshot.layers]),
            "row_kept": np.concatenate([layer.row_kept for layer in snapshot.layers]),
            "column_kept": np.concatenate([layer.column_kept for layer in snapshot.layers]),
        }
        if snapshot.masks is not None and self._keeps_masks:
            rows["masks"] = snapshot.masks
        previews = [layer.preview for layer in snapshot.layers if layer.preview is not None]
        with self._file.writing(sum(np.asarray(row).nbytes for row in (*rows.values(), *previews))):
            for name, row in rows.items():
                self._put_row(f"snapshots/{name}", self._count, row)
            for number, event in enumerate(snapshot.events, start=self._events):
                place = self._count, event.step
                self._put_row("events", number, (*place, event.name.encode(), event.before, event.after))
            if len(previews) == len(snapshot.layers):
                with self._slot("previews", "previews", snapshot.step) as slot:
                    for index, preview in enumerate(previews):
                        self._file.small(f"layers/{index}/preview")[slot] = preview
            self._file.flush()
            self._file.small("snapshots/count")[0] = self._count + 1  # last: now the rows are all there
            self._file.flush()
        self._count += 1
        self._events += len(snapshot.events)
        self._writes.clear()
        self._status.publish(snapshot, self._file.beat())

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint into its slot, and its state into another."""
        kinds = {kind: getattr(checkpoint, kind) for kind in CHECKPOINT_KINDS}
        plain = {f"{kind}/{name}": values for kind, arrays in kinds.items() for name, values in arrays.items()}
        parts: dict[str, Arrays] = {"resume": checkpoint.state} if checkpoint.state else {}
        parts |= {"checkpoints": plain}  # last: a state without its checkpoint harms nobody
        with self._file.writing(sum(self._new_bytes(*part) for part in parts.items())):
            for part, arrays in parts.items():
                with self._slot(part, f"{part}/index", checkpoint.step) as slot:
                    for name, values in arrays.items():
                        self._file[f"{part}/{slot}/{name}"][...] = values
        self._writes.clear()

    def _new_bytes(self, part: str, arrays: Arrays) -> int:
        """What the next slot lacks on the disk, at most: chunks reach beyond their arrays."""
        slot, _ = self._take(part)
        new = [values.nbytes for name, values in arrays.items() if self._file.is_new(f"{part}/{slot}/{name}")]
        return sum(new) * 5 // 4

    def finish(self, status: RunStatus, errors: Errors, message: str = "") -> None:
        """Write how the run ended, and close the file."""
        with self._file.writing():
            self._file["errors"][0] = dataclasses.astuple(errors)
            self._file["message"][0] = message.encode()[:1024]
            self._file["status"][0] = status.encode()
            self._file.flush()
        self.close()

    def fail(self, error: BaseException) -> None:
        """Close the file of a run that broke off, and say why in it where that can be written."""
        with contextlib.suppress(WriteError):
            self.finish(RunStatus.FAILED, Errors(), f"{type(error).__name__}: {error}")
        self._status.remove()
        self._file.abandon()

    def go_on(self, path: Path) -> None:
        """After a WriteError: in the same file, or in a clean copy at another path. Then write what failed again."""
        self._file.go_on(path)
        self._status.move(self.path)

    def close(self) -> None:
        """Close the file; a run that was not finished stays readable."""
        self._file.close()
        self._status.remove()  # before the lock is free: a status without a writer is that of an interrupted run
        self._file.release()

    @property
    def path(self) -> Path:
        """Where the file is now."""
        return self._file.path

    def _put_row(self, name: str, position: int, row: Any) -> None:
        dataset = self._file.small(name)
        dataset.resize(position + 1, axis=0)
        dataset[position] = row

    @contextlib.contextmanager
    def _slot(self, kind: str, index: str, step: int) -> Iterator[int]:
        """The slot to write; its generation numbers differ until the block has ended."""
        slot, generation = self._take(kind)
        dataset = self._file.small(index)
        dataset[slot] = (generation, self._count, step, 0)
        self._file.flush()
        yield slot
        self._file.flush()
        dataset[slot] = (generation, self._count, step, generation)
        self._file.flush()

    def _take(self, kind: str) -> tuple[int, int]:
        """The slot to write and its generation, the same ones where a write that failed is done again."""
        if kind not in self._writes:
            self._writes[kind] = self._slots[kind].take()
        return self._writes[kind]


def _scalar_row(snapshot: Snapshot) -> tuple[float, ...]:
    head = (snapshot.step, snapshot.epoch, snapshot.time, PHASES.index(snapshot.phase))
    return (*head, *(snapshot.scalars[name] for name in SCALARS))


def _layer_row(layer: LayerSnapshot) -> tuple[float, ...]:
    return tuple(getattr(layer, name) for name, _ in LAYER_NUMBERS)
