"""Preallocation: room on the disk before HDF5 needs it, and whether a run file is still where it was.

HDF5 cannot be trusted after a write that failed: it may lose a chunk without a word, and end the process when it
closes. So what may fail is tried first, past the end of the file, without HDF5.
"""

import os
import re
import shutil
import struct
from pathlib import Path

from sparseviz.store.files.signature import RunFileError

SLACK = 1 << 18  # bytes for what HDF5 writes besides: indexes, headers
_PIECE = 1 << 20  # bytes of zeros at a time
_END_AT = 28  # where the superblock, versions 2 and 3, has the end of the file


class WriteError(RunFileError):
    """A run that trains cannot be written; `path` names the file, `reason` says why in words."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be written: {reason}")
        self.path, self.reason = path, reason


class Place:
    """A file that another holds open to write, by a descriptor of our own. Every error is an OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _open(path)
        self._file = os.fstat(self._descriptor)

    def is_there(self) -> bool:
        """Whether the path still leads to the file: on POSIX it may have been moved or removed while it is open."""
        try:
            return os.path.samestat(self._file, self._path.stat())
        except OSError:
            return False

    def renew(self) -> None:
        """Open the file anew, where it is there: the descriptor of a network place that was away is dead."""
        os.close(self._descriptor)
        self._descriptor = -1
        self._descriptor = _open(self._path)

    def take_room(self, end: int) -> None:
        """Let the file reach to `end` and a bit further; what is taken stays until `trim`."""
        if not self.is_there():
            gone = "the file" if self._path.parent.is_dir() else f"the folder {self._path.parent}"
            raise FileNotFoundError(f"{gone} is gone")
        now = os.fstat(self._descriptor).st_size
        if now < end + SLACK:
            _extend(self._descriptor, now, end + SLACK - now)

    def copy_to(self, path: Path) -> None:
        """Copy the file's bytes, wherever it is now, into a new one."""
        opened = self._path.open("rb") if self.is_there() else os.fdopen(os.dup(self._descriptor), "rb")
        with opened as source, path.open("xb") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy)

    def trim(self) -> None:
        """Give back the room behind the end that HDF5 has written at its closing."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(_END_AT)
            (end,) = struct.unpack("<Q", file.read(8))
        if 0 < end < os.fstat(self._descriptor).st_size:
            os.ftruncate(self._descriptor, end)

    def close(self) -> None:
        """Look no more; a second time is no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))


def _extend(descriptor: int, begin: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, begin, size)
        return
    os.lseek(descriptor, begin, os.SEEK_SET)
    while size > 0:
        size -= os.write(descriptor, bytes(min(size, _PIECE)))


def reason_of(error: BaseException) -> str:
    """What an error of the system or of HDF5 says, in words: HDF5 hides the system's number in a long text."""
    number = error.errno if isinstance(error, OSError) else None
    if found := re.search(r"errno = (\d+)", str(error)):
        number = int(found[1])
    return os.strerror(number) if number else str(error)
