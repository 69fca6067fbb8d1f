"""Following a run that another process writes: each look tells what has come since the last.

The run file itself is followed where it lies on a local file system; on another machine's, and where HDF5 cannot open
it, the status file beside it. A look opens what it reads and closes it again: nothing is held between two looks, so
the file can be moved, removed or opened otherwise, and what has become of it is seen.
"""

import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from sparseviz.store.files.lock import Writer, writer_of
from sparseviz.store.files.network_drive import is_remote
from sparseviz.store.files.opening import is_file
from sparseviz.store.files.signature import RunFileError
from sparseviz.store.files.superblock import is_left_open
from sparseviz.store.format import RunInfo
from sparseviz.store.reader import RunReader
from sparseviz.store.status_file import SUFFIX, Status, clean, read_status, status_path
from sparseviz.values.snapshot import Errors, Snapshot
from sparseviz.values.states import RunStatus


@dataclass(frozen=True, slots=True)
class News:
    """What is new of a run, and how it stands."""

    snapshots: tuple[Snapshot, ...]
    status: RunStatus
    writer: Writer | None
    message: str = ""
    errors: Errors = field(default_factory=Errors)
    checkpoint_steps: tuple[int, ...] = ()
    is_all: bool = False  # whether these are all snapshots, not only the new ones


class Source(Protocol):
    """Where a run is read from."""

    path: Path  # of the run file
    info: RunInfo
    input_shape: tuple[int, ...]
    has_checkpoints: bool  # whether the run file itself is read

    def look(self) -> News:
        """What has come since the last look, at first all. Raises RunFileError."""


def source_of(path: Path) -> Source:
    """What to read for a run file, or for the status file that is named. Raises RunFileError where nothing can be."""
    if path.suffix == SUFFIX:
        return StatusSource(path)
    status = status_path(path)
    if is_remote(path) and is_file(status) and (source := StatusSource(status)).standing() is RunStatus.TRAINING:
        return source
    try:
        return FileSource(path)
    except RunFileError:
        if is_file(status) and (source := StatusSource(status)).standing() is RunStatus.TRAINING:
            return source
        raise


class FileSource:
    """The run file. A look without news takes about 3 ms."""

    has_checkpoints = True

    def __init__(self, path: Path) -> None:
        self.path = path
        with RunReader(path) as run:
            self.info, self.input_shape = run.info, run.input_shape
        self._seen, self._size = 0, 0

    def look(self) -> News:
        """What has come since the last look, at first all. Raises RunFileError, also for another run's file."""
        self._check_size()
        with RunReader(self.path, self.info) as run:
            status, writer, count = run.status, run.writer, len(run)  # first: what is read after an end is all there is
            if run.info.created != self.info.created or count < self._seen:
                raise RunFileError(f"{self.path} is another run by now; open it anew")
            if status is RunStatus.TRAINING:
                snapshots = run.snapshots(self._seen) if count > self._seen else ()
                self._seen += len(snapshots)
                return News(snapshots, status, writer, checkpoint_steps=run.checkpoint_steps())
            if status is not RunStatus.INTERRUPTED and not writer:
                clean(self.path)  # that of a writer which was killed at the very end
            # Read anew, as whoever opens the file later does: with the previews that stay.
            return News(run.snapshots(), status, writer, run.message, run.errors, run.checkpoint_steps(), is_all=True)

    def _check_size(self) -> None:
        """WORKAROUND: HDF5 practically never returns from a file that was cut off while it is written."""
        size = self.path.stat().st_size if is_file(self.path) else 0
        if 0 < size < self._size and is_left_open(self.path):
            raise RunFileError(f"{self.path} cannot be read, it may be damaged: it has shrunk while it was written")
        self._size = size


class StatusSource:
    """The status file of a run that is being written; when that has ended, the run file is there to be opened."""

    has_checkpoints = False

    def __init__(self, path: Path) -> None:
        self._status_path = path
        status = read_status(path)
        self.path, self.info, self.input_shape = status.run, status.info, status.input_shape
        self._newest, self._told, self._stamp = -1, 0, (0, 0)
        self._writer = status.writer

    def look(self) -> News:
        """What has come since the last look. Raises RunFileError where neither file is there."""
        if not is_file(self._status_path) and is_file(self.path):
            return News((), RunStatus.ENDED, None)
        stamp = self._now()
        if stamp == self._stamp:
            return News((), self.standing(), self._writer)
        status = read_status(self._status_path, self._newest)
        if status.info.created != self.info.created:
            raise RunFileError(f"{self._status_path} is that of another run by now; open it anew")
        self._writer, self._stamp = status.writer, stamp
        snapshots = self._with_events(status)
        return News(snapshots, self.standing(), self._writer)

    def _now(self) -> tuple[int, int]:
        try:
            stat = self._status_path.stat()
        except OSError as error:
            raise RunFileError(f"{self._status_path} cannot be read: {error.strerror}") from error
        return stat.st_mtime_ns, stat.st_ino

    def _with_events(self, status: Status) -> tuple[Snapshot, ...]:
        """Each event goes to the first snapshot that can tell of it."""
        waiting = list(status.events[self._told :])
        found = []
        for snapshot in status.snapshots:
            told = tuple(event for seen, event in waiting if seen <= snapshot.step)
            del waiting[: len(told)]
            found.append(replace(snapshot, events=told))
            self._told, self._newest = self._told + len(told), snapshot.step
        return tuple(found)

    def standing(self) -> RunStatus:
        """Only on the writer's own machine does a free lock say for sure that the writer is gone."""
        gone = self._writer.host == socket.gethostname() and writer_of(self.path) is None
        return RunStatus.INTERRUPTED if gone else RunStatus.TRAINING
