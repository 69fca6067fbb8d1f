"""Opening a run file, whether it has ended, is being written, or its writer died."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py

from sparseviz.config import ConfigError
from sparseviz.h5.files import open_file
from sparseviz.store.format import RunFileError
from sparseviz.store.lock import writer_of


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


def open_to_read(path: Path) -> h5py.File:
    """In SWMR mode while a writer lives, else plainly, also where the writer was killed."""
    return open_file(path, is_live=writer_of(path) is not None)
