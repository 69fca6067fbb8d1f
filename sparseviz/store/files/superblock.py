"""The superblock of an HDF5 file: is there one, and was the file left open by a writer that died?

HDF5 opens such a file in SWMR mode alone, in which damaged metadata is read again after pauses that double, a hundred
times: in effect for ever. As one that was closed it is read plainly, and damage is told at once.
"""

import os
import struct
from pathlib import Path
from typing import Any

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SIZE = 48  # of version 3: the last four bytes are the checksum of the rest
_FLAGS, _END, _SUM = slice(11, 12), slice(28, 36), slice(44, 48)
_WORD = 0xFFFFFFFF


def is_hdf5(path: Path) -> bool:
    """Whether a signature stands at the beginning, or after a block of 512 bytes, 1024, 2048, ..."""
    with path.open("rb") as file:
        size, place = file.seek(0, os.SEEK_END), 0
        while place < size:
            file.seek(place)
            if file.read(len(SIGNATURE)) == SIGNATURE:
                return True
            place = 2 * place or 512
    return False


def is_left_open(path: Path) -> bool:
    """Whether a writer has it open, or had when it died; only the newest kind of superblock tells."""
    head = _read(path)
    return len(head) == SIZE and head.startswith(SIGNATURE + b"\3") and head[_FLAGS] != b"\0"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SIZE)


class AsClosed:
    """A file for h5py to read, as if its last writer had closed it; a read beyond its end is an error."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)  # h5py holds it, and lets it go
        self._size = self.seek(0, os.SEEK_END)
        self._head = closed(_read(path), self._size)

    def __del__(self) -> None:
        self._file.close()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As any file's."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As any file's."""
        return self._file.tell()

    def flush(self) -> None:
        """Nothing is ever written."""

    def read(self, size: int) -> bytes:
        """So many bytes."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def readinto(self, buffer: Any) -> int:
        """Fill all of it. Raises EOFError where the file ends before."""
        place, done, view = self.tell(), 0, memoryview(buffer).cast("B")
        while done < len(view):
            if not (now := self._file.readinto(view[done:])):
                raise EOFError(f"it ends at byte {self._size}, and more was written")
            done += now
        if place < SIZE:
            head = self._head[place : place + len(view)]
            view[: len(head)] = head
        return done


def closed(head: bytes, size: int) -> bytes:
    """This superblock as its writer would have left it; one that is damaged stays so."""
    if checksum(head[: _SUM.start]) != int.from_bytes(head[_SUM], "little"):
        return head
    made = bytearray(head)
    made[_FLAGS], made[_END] = b"\0", struct.pack("<Q", size)
    made[_SUM] = struct.pack("<I", checksum(bytes(made[: _SUM.start])))
    return bytes(made)


def checksum(data: bytes) -> int:
    """HDF5's own for metadata: Bob Jenkins' lookup3 (burtleburtle.net/bob/c/lookup3.c), here of whole words alone."""
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    words: tuple[int, ...] = struct.unpack(f"<{len(data) // 4}I", data)
    rest = (len(words) - 1) // 3 * 3  # the last one to three are mixed in another way
    for place in range(0, rest, 3):
        a, b, c = ((one + word) & _WORD for one, word in zip((a, b, c), words[place : place + 3], strict=True))
        for turn in (4, 6, 8, 16, 19, 4):
            a, b, c = b, (c + b) & _WORD, ((a - c) & _WORD) ^ _turned(c, turn)
    a, b, c = ((one + word) & _WORD for one, word in zip((a, b, c), (*words[rest:], 0, 0), strict=False))
    for turn in (14, 11, 25, 16, 4, 14, 24):
        a, b, c = b, ((c ^ b) - _turned(b, turn)) & _WORD, a
    return b


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _WORD
