"""RunReader: a run from its file, whether it has ended or is still being written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from sparseviz.config import RunConfig
from sparseviz.store.facts import read_info
from sparseviz.store.files import pieces
from sparseviz.store.files.lock import Writer, writer_of
from sparseviz.store.files.opening import is_file, open_to_read, reading, renewed, turn
from sparseviz.store.files.probing import check
from sparseviz.store.files.signature import FORMAT, FORMAT_VERSION, RunFileError
from sparseviz.store.format import RunInfo, TestInputs
from sparseviz.store.mask_rows import ExactPlanes, MaskRows
from sparseviz.store.planes import StoredPlanes
from sparseviz.store.rows import Rows
from sparseviz.store.slots import read_checkpoint, whole_slots
from sparseviz.values.cells import Cells, Part, Pyramids, answer
from sparseviz.values.history import History
from sparseviz.values.snapshot import Checkpoint, Errors, Event, LayerInfo, Snapshot
from sparseviz.values.states import RunStatus

_Read = TypeVar("_Read")


class RunReader:
    """Reads one run. A context manager; every error is a RunFileError that names the file.

    Raises RunFileError where the file is missing, is no HDF5, is no run, or has a newer format. What is `known` of the
    run, from an earlier reading, is not read anew.
    """

    def __init__(self, path: str | Path, known: RunInfo | None = None) -> None:
        self.path = Path(path)
        if not is_file(self.path):
            raise RunFileError(f"{path}: no such file")
        check(self.path)
        with self._reading():
            self._file = open_to_read(self.path)
        try:
            with self._reading():
                self._check_format()
                self.info = read_info(self._file, known)
        except RunFileError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with turn(self.path), reading(self.path):
            yield

    def _check_format(self) -> None:
        if self._file.attrs.get("format") != FORMAT:
            raise RunFileError(f"{self.path} is an HDF5 file, but no run of sparseviz")
        version = int(self._file.attrs.get("format_version", 0))
        if version > FORMAT_VERSION:
            raise RunFileError(
                f"{self.path} has format {version}, and this program reads up to {FORMAT_VERSION}; update sparseviz"
            )

    def _now(self, name: str) -> Any:
        """The dataset as its writer has left it by now."""
        return renewed(self._file[name])

    @property
    def config(self) -> RunConfig:
        """What the run was asked to do."""
        return self.info.config

    @property
    def status(self) -> RunStatus:
        """The state of the run, as its file and its writer's lock tell it."""
        written = self._written_status()
        if written is not RunStatus.TRAINING or self.writer:
            return written
        again = self._written_status()  # it may have ended while we looked for its writer
        return RunStatus.INTERRUPTED if again is RunStatus.TRAINING else again

    def _written_status(self) -> RunStatus:
        with self._reading():
            return RunStatus(bytes(self._now("status")[0]).decode())

    @property
    def writer(self) -> Writer | None:
        """Who writes the file now."""
        return writer_of(self.path)

    @property
    def message(self) -> str:
        """Why the run failed, or ""."""
        with self._reading():
            return bytes(self._now("message")[0]).decode(errors="ignore")

    @property
    def errors(self) -> Errors:
        """Errors in percent at the end; NaN where they were not read."""
        with self._reading():
            return Errors(*map(float, self._now("errors")[0].item()))

    def __len__(self) -> int:
        with self._reading():
            return int(self._now("snapshots/count")[0])

    def snapshots(self, start: int = 0) -> tuple[Snapshot, ...]:
        """The snapshots from this position on, all that are whole by now."""
        stop = len(self)
        with self._reading():
            rows = Rows(self._now, self.info.layers, start, stop)
            previews, events = self._previews(start), self._events()
        return tuple(rows.snapshots(previews, events))

    def newest_snapshot(self, step: int) -> Snapshot | None:
        """The newest snapshot not after this step; None where there is none yet."""
        with self._reading():
            position = self._position(step)
        return self.snapshots(position)[0] if position >= 0 else None

    def _position(self, step: int) -> int:
        """Of the newest snapshot not after this step; -1 where there is none."""
        steps = self._now("snapshots/scalars")[: len(self)]["step"]
        return int(np.searchsorted(steps, step, side="right")) - 1

    def _events(self) -> dict[int, tuple[Event, ...]]:
        found: dict[int, tuple[Event, ...]] = {}
        for position, step, name, before, after in self._now("events")[()].tolist():
            found[position] = (*found.get(position, ()), Event(step, name.decode(), before, after))
        return found

    def _previews(self, start: int) -> dict[int, dict[int, Any]]:
        """By snapshot and layer, from snapshot `start` on; a slot that was overwritten in the meantime is left out."""
        index = whole_slots(self._now("previews")[()])
        whole = {slot: record for slot, record in index.items() if record["snapshot"] >= start}
        datasets = [self._now(f"layers/{index}/preview") for index in range(len(self.info.layers))]
        planes = [pieces.slots(dataset, sorted(whole)) for dataset in datasets]
        still = whole_slots(self._now("previews")[()])
        return {
            record["snapshot"].item(): {index: plane[slot] for index, plane in enumerate(planes)}
            for slot, record in whole.items()
            if slot in still and still[slot]["before"] == record["before"]
        }

    def history(self) -> History:
        """All snapshots, as the views take them."""
        history = History(self.info.parameters, self.info.config.record.previews)
        for snapshot in self.snapshots():
            history.append(snapshot)
        return history

    def checkpoint_steps(self) -> tuple[int, ...]:
        """The steps of the checkpoints that are whole, oldest first."""
        with self._reading():
            return tuple(sorted(record["step"].item() for record in self._checkpoints().values()))

    def _checkpoints(self) -> dict[int, Any]:
        return whole_slots(self._now("checkpoints/index")[()])

    def checkpoint(self, step: int | None = None) -> Checkpoint:
        """The newest checkpoint, or the newest not after this step (or else the first)."""
        return self._from_slot(step, lambda record, group: read_checkpoint(record["step"].item(), group))

    def cells(self, part: Part, step: int, pyramids: Pyramids) -> Cells:
        """True cells at the newest checkpoint not after this step, without reading the rest of it.

        Where the file has the masks of every snapshot, what is kept and when it was cut are those of the newest
        snapshot not after this step. `pyramids` keeps from call to call what was reduced for large parts.
        """
        info = next(layer for layer in self.info.layers if layer.name == part.layer)

        def read(record: Any, group: h5py.Group) -> Cells:
            stored = StoredPlanes(group, part.layer)
            exact = self._exact(info, step, int(record["snapshot"]), stored)
            found_step = record["step"].item()
            source, mask_step = exact or (stored, found_step)
            planes = pyramids.planes(source, part, (info.rows, info.columns), (part.layer, found_step, mask_step))
            return replace(answer(part, found_step, "checkpoint", planes, ages=stored.ages), mask_step=mask_step)

        return self._from_slot(step, read)

    def mask(self, layer: str, position: int) -> npt.NDArray[np.bool_] | None:
        """What the snapshot at `position` kept of a layer, (rows, columns); None where the file does not have it."""
        info = next(known for known in self.info.layers if known.name == layer)
        with self._reading():
            rows = self._mask_rows(info)
            return rows.at(position) if rows else None

    def checkpoint_mask(self, layer: str, step: int) -> tuple[int, npt.NDArray[np.bool_]]:
        """What the newest checkpoint not after this step (or else the first) keeps, (rows, columns), and its step."""

        def read(record: Any, group: h5py.Group) -> tuple[int, npt.NDArray[np.bool_]]:
            mask = group[f"masks/{layer}"][()]
            return record["step"].item(), mask.reshape(len(mask), -1)

        return self._from_slot(step, read)

    def _mask_rows(self, layer: LayerInfo) -> MaskRows | None:
        return MaskRows(self._file, self.info.layers, layer) if "masks" in self._file["snapshots"] else None

    def _exact(self, layer: LayerInfo, step: int, seen: int, stored: StoredPlanes) -> tuple[ExactPlanes, int] | None:
        """The cells with the mask of the newest snapshot not after the step, and its step; None without masks."""
        rows = self._mask_rows(layer)
        if rows is None or not len(self):
            return None
        position = max(self._position(step), 0)
        everything = (slice(0, layer.rows), slice(0, layer.columns))
        cut_at = rows.cut_at(position, stored(*everything).cut_at, min(seen, position + 1))
        return ExactPlanes(stored, rows.at(position), cut_at), int(self._now("snapshots/scalars")[position]["step"])

    def _from_slot(self, step: int | None, read: Callable[[Any, h5py.Group], _Read]) -> _Read:
        """What `read` makes of the slot with the newest checkpoint not after this step, or else the first."""
        with self._reading():
            index = self._checkpoints()
            held = sorted((record["step"].item(), record["before"].item(), slot) for slot, record in index.items())
            if not held:
                raise RunFileError(f"{self.path} has no whole checkpoint")
            before = [entry for entry in held if step is None or entry[0] <= step]
            _, generation, slot = before[-1] if before else held[0]
            found = read(index[slot], self._file[f"checkpoints/{slot}"])
            again = self._checkpoints().get(slot)
        if again is None or again["before"] != generation:
            return self._from_slot(step, read)  # it was overwritten under our eyes
        return found

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(channels, height, width) of what the network reads."""
        with self._reading():
            return tuple(self._file["test/images"].shape[1:])

    def test_inputs(self) -> TestInputs:
        """The test images that the file holds."""
        with self._reading():
            return TestInputs(self._file["test/images"][()], self._file["test/labels"][()])
