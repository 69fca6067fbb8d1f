"""Moving to another file: a clean copy of what was written, and an end for the handle that was used until then."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import h5py

from sparseviz.config.whole_file import scratch
from sparseviz.store.files.hdf5 import LIBVER, open_file
from sparseviz.store.files.place import Place

FLUSHES = 3  # at most, before a file that cannot be written is closed


def clean_copy(place: Place, path: Path) -> None:
    """A new file at `path`, closed, with all that is whole in the file at `place`; needs room for it twice."""
    with scratch(path) as raw:
        place.copy_to(raw)
        with open_file(raw, is_live=False) as source, h5py.File(path, "x", libver=LIBVER) as copy:
            for name, value in source.attrs.items():
                copy.attrs[name] = value
            for name in source:
                source.copy(name, copy)


def put_aside(file: h5py.File) -> None:
    """Close a file without writing to it, which may fail; what lies on the disk stays as it is. Again is no harm.

    WORKAROUND: HDF5 ends the process where the last writes of a file fail, at the latest when Python ends. So they go
    to where they succeed. On Windows the descriptor is not the only way to the file.
    """
    if file and sys.platform != "win32":
        nowhere = _nowhere()
        os.dup2(nowhere, file.id.get_vfd_handle(), inheritable=False)
        os.close(nowhere)
        if not any(_is_flushed(file) for _ in range(FLUSHES)):
            h5py.h5i.inc_ref(file.id)  # not to be closed as long as the process lives
            return
    with contextlib.suppress(OSError, RuntimeError):
        file.close()


def _is_flushed(file: h5py.File) -> bool:
    """Whether HDF5 is rid of what it had to write; after a failure it complains once more, of its own state."""
    try:
        file.flush()
    except (OSError, RuntimeError):
        return False
    return True


def _nowhere() -> int:
    """The descriptor of a file without a name, in memory where the system has that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sparseviz")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
