"""The header of a run for a list of them, read from the head of its file in about a millisecond."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparseviz.store.facts import read_parent
from sparseviz.store.files.lock import writer_of
from sparseviz.store.files.opening import is_file, reading
from sparseviz.store.files.probing import head
from sparseviz.store.files.signature import RunFileError
from sparseviz.store.files.superblock import is_hdf5
from sparseviz.store.format import Parent
from sparseviz.store.migration import root_attributes
from sparseviz.values.states import RunStatus

_WANTED = ("network", "data.name", "method.name", "penalty.lambda1", "penalty.lambda2")


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
    status: RunStatus | None = None  # None where the file cannot be read
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
        if not is_file(path) or not is_hdf5(path):
            return RunHeader(path, problem=f"{path.name} is no HDF5 file")
        found = head(path)
        if found is None:
            return RunHeader(path, problem=f"{path.name} is no run that this version of sparseviz reads")
        with reading(path):
            return _header(path, found)
    except (RunFileError, OSError) as error:
        return RunHeader(path, problem=str(error))


def _header(path: Path, found: dict[str, Any]) -> RunHeader:
    found = root_attributes(found)
    network, data, method, lambda1, lambda2 = _settings(json.loads(found["config"]))
    last, ended = found["last"], found["errors"]
    return RunHeader(
        path=path,
        created=found["created"],
        network=network,
        data=data,
        method=method,
        lambda1=lambda1,
        lambda2=lambda2,
        status=_status(path, found["status"]),
        epoch=last["epoch"] if last else math.nan,
        validation_error=ended["validation"],
        test_error=ended["test"],
        id=found["id"],
        parent=read_parent(found),
        parameters=found["parameters"],
        parameters_kept=int(last["parameters_kept"]) if last else 0,
    )


def _status(path: Path, written: str) -> RunStatus:
    status = RunStatus(written)
    return RunStatus.INTERRUPTED if status is RunStatus.TRAINING and writer_of(path) is None else status


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
