"""Atomic writes: a file is written whole beside its place, and only then gets its name."""

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path, *, is_new: bool = False) -> Iterator[Path]:
    """An atomic write: a free name beside `path` for a file or a folder, which becomes `path` when the block has ended.

    A file that is there is replaced, or refused by FileExistsError where `is_new`. Whoever opens `path` finds all of
    it or what was there before, also after a power cut. Raises OSError.
    """
    with scratch(path) as temporary:
        yield temporary
        _to_disk(temporary)
        (rename_to_new if is_new else os.replace)(temporary, path)
        _keep_name(path.parent)


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """A free hidden name beside `path`, also of other threads; nothing of that name is left, whatever happens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}.tmp")
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with contextlib.suppress(OSError):
            temporary.unlink()


def rename_to_new(temporary: Path, path: Path) -> None:
    """Give a finished file its name. Raises FileExistsError where that is taken: plain rename overwrites on POSIX."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a folder, or a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        temporary.rename(path)
    else:
        temporary.unlink()


def _to_disk(path: Path) -> None:
    """Before the rename, which a file system may do earlier than the writing: the name would lead to zeros."""
    inside = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
    for file in inside if path.is_dir() else (path,):
        with file.open("r+b") as opened:
            os.fsync(opened)


def _keep_name(folder: Path) -> None:
    """The rename itself; the file is there, so a file system that cannot do this is no failure."""
    if sys.platform == "win32":  # has no such thing
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
