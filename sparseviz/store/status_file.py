"""The status file: what a run's views need, closed and whole beside the run file while that is being written.

It is for whoever cannot follow the run file itself: SWMR, by which HDF5 lets a file be read while it grows, needs a
local or POSIX file system, not NFS or SMB. Its name is the run file's with ".status" behind it. It is JSON, written
under a temporary name and renamed at a snapshot, at most once a second and never for more than 1 part in 400 of the
time, and removed when the run has ended; only a killed writer leaves it behind, until the run is resumed or branched,
or is opened and has ended. Whether a writer lives is told by its lock; from another machine, where that may not be
seen, by the time of its last sign of life.

    format, format_version   "sparseviz status", 1
    run                      the run file's name
    writer                   pid, host, start, heartbeat (files/lock.py)
    info                     the facts of RunInfo, as JSON; input_shape: (channels, height, width)
    events                   [seen, step, name, before, after] of all that was done to the run; seen: the step of the
                             snapshot that tells of it
    snapshots                the newest, and of those before it so many as fit into MOST_BYTES: half of that for those
                             with a validation error, half for the others, each evenly in time: step, epoch, time,
                             phase, scalars, and for each layer its numbers, its histogram, row_kept and column_kept
                             (base64 of zlib of uint32, little-endian); of the newest also previews (the same of uint8)

What is not a number is null.
"""

import base64
import dataclasses
import json
import logging
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from sparseviz.config import ConfigError, RunConfig
from sparseviz.store.files.lock import Writer
from sparseviz.store.files.signature import RunFileError
from sparseviz.store.format import LAYER_NUMBERS, Parent, RunInfo
from sparseviz.store.migration import by_channel
from sparseviz.values.snapshot import Event, LayerInfo, LayerSnapshot, Quantity, Snapshot
from sparseviz.values.states import Phase

FORMAT, FORMAT_VERSION = "sparseviz status", 1
SUFFIX = ".status"
MOST_BYTES = 1 << 20  # of the snapshots before the newest, roughly
EVERY_S = 1.0  # at most so often
SHARE = 400  # publishing takes at most one part in so many of the time
COUNTS, PLANES = np.dtype("<u4"), np.dtype("u1")


def status_path(path: Path) -> Path:
    """Where the status of this run file is."""
    return path.with_name(path.name + SUFFIX)


def clean(path: Path) -> None:
    """Remove the status of this run file, whose writer has ended or was killed, perhaps while it wrote the status."""
    status = status_path(path)
    for left in (status, _temporary(status)):
        try:
            left.unlink(missing_ok=True)
        except OSError as error:
            logging.getLogger(__name__).warning("%s cannot be removed: %s", left, error)


def _temporary(status: Path) -> Path:
    """One name, which `clean` finds; no other writes it, as a run has one writer."""
    return status.with_name(f".{status.name}.tmp")


class StatusFile:
    """Publishes the status of one run. What goes wrong with it is logged, and is no harm to the run."""

    def __init__(
        self, path: Path, info: RunInfo, input_shape: tuple[int, ...], earlier: Iterable[Snapshot] = ()
    ) -> None:
        self._run = path
        clean(path)  # of a run that had this name
        self._facts = {"info": _info(info), "input_shape": list(input_shape)}
        self._thinned = {True: _Thinned(), False: _Thinned()}  # with a validation error, without
        self._waiting = list(earlier)  # not put into words yet
        self._events = [(snapshot.step, event) for snapshot in self._waiting for event in snapshot.events]
        self._due = 0.0  # when monotonic() has come so far

    def publish(self, snapshot: Snapshot, writer: Writer) -> None:
        """Tell of this snapshot, if that is due."""
        self._events += ((snapshot.step, event) for event in snapshot.events)
        self._waiting.append(snapshot)
        began = monotonic()
        if began < self._due:
            return
        for older in self._waiting[:-1]:
            has_error = math.isfinite(older.scalars["validation_error"])
            self._thinned[has_error].add(older.step, json.dumps(_snapshot(older, previews=False), allow_nan=False))
        self._waiting = [snapshot]
        try:
            self._replace(self._text(snapshot, writer))
        except OSError as error:  # on Windows also where somebody reads it just now: the next time will do
            logging.getLogger(__name__).info("the status of %s was not written: %s", self._run, error)
        now = monotonic()
        self._due = began + max(EVERY_S, SHARE * (now - began))

    def move(self, path: Path) -> None:
        """The run file is at `path` from now on."""
        if path != self._run:
            self.remove()
            self._run, self._due = path, 0.0

    def remove(self) -> None:
        """The run file is closed and can be read itself."""
        clean(self._run)

    def _text(self, snapshot: Snapshot, writer: Writer) -> str:
        """Only what is new is put into words anew."""
        head = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "run": self._run.name,
            "writer": dataclasses.asdict(writer),
            **self._facts,
            "events": [(seen, event.step, event.name, *map(_number, _values(event))) for seen, event in self._events],
        }
        newest = json.dumps(_snapshot(snapshot, previews=True), allow_nan=False)
        older = sorted(pair for thinned in self._thinned.values() for pair in thinned.kept)
        snapshots = ",\n".join((*(text for _, text in older), newest))
        return f'{json.dumps(head, allow_nan=False)[:-1]}, "snapshots": [\n{snapshots}]}}\n'

    def _replace(self, text: str) -> None:
        """Not durable, as whole_file is: time spent waiting for the disk would make the next one later (SHARE)."""
        status = status_path(self._run)
        temporary = _temporary(status)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(status)


class _Thinned:
    """Texts of half of MOST_BYTES at most: the first, and from there on every so many-th, a number that doubles."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, str]] = []  # with their steps
        self._added, self._stride, self._size = 0, 1, 0

    def add(self, step: int, text: str) -> None:
        if self._added % self._stride == 0:
            self.kept.append((step, text))
            self._size += len(text)
        self._added += 1
        while self._size > MOST_BYTES // 2 and len(self.kept) > 1:
            self._stride *= 2
            self.kept = self.kept[::2]
            self._size = sum(len(kept) for _, kept in self.kept)


@dataclass(frozen=True, slots=True)
class Status:
    """What a status file says."""

    run: Path  # the run file
    writer: Writer
    info: RunInfo
    input_shape: tuple[int, ...]
    events: tuple[tuple[int, Event], ...]  # all, with the step of the snapshot that tells of each
    snapshots: tuple[Snapshot, ...]  # without events: they may be of a snapshot that was left out


def read_status(path: Path, after: int = -1) -> Status:
    """What the file says, with the snapshots after this step. Raises RunFileError where it is no status file."""
    try:
        told = json.loads(path.read_bytes())
        if told["format"] == FORMAT and told["format_version"] == FORMAT_VERSION:
            return _status(path, told, after)
    except OSError as error:
        raise RunFileError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, zlib.error, ConfigError) as error:
        raise RunFileError(f"{path} is no status file of sparseviz, or it is damaged: {error}") from error
    raise RunFileError(f"{path} is a status file of another version of sparseviz; update sparseviz")


def _status(path: Path, told: Mapping[str, Any], after: int) -> Status:
    info, writer = _read_info(told["info"]), Writer(**told["writer"])
    datetime.fromisoformat(writer.heartbeat)  # or else ValueError
    return Status(
        run=path.with_name(told["run"]),
        writer=writer,
        info=info,
        input_shape=tuple(told["input_shape"]),
        events=tuple(_read_event(*event) for event in told["events"]),
        snapshots=tuple(_read_snapshot(each, info.layers) for each in told["snapshots"] if each["step"] > after),
    )


def _values(event: Event) -> tuple[float, float]:
    return event.before, event.after


def _read_event(seen: int, step: int, name: str, before: float | None, after: float | None) -> tuple[int, Event]:
    return seen, Event(step, name, _real(before), _real(after))


def _info(info: RunInfo) -> dict[str, Any]:
    values = {field.name: getattr(info, field.name) for field in dataclasses.fields(info)}
    layers = [dataclasses.asdict(layer) for layer in info.layers]
    parent = dataclasses.asdict(info.parent) if info.parent else None
    return values | {"config": info.config.model_dump(mode="json"), "layers": layers, "parent": parent}


def _read_info(told: Mapping[str, Any]) -> RunInfo:
    lists = {name: tuple(told[name]) for name in ("classes", "resumed")}
    lists |= {name: by_channel(told[name]) for name in ("mean", "std")}
    layers = tuple(_read_layer_info(layer) for layer in told["layers"])
    parent = Parent(**told["parent"]) if told["parent"] else None
    return RunInfo(**{**told, **lists, "config": RunConfig.parse(told["config"]), "layers": layers, "parent": parent})


def _read_layer_info(told: Mapping[str, Any]) -> LayerInfo:
    shapes = {name: tuple(told[name]) for name in ("shape", "preview_shape")}
    return LayerInfo(**{**told, **shapes, "quantity": Quantity(**told["quantity"])})


def _snapshot(snapshot: Snapshot, *, previews: bool) -> dict[str, Any]:
    return {
        "step": snapshot.step,
        "epoch": snapshot.epoch,
        "time": snapshot.time,
        "phase": snapshot.phase,
        "scalars": {name: _number(value) for name, value in snapshot.scalars.items()},
        "layers": [_layer(layer, preview=previews) for layer in snapshot.layers],
    }


def _layer(layer: LayerSnapshot, *, preview: bool) -> dict[str, Any]:
    numbers = {name: _number(getattr(layer, name)) for name, _ in LAYER_NUMBERS}
    return numbers | {
        "histogram": layer.histogram.tolist(),
        "row_kept": _packed(layer.row_kept, COUNTS),
        "column_kept": _packed(layer.column_kept, COUNTS),
        "preview": _packed(layer.preview, PLANES) if preview and layer.preview is not None else None,
    }


def _read_snapshot(told: Mapping[str, Any], infos: tuple[LayerInfo, ...]) -> Snapshot:
    layers = tuple(_read_layer(layer, info) for layer, info in zip(told["layers"], infos, strict=True))
    scalars = {name: _real(value) for name, value in told["scalars"].items()}
    return Snapshot(**{**told, "phase": Phase(told["phase"]), "scalars": scalars, "layers": layers, "events": ()})


def _read_layer(told: Mapping[str, Any], info: LayerInfo) -> LayerSnapshot:
    preview = told["preview"]
    numbers: dict[str, Any] = {name: _real(told[name]) if kind == "f8" else told[name] for name, kind in LAYER_NUMBERS}
    return LayerSnapshot(
        info=info,
        **numbers,
        histogram=np.array(told["histogram"], dtype=np.int64),
        row_kept=_unpacked(told["row_kept"], COUNTS, (info.rows,)).astype(np.int32),
        column_kept=_unpacked(told["column_kept"], COUNTS, (info.columns,)).astype(np.int32),
        preview=None if preview is None else _unpacked(preview, PLANES, (2, *info.preview_shape)),
    )


def _packed(values: Any, kind: Any) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values, dtype=kind).tobytes(), level=1)).decode()


def _unpacked(text: str, kind: Any, shape: tuple[int, ...]) -> Any:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=kind).reshape(shape)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _real(value: float | None) -> float:
    return math.nan if value is None else float(value)
