"""RunReader: a run from its file, whether it has ended or is still being written."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from sparseviz.cells import Cells, Part, Pyramids, answer
from sparseviz.config import RunConfig
from sparseviz.h5.files import attributes
from sparseviz.snapshot import (
    PHASES,
    SCALARS,
    Checkpoint,
    Errors,
    Event,
    History,
    LayerInfo,
    LayerSnapshot,
    Quantity,
    Snapshot,
)
from sparseviz.store import pieces
from sparseviz.store.format import (
    FORMAT,
    FORMAT_VERSION,
    LAYER_NUMBERS,
    RunFileError,
    RunInfo,
    TestInputs,
)
from sparseviz.store.lock import Writer, writer_of
from sparseviz.store.opening import is_file, open_to_read, reading
from sparseviz.store.planes import StoredPlanes
from sparseviz.store.probing import check
from sparseviz.store.slots import read_checkpoint, whole_slots

_Read = TypeVar("_Read")


class RunReader:
    """Reads one run. A context manager; every error is a RunFileError that names the file.

    Raises RunFileError where the file is missing, is no HDF5, is no run, or has a newer format.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not is_file(self.path):
            raise RunFileError(f"{path}: no such file")
        check(self.path)
        with self._reading():
            self._file = open_to_read(self.path)
        try:
            with self._reading():
                self._check_format()
                self.info = self._read_info()
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

    def _reading(self) -> AbstractContextManager[None]:
        return reading(self.path)

    def _check_format(self) -> None:
        if self._file.attrs.get("format") != FORMAT:
            raise RunFileError(f"{self.path} is an HDF5 file, but no run of sparseviz")
        version = int(self._file.attrs.get("format_version", 0))
        if version > FORMAT_VERSION:
            raise RunFileError(
                f"{self.path} has format {version}, and this program reads up to {FORMAT_VERSION}; update sparseviz"
            )

    def _read_info(self) -> RunInfo:
        attrs = attributes(self._file)
        layers = self._file["layers"]
        return RunInfo(
            config=RunConfig.parse(json.loads(attrs["config"])),
            versions=json.loads(attrs["versions"]),
            images=json.loads(attrs["images"]),
            classes=tuple(json.loads(attrs["classes"])),
            layers=tuple(_read_layer(attributes(layers[str(index)])) for index in range(len(layers))),
            created=str(attrs["created"]),
            device=str(attrs["device"]),
            threads=int(attrs["threads"]),
            parameters=int(attrs["parameters"]),
            steps=int(attrs["steps"]),
            steps_per_epoch=int(attrs["steps_per_epoch"]),
            mean=float(attrs["mean"]),
            std=float(attrs["std"]),
            data_checksum=str(attrs["data_checksum"]),
            data_note=str(attrs["data_note"]),
            resumed=tuple(json.loads(attrs.get("resumed", "[]"))),
        )

    def _now(self, name: str) -> Any:
        """The dataset as its writer has left it by now."""
        dataset = self._file[name]
        dataset.refresh()
        return dataset

    @property
    def config(self) -> RunConfig:
        """What the run was asked to do."""
        return self.info.config

    @property
    def status(self) -> str:
        """One of training, finished, stopped, failed, and interrupted: begun, and its writer is gone."""
        written = self._written_status()
        if written != "training" or self.writer:
            return written
        again = self._written_status()  # it may have ended while we looked for its writer
        return "interrupted" if again == "training" else again

    def _written_status(self) -> str:
        with self._reading():
            return bytes(self._now("status")[0]).decode()

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
            tables: dict[str, Any] = {
                name: self._rows(name, start, stop) for name in ("scalars", "layers", "histogram")
            }
            for name, sizes in (
                ("row_kept", [layer.rows for layer in self.info.layers]),
                ("column_kept", [layer.columns for layer in self.info.layers]),
            ):
                table = self._rows(name, start, stop).astype(np.int64)
                tables[name] = np.split(table, np.cumsum(sizes)[:-1], axis=1)
            previews, events = self._previews(), self._events()
        return tuple(
            self._snapshot(tables, row, previews.get(start + row, {}), events.get(start + row, ()))
            for row in range(stop - start)
        )

    def _rows(self, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        return pieces.read(self._now(f"snapshots/{name}"), start, stop)

    def _snapshot(
        self, tables: Mapping[str, Any], row: int, previews: Mapping[int, Any], events: tuple[Event, ...]
    ) -> Snapshot:
        scalars = tables["scalars"][row]
        layers = tuple(
            LayerSnapshot(
                info=info,
                **{name: tables["layers"][name][row, index].item() for name, _ in LAYER_NUMBERS},
                histogram=tables["histogram"][row, index].astype(np.int64),
                row_kept=tables["row_kept"][index][row],
                column_kept=tables["column_kept"][index][row],
                preview=previews.get(index),
            )
            for index, info in enumerate(self.info.layers)
        )
        return Snapshot(
            step=int(scalars["step"]),
            epoch=float(scalars["epoch"]),
            time=float(scalars["time"]),
            phase=PHASES[scalars["phase"]],
            scalars={name: float(scalars[name]) for name in SCALARS},
            layers=layers,
            events=events,
        )

    def _events(self) -> dict[int, tuple[Event, ...]]:
        found: dict[int, tuple[Event, ...]] = {}
        for position, step, name, before, after in self._now("events")[()].tolist():
            found[position] = (*found.get(position, ()), Event(step, name.decode(), before, after))
        return found

    def _previews(self) -> dict[int, dict[int, Any]]:
        """By snapshot and layer; a slot that was overwritten in the meantime is left out."""
        whole = whole_slots(self._now("previews")[()])
        planes = [pieces.read(self._now(f"layers/{index}/preview")) for index in range(len(self.info.layers))]
        still = whole_slots(self._now("previews")[()])
        return {
            record["snapshot"].item(): {index: plane[slot] for index, plane in enumerate(planes)}
            for slot, record in whole.items()
            if slot in still and still[slot]["before"] == record["before"]
        }

    def history(self) -> History:
        """All snapshots, as the views take them."""
        history = History(self.info.parameters)
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
        return self._from_slot(step, read_checkpoint)

    def cells(self, part: Part, step: int, pyramids: Pyramids) -> Cells:
        """True cells at the newest checkpoint not after this step, without reading the rest of it.

        `pyramids` keeps from call to call what was reduced for large parts.
        """
        info = next(layer for layer in self.info.layers if layer.name == part.layer)

        def read(found_step: int, group: h5py.Group) -> Cells:
            source = StoredPlanes(group, part.layer)
            planes = pyramids.planes(source, part, (info.rows, info.columns), (part.layer, found_step))
            return answer(part, found_step, "checkpoint", planes, ages=source.ages)

        return self._from_slot(step, read)

    def _from_slot(self, step: int | None, read: Callable[[int, h5py.Group], _Read]) -> _Read:
        """What `read` makes of the slot with the newest checkpoint not after this step, or else the first."""
        with self._reading():
            index = self._checkpoints()
            held = sorted((record["step"].item(), record["before"].item(), slot) for slot, record in index.items())
            if not held:
                raise RunFileError(f"{self.path} has no whole checkpoint")
            before = [entry for entry in held if step is None or entry[0] <= step]
            found_step, generation, slot = before[-1] if before else held[0]
            found = read(found_step, self._file[f"checkpoints/{slot}"])
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


def _read_layer(attrs: Mapping[str, Any]) -> LayerInfo:
    return LayerInfo(
        name=str(attrs["name"]),
        shape=tuple(json.loads(attrs["shape"])),
        biases=int(attrs["biases"]),
        multiply_adds=int(attrs["multiply_adds"]),
        quantity=Quantity(**json.loads(attrs["quantity"])),
        preview_shape=tuple(json.loads(attrs["preview_shape"])),
    )
