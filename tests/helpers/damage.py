"""Damaging run files, and reading all of them in a process of its own: `python -m tests.helpers.damage FILE ...`."""

import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.random import Generator

from sparseviz.store import RunFileError, RunReader, resume_point
from sparseviz.store.files.hdf5 import open_file
from sparseviz.store.header import RunHeader, read_header
from sparseviz.values.cells import Part, Pyramids

BLOCKS = (512, 4096, 65536)


def cut(content: bytearray, rng: Generator, _places: list[range]) -> None:
    """A download, a copy or a disk that ended too early."""
    del content[rng.integers(0, len(content)) :]


def overwrite(content: bytearray, rng: Generator, places: list[range]) -> None:
    """A few bytes are others."""
    for _ in range(rng.integers(1, 9)):
        content[_place(rng, places)] = rng.integers(0, 256)


def scramble(content: bytearray, rng: Generator, places: list[range]) -> None:
    """A stretch of noise."""
    start, length = _place(rng, places), int(rng.integers(2, 5000))
    stretch = rng.bytes(length)[: len(content) - start]
    content[start : start + len(stretch)] = stretch


def wipe(content: bytearray, rng: Generator, places: list[range]) -> None:
    """A block of the disk that was never written."""
    size = int(rng.choice(BLOCKS))
    start = _place(rng, places) // size * size
    end = min(start + size, len(content))
    content[start:end] = bytes(end - start)


DAMAGES = (cut, overwrite, scramble, wipe)


def _place(rng: Generator, places: list[range]) -> int:
    """Somewhere in one of these places."""
    lengths = np.array([len(place) for place in places])
    place = places[rng.choice(len(places), p=lengths / lengths.sum())]
    return int(place[rng.integers(0, len(place))])


def metadata(path: Path) -> list[range]:
    """What of a sound file is no chunk: headers, links, attributes, the indexes of chunks, and gaps."""
    taken: list[tuple[int, int]] = []

    def look(_name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.chunks:
            item.id.chunk_iter(lambda info: taken.append((info.byte_offset, info.byte_offset + info.size)))

    with open_file(path, is_live=False) as file:
        file.visititems(look)
    ends = [0, *(end for _, end in sorted(taken))]
    starts = [*(start for start, _ in sorted(taken)), path.stat().st_size]
    return [range(end, start) for end, start in zip(ends, starts, strict=True) if start > end]


def everything(path: Path) -> dict[str, str]:
    """All that the program reads of a file: each part as a digest, or the error that it raised."""
    found = {"head": _told(path, lambda: _head(path)), "resume": _told(path, lambda: resume_point(path))}
    try:
        run = RunReader(path)
    except RunFileError as error:
        return found | {"opened": _error(path, error)}
    with run:
        return found | {"opened": "well"} | {name: _told(path, read) for name, read in _parts(run).items()}


def _head(path: Path) -> RunHeader:
    header = read_header(path)
    if header.problem:
        raise RunFileError(header.problem)
    return header


def _parts(run: RunReader) -> dict[str, Callable[[], Any]]:
    names = ("info", "status", "message", "errors", "input_shape")
    whole = Part("fc1", slice(0, 12), slice(0, 784))
    checkpoints = {f"checkpoint at {step}": partial(run.checkpoint, step) for step in (0, 5, 10**9)}
    return (
        {name: partial(getattr, run, name) for name in names}
        | checkpoints
        | {
            "length": run.__len__,
            "snapshots": run.snapshots,
            "steps": run.checkpoint_steps,
            "inputs": run.test_inputs,
            "cells": lambda: run.cells(whole, 10**9, Pyramids()),
        }
    )


def _told(path: Path, read: Callable[[], Any]) -> str:
    try:
        return hashlib.sha256("\n".join(_flat(read())).encode()).hexdigest()
    except RunFileError as error:
        return _error(path, error)


def _error(path: Path, error: RunFileError) -> str:
    assert path.name in str(error)
    return f"error: {error}"


def _flat(value: Any) -> Iterator[str]:
    """Everything in it but the file's own name."""
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _flat(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for name in sorted(value):
            yield str(name)
            yield from _flat(value[name])
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _flat(one)
    elif not isinstance(value, Path):
        yield repr(value)


def main() -> None:
    """Say of every file, on a line, what was read, in how many seconds, and the most memory used so far, in bytes."""
    for name in sys.argv[1:]:
        began = time.perf_counter()
        found = everything(Path(name))
        seconds = time.perf_counter() - began
        print(json.dumps({"name": name, "seconds": seconds, "memory": _memory(), "found": found}), flush=True)


def _memory() -> int:
    """The most that this process has held; nothing where only Linux would tell."""
    status = Path("/proc/self/status")
    text = status.read_text(encoding="utf-8") if status.exists() else "VmHWM: 0 kB"
    return int(text.split("VmHWM:")[1].split()[0]) << 10


if __name__ == "__main__":
    main()
