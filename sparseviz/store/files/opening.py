"""Opening a run file, whether it has ended, is being written, or its writer died."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from threading import RLock

import h5py
from h5py import h5f

from sparseviz.config import ConfigError
from sparseviz.store.files.hdf5 import open_file
from sparseviz.store.files.lock import writer_of
from sparseviz.store.files.signature import RunFileError


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within it whatever h5py raises becomes a RunFileError that names the file."""
    try:
        yield
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, ConfigError) as error:
        raise RunFileError(f"{path} cannot be read, it may be damaged: {error}") from error


def is_file(path: Path) -> bool:
    """Whether there is a file; raises RunFileError where one may not look."""
    try:
        return path.is_file()
    except OSError as error:
        raise RunFileError(f"{path} cannot be read: {error.strerror}") from error


def renewed(dataset: h5py.Dataset) -> h5py.Dataset:
    """The dataset as its writer has left it by now, where that is another process; else it is never out of date.

    HDF5 must not refresh what another handle of this process reads at the same time: see `turn`.
    """
    if dataset.file.id.get_intent() & (h5f.ACC_SWMR_READ | h5f.ACC_RDWR) == h5f.ACC_SWMR_READ:
        dataset.refresh()
    return dataset


def turn(path: Path) -> RLock:
    """Held by whoever reads a file that may be renewed: reads in pieces leave h5py's own lock between two pieces."""
    return _turns.setdefault(path.absolute(), RLock())


_turns: dict[Path, RLock] = {}


def open_to_read(path: Path) -> h5py.File:
    """In SWMR mode while a writer lives, else plainly, also where the writer was killed."""
    return open_file(path, is_live=writer_of(path) is not None)
