"""Crash isolation: the trial of run files, in a process of its own: `python -m sparseviz.store.files.probe`.

A damaged or foreign file may make HDF5 wait for ever, take gigabytes or break off the whole process. It does so here,
under limits of time and memory, and not in the program. What has been walked through here can be read there: each
chunk has a checksum, lies in the file, and belongs to a dataset of bounded size.

One question a line on the standard input, as JSON; first an empty line is answered, then the answer, as JSON. No
answer means that the file brought this process down. It ends with its input, or when nothing was asked for a while.
"""

import contextlib
import faulthandler
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from h5py import h5d, h5s

from sparseviz.store.files.hdf5 import attributes, open_file

SECONDS, BYTES_A_SECOND = 5.0, 50e6  # the time that a file may take: so long, and more if it is large
MEMORY = 1 << 30  # of address space; what this process needs for itself is a quarter of it
IDLE_SECONDS = 20.0
SHARE, LEAST = 64, 1 << 26  # a dataset has at most so many times the bytes of its file, or so many
_Answer = TypeVar("_Answer")
HEAD = ("created", "config", "parameters", "id", "parent")  # the last two from format 4 on


def serve() -> None:
    """Answer until there are no more questions."""
    _limit_memory()
    answers = sys.stdout
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        while question := _within(IDLE_SECONDS, nowhere, sys.stdin.readline):
            asked = json.loads(question)
            print(file=answers, flush=True)
            path = Path(asked["path"])
            answer = _within(_seconds(path), nowhere, lambda: _answer(asked, path))  # noqa: B023  # called at once
            print(json.dumps(answer), file=answers, flush=True)


def _within(seconds: float, nowhere: Any, do: Callable[[], _Answer]) -> _Answer:
    """Do it, or end this process: the watch does not need Python to be running."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
    try:
        return do()
    finally:
        faulthandler.cancel_dump_traceback_later()


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limits
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _seconds(path: Path) -> float:
    with contextlib.suppress(OSError):
        return SECONDS + path.stat().st_size / BYTES_A_SECOND
    return SECONDS


def _answer(asked: dict[str, Any], path: Path) -> dict[str, Any]:
    look = {"whole": _walk, "head": _head}[asked["look"]]
    try:
        with open_file(path, is_live=asked["is_live"]) as file:
            end = None if asked["is_live"] else path.stat().st_size
            return {"found": look(file, end) if _is_known(file, asked) else None}
    except Exception as error:  # noqa: BLE001  # whatever it is: the file is to blame
        return {"problem": str(error) or type(error).__name__}


def _is_known(file: h5py.File, asked: dict[str, Any]) -> bool:
    """Whether it is a run of a format that this program reads: of others only this much is looked at."""
    kind, version = (file.attrs.get(name) for name in ("format", "format_version"))
    return bool(kind == asked["format"] and version <= asked["newest"])


def _walk(file: h5py.File, end: int | None) -> bool:
    """Look at every object, and at where its chunks lie. Raises ValueError, or what h5py raises."""
    size = end or Path(file.filename).stat().st_size
    attributes(file)

    def look(_name: str, item: Any) -> None:
        attributes(item)
        if isinstance(item, h5py.Dataset):
            _check(item, max(SHARE * size, LEAST), end)

    file.visititems(look)
    return True


def _check(dataset: h5py.Dataset, largest: int, end: int | None) -> None:
    if dataset.dtype.hasobject or dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} is of a kind that no run has")
    chunk = dataset.dtype.itemsize
    for side in dataset.chunks or ():
        chunk *= side
    if max(chunk, dataset.nbytes) > largest:
        raise ValueError(f"{dataset.name} claims {max(chunk, dataset.nbytes):,} bytes")
    if dataset.chunks:
        dataset.id.chunk_iter(lambda info: _check_place(dataset, info, end))


def _check_place(dataset: h5py.Dataset, info: Any, end: int | None) -> None:
    if end is not None and info.byte_offset + info.size > end:
        raise ValueError(f"{dataset.name} lies behind the end of the file")


def _head(file: h5py.File, _end: int | None) -> dict[str, Any]:
    """What a list of runs says of one."""
    known, whole = attributes(file), int(_row(file, "snapshots/count", 0))
    last = _record(_row(file, "snapshots/scalars", whole - 1)) if whole else None
    status = bytes(_row(file, "status", 0)).decode()
    ended = {"last": last, "errors": _record(_row(file, "errors", 0)), "status": status}
    return {name: _plain(known[name]) for name in HEAD if name in known} | ended


def _row(file: h5py.File, name: str, number: int) -> Any:
    """A row, without the types that h5py makes anew at every reading: five times as fast."""
    dataset = h5d.open(file.id, name.encode())
    found, place = np.empty(1, dataset.dtype), dataset.get_space()
    place.select_hyperslab((number,), (1,))
    dataset.read(h5s.create_simple((1,)), place, found, dataset.get_type())
    return found[0]


def _record(row: Any) -> dict[str, Any]:
    return {name: row[name].item() for name in row.dtype.names}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    serve()
