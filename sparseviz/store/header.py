"""What a list of runs says of each, read from the head of its file in about a millisecond."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from sparseviz.store.facts import read_parent
from sparseviz.store.format import FORMAT, Parent, RunFileError
from sparseviz.store.lock import writer_of
from sparseviz.store.opening import is_file, open_to_read

_WANTED = ("network", "data.name", "method.name", "penalty.lambda1", "penalty.lambda2")
_UNREADABLE = (OSError, LookupError, ValueError, TypeError, RuntimeError)


@dataclass(frozen=True, slots=True)
class RunHeader:
    """One run in a list; errors in percent, NaN where they were not measured."""

    path: Path
    created: str = ""  # ISO 8601, UTC
    network: str = ""
    data: str = ""
    method: str = ""
    lambda1: float = math.nan
    lambda2: float = math.nan
    status: str = ""
    epoch: float = math.nan
    validation_error: float = math.nan
    test_error: float = math.nan
    id: str = ""  # of the run, whichever file it is in; "" before format 4
    parent: Parent | None = None  # the run from which it was branched
    parameters: int = 0
    parameters_kept: int = 0
    problem: str = ""  # why the file cannot be read; then the rest is empty

    @property
    def compression(self) -> float:
        """All parameters over those kept; NaN where nothing was recorded yet."""
        return self.parameters / self.parameters_kept if self.parameters_kept else math.nan


def read_header(path: Path) -> RunHeader:
    """The head of a run's file; what is wrong with it stands in `problem`."""
    try:
        if not is_file(path) or not h5py.is_hdf5(path):
            return RunHeader(path, problem=f"{path.name} is no HDF5 file")
        with open_to_read(path) as file:
            if file.attrs.get("format") != FORMAT:
                return RunHeader(path, problem=f"{path.name} is no run of sparseviz")
            return _read(path, file)
    except RunFileError as error:
        return RunHeader(path, problem=str(error))
    except _UNREADABLE as error:
        return RunHeader(path, problem=f"{path.name} cannot be read, it may be damaged: {error}")


def _read(path: Path, file: h5py.File) -> RunHeader:
    network, data, method, lambda1, lambda2 = _settings(json.loads(file.attrs["config"]))
    whole = int(file["snapshots/count"][0])
    last = file["snapshots/scalars"][whole - 1] if whole else None
    ended = file["errors"][0]
    return RunHeader(
        path=path,
        created=str(file.attrs["created"]),
        network=network,
        data=data,
        method=method,
        lambda1=lambda1,
        lambda2=lambda2,
        status=_status(path, bytes(file["status"][0]).decode()),
        epoch=float(last["epoch"]) if last is not None else math.nan,
        validation_error=float(ended["validation"]),
        test_error=float(ended["test"]),
        id=str(file.attrs.get("id", "")),
        parent=read_parent(file.attrs),
        parameters=int(file.attrs["parameters"]),
        parameters_kept=int(last["parameters_kept"]) if last is not None else 0,
    )


def _status(path: Path, written: str) -> str:
    """What is written, but "interrupted" where that is "training" and no writer lives."""
    return "interrupted" if written == "training" and writer_of(path) is None else written


def _settings(config: dict[str, Any]) -> Iterator[Any]:
    for name in _WANTED:
        value: Any = config
        for part in name.split("."):
            value = value[part]
        yield value


def read_headers(folder: Path) -> list[RunHeader]:
    """All runs of a folder, the newest first; a folder that is not there has none."""
    found = [read_header(path) for path in sorted(folder.glob("*.h5"))] if folder.is_dir() else []
    return sorted(found, key=lambda header: header.created, reverse=True)
