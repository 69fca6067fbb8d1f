"""Opening a run's HDF5 file, and reading attributes that are what they were when they were written.

HDF5 keeps checksums of object headers, of links and of the index of chunks, and `fletcher32` one of every chunk. It
keeps none of texts of any length, which attributes are: they lie in a heap of their own. So an object has a checksum
of all its attributes among them.
"""

import contextlib
import time
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sparseviz.store.files.superblock import AsClosed, is_left_open

# WORKAROUND: files of libver "latest" from HDF5 2.0 cannot be read by HDF5 1.14.
LIBVER = ("v110", "v110")
LOOKS, LOOK_SECONDS = 10, 0.02
_CHECKSUM = "checksum"


def open_file(path: Path, *, is_live: bool) -> h5py.File:
    """Open to read: in SWMR mode while a writer lives, else as a file that was closed."""
    if is_live:
        return _open_live(path)
    if is_left_open(path):
        return h5py.File(AsClosed(path), "r", libver=LIBVER)
    return h5py.File(path, "r", libver=LIBVER, locking=False)


def _open_live(path: Path) -> h5py.File:
    """A writer that has just named its file is about to open it in SWMR mode; in between HDF5 refuses readers."""
    for _ in range(LOOKS):
        with contextlib.suppress(OSError):
            return h5py.File(path, "r", libver=LIBVER, swmr=True, locking=False)
        time.sleep(LOOK_SECONDS)
    return h5py.File(path, "r", libver=LIBVER, swmr=True, locking=False)


def seal(holder: h5py.Group) -> None:
    """Give an object the checksum of its attributes, which must not change any more."""
    found = dict(holder.attrs)
    found.pop(_CHECKSUM, None)
    holder.attrs[_CHECKSUM] = np.uint32(_checksum(found))


def attributes(holder: h5py.Group) -> dict[str, Any]:
    """All attributes of an object. Raises ValueError where they are not what was sealed."""
    found = dict(holder.attrs)
    if _CHECKSUM in found and found.pop(_CHECKSUM) != _checksum(found):  # files of formats 1 to 3 may have none
        raise ValueError(f"the attributes of {holder.name} do not match their checksum")
    return found


def _checksum(values: dict[str, Any]) -> int:
    parts = (name.encode() + b"\0" + _bytes(values[name]) + b"\0" for name in sorted(values))
    return zlib.crc32(b"".join(parts))


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else np.asarray(value).tobytes()
