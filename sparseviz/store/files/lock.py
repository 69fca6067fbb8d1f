"""One file, one writer: a lock beside the run file that the operating system frees when its writer dies."""

import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sparseviz.store.files.signature import RunFileError

TRIES, WAIT_S = 20, 0.01  # a reader that asks who writes holds the lock for a moment

if sys.platform == "win32":
    import msvcrt

    def _seize(descriptor: int, *, shared: bool = False) -> None:  # noqa: ARG001
        """The lock on a byte far behind the text: Windows lets nobody else read a locked byte."""
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _seize(descriptor: int, *, shared: bool = False) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes a run file; times are ISO 8601, UTC."""

    pid: int
    host: str
    start: str
    heartbeat: str  # renewed with every snapshot

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def lock_path(path: Path) -> Path:
    """The lock's file, beside the run file."""
    return path.with_name(f".{path.name}.lock")


class WriterLock:
    """Held from its making to `release`, or to the end of the process.

    Raises RunFileError where another writer lives, OSError where the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = lock_path(path)
        self._descriptor = _acquire(path)
        now = _now()
        self.writer = Writer(os.getpid(), socket.gethostname(), now, now)
        self.beat()

    def beat(self) -> None:
        """Say that the writer lives."""
        self.writer = replace(self.writer, heartbeat=_now())
        text = json.dumps(asdict(self.writer)).encode()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, text)
        os.ftruncate(self._descriptor, len(text))

    def is_of(self, path: Path) -> bool:
        """Whether it is the lock of this path, and its file still there."""
        try:
            return self._path == lock_path(path) and os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Free the lock and remove its file, where that is possible; a second time is no harm."""
        if self._descriptor < 0:
            return
        if sys.platform != "win32":  # which removes no open file, as POSIX must while nobody else can take it
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(self._descriptor), self._path.stat()):  # not that of a later writer
                    self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = -1
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def _acquire(path: Path) -> int:
    """The descriptor of the locked file."""
    for _ in range(TRIES):
        descriptor = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o644)
        with contextlib.suppress(OSError):
            _seize(descriptor)
            if os.path.samestat(os.fstat(descriptor), lock_path(path).stat()):  # not one that was removed meanwhile
                return descriptor
        os.close(descriptor)
        time.sleep(WAIT_S)
    raise RunFileError(f"{path} is being written by {writer_of(path) or 'another process'}; choose another name")


def writer_of(path: Path) -> Writer | None:
    """The writer of this run file, if one lives."""
    try:
        descriptor = os.open(lock_path(path), os.O_RDONLY)
    except OSError:
        return None
    try:
        _seize(descriptor, shared=True)  # many may ask at a time, as the ranks of a job do
    except OSError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def _read(descriptor: int) -> Writer:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return Writer(**json.loads(os.read(descriptor, 4096)))
    except (ValueError, TypeError):  # in the moment between the lock and its text
        return Writer(0, "unknown host", "", "")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
