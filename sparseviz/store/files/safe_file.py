"""SafeFile: a run file that is written, in which a write that fails loses nothing and can be done again."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py

from sparseviz.config.whole_file import rename_to_new, scratch
from sparseviz.store.files.hdf5 import LIBVER
from sparseviz.store.files.lock import Writer, WriterLock, writer_of
from sparseviz.store.files.moving import clean_copy, put_aside
from sparseviz.store.files.place import Place, WriteError, reason_of
from sparseviz.store.files.signature import RunFileError


class SafeFile:
    """One writer's file, in SWMR mode, with its lock. `fill` makes its objects, before anybody sees it.

    Raises RunFileError where the file exists or its folder cannot be written.
    """

    def __init__(self, path: Path, fill: Callable[[h5py.File], None]) -> None:
        self._lock: WriterLock | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                raise FileExistsError(path)
            with scratch(path) as temporary:
                with h5py.File(temporary, "x", libver=LIBVER) as made:
                    fill(made)
                self._publish(temporary, path, rename_to_new)
        except FileExistsError as error:
            if path.parent.is_dir():
                raise RunFileError(f"{path} {_taken(path)}; choose another name") from None
            raise RunFileError(
                f"{path} cannot be written: {path.parent} is no folder; choose another folder"
            ) from error
        except OSError as error:
            raise RunFileError(f"{path} cannot be written: {reason_of(error)}; choose another folder") from error

    def _publish(self, temporary: Path, path: Path, rename: Callable[[Path, Path], None]) -> None:
        """Give the file its name and open it; nobody sees it without its writer's lock."""
        with self._lock_of(path) as lock:
            rename(temporary, path)
            # HDF5's own lock would refuse us where a reader opens the file at this very moment
            # a flush walks through all chunks in caches, of which none is written or read again
            file = h5py.File(path, "r+", libver=LIBVER, locking=False, rdcc_nbytes=0)
            place = Place(path)
            file.swmr_mode = True
        self.path, self._file, self._lock, self._place = path, file, lock, place
        self._held: list[h5py.Dataset] = []  # open until all is flushed: HDF5 must not fail while it closes one
        self._small: dict[str, h5py.Dataset] = {}
        self._fault = ""  # why the handle was put aside

    @contextlib.contextmanager
    def _lock_of(self, path: Path) -> Iterator[WriterLock]:
        """Our own lock where it is the path's, else a new one, which goes where the block fails."""
        if self._lock and self._lock.is_of(path):
            yield self._lock
            return
        lock = WriterLock(path)
        try:
            yield lock
        except BaseException:
            lock.release()
            raise

    def __getitem__(self, name: str) -> h5py.Dataset:
        """A dataset; within `writing` alone."""
        self._held.append(self._file[name])
        return self._held[-1]

    def small(self, name: str) -> h5py.Dataset:
        """A dataset of small rows, kept open: looking it up costs as much as writing a row into it."""
        if name not in self._small:
            self._small[name] = self._file[name]
        return self._small[name]

    def is_new(self, name: str) -> bool:
        """Whether a dataset has no room on the disk yet."""
        return bool(self._file[name].id.get_storage_size() == 0)

    def flush(self) -> None:
        """Let readers see what was written."""
        self._file.flush()

    @contextlib.contextmanager
    def writing(self, size: int = 0) -> Iterator[None]:
        """Within it so many bytes may be added. Every failure is a WriteError, and what was whole before stays so."""
        try:
            if self._fault:
                raise OSError(self._fault)
            self._place.take_room(self._file.id.get_filesize() + size)
        except OSError as error:
            raise WriteError(self.path, reason_of(error)) from error
        try:
            yield
        except (OSError, RuntimeError, KeyError) as error:  # what HDF5 cannot read it calls a missing key
            self._put_aside(reason_of(error))
            raise WriteError(self.path, self._fault) from error
        self._held.clear()

    def beat(self) -> Writer:
        """Say that the writer lives, and give what is said; a sign that is late harms nobody."""
        assert self._lock is not None  # noqa: S101  # held since the file has its name
        with contextlib.suppress(OSError):
            self._lock.beat()
        return self._lock.writer

    def go_on(self, path: Path) -> None:
        """After a WriteError: in this file where it is sound and `path` is its own, else in a clean copy at `path`.

        What failed is to be written again. Raises WriteError where that is not possible either.
        """
        is_own = path == self.path and self._place.is_there()
        try:
            if is_own and not self._fault:
                self._place.renew()
                return
            if path.exists() and not is_own:
                raise FileExistsError(f"it {_taken(path)}")
            self._move(path, os.replace if is_own else rename_to_new)
        except (OSError, RuntimeError, RunFileError) as error:
            raise WriteError(path, reason_of(error)) from error

    def _move(self, path: Path, rename: Callable[[Path, Path], None]) -> None:
        file, lock, place = self._file, self._lock, self._place
        small = self._small  # open until the old file is put aside
        with scratch(path) as temporary:
            clean_copy(place, temporary)
            self._publish(temporary, path, rename)
        put_aside(file)
        small.clear()
        place.close()
        if lock and lock is not self._lock:
            lock.release()

    def close(self) -> None:
        """Close the file; it stays ours until `release`."""
        with self.writing():
            self._file.close()
        with contextlib.suppress(OSError):
            self._place.trim()

    def abandon(self) -> None:
        """Let go of a file that cannot be written; what is whole stays readable. After `close` it does nothing."""
        self._put_aside("it was given up")
        self.release()

    def _put_aside(self, reason: str) -> None:
        self._fault = reason
        put_aside(self._file)
        self._held.clear()
        self._small.clear()

    def release(self) -> None:
        """Free the lock; a second time is no harm."""
        self._place.close()
        if self._lock:
            self._lock.release()


def _taken(path: Path) -> str:
    writer = writer_of(path)
    return f"{f'is being written by {writer}' if writer else 'exists already'} and is not overwritten"
