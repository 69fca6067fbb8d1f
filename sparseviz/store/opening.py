"""Opening a run file, whether it has ended, is being written, or its writer died."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import h5py

from sparseviz.config import ConfigError
from sparseviz.store.format import LIBVER, RunFileError


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
    """In SWMR mode, the only one for a file whose writer lives or was killed; else plainly.

    WORKAROUND: where metadata is damaged or cut off, HDF5 in SWMR mode reads it again after pauses that double,
    a hundred times: in effect it never returns.
    """
    if not is_marked(path):
        file = h5py.File(path, "r", libver=LIBVER, locking=False)
        if "status" not in file or bytes(file["status"][0]) != b"training":
            return file
        file.close()  # its writer is about to begin
    return h5py.File(path, "r", libver=LIBVER, swmr=True)


def is_marked(path: Path) -> bool:
    """Whether a writer has the file open, or died with it open; raises OSError where it cannot be read."""
    with path.open("rb") as raw:
        return any(raw.read(12)[11:])  # the superblock's consistency flags
