"""Files are tried in a child process before this one reads them (see sparseviz/store/files/probe.py for why, and how).

A file is tried once, and again when it has changed; one that is being written, once for each writer, and never the
writer's own. The child takes a fifth of a second to start and stays for a while; a trial takes it some 20 ms.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from sparseviz.config.paths import PACKAGE
from sparseviz.store.files.lock import Writer, writer_of
from sparseviz.store.files.opening import reading
from sparseviz.store.files.signature import FORMAT, FORMAT_VERSION, RunFileError
from sparseviz.store.files.superblock import is_hdf5

_DAMAGED = "cannot be read, it may be damaged"


def check(path: Path) -> None:
    """Raises RunFileError where it is no HDF5 file, could do harm, or is damaged where every reader looks."""
    with reading(path):
        is_one = is_hdf5(path)
    if not is_one:
        raise RunFileError(f"{path} is no HDF5 file, so it is no run of sparseviz")
    writer = writer_of(path)
    if writer and writer.pid == os.getpid():
        return
    with reading(path):
        state = _state(path, writer)
    if _sound.get(path.absolute()) != state:
        _ask("whole", path, writer)
        _sound[path.absolute()] = state


def head(path: Path) -> dict[str, Any] | None:
    """What stands at the head of a file, as h5.probe has it; None where it is no run. Raises RunFileError."""
    found: dict[str, Any] | None = _ask("head", path, writer_of(path))
    return found


def _state(path: Path, writer: Writer | None) -> tuple[Any, ...]:
    now = path.stat()
    changing = (writer.host, writer.pid, writer.start) if writer else (now.st_size, now.st_mtime_ns)
    return now.st_dev, now.st_ino, *changing


def _ask(look: str, path: Path, writer: Writer | None) -> Any:
    known = {"format": FORMAT, "newest": FORMAT_VERSION}
    answer = _child.ask({"look": look, "path": str(path.absolute()), "is_live": writer is not None} | known)
    if answer is None:
        raise RunFileError(f"{path} {_DAMAGED}: a process that tried to read it broke down or took too long")
    if problem := answer.get("problem"):
        raise RunFileError(f"{path} {_DAMAGED}: {problem}")
    return answer["found"]


class _Child:
    """The process that tries files: one at a time, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()
        atexit.register(self.close)

    def ask(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """Its answer, or None where the question brought it down. Raises RunFileError where none can be started."""
        with self._lock:
            if not self._is_taken(question):  # it has ended since, as it does when it is not needed
                self.close()
                self._process = _start(question["path"])
                if not self._is_taken(question):
                    self.close()
                    raise RunFileError(f"{question['path']} cannot be read: the process that should try it broke down")
            answer = self._line()
            if not answer:
                self.close()
            return json.loads(answer) if answer else None

    def _is_taken(self, question: dict[str, Any]) -> bool:
        """Whether the child has read the question."""
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return bool(self._line())

    def _line(self) -> str:
        return self._process.stdout.readline() if self._process and self._process.stdout else ""

    def close(self) -> None:
        """End the child; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.__exit__(None, None, None)


def _start(path: str) -> "subprocess.Popen[str]":
    # A frozen program is its own interpreter and knows no -m: packaging/launch.py, where it starts, goes there.
    command = ["--probe-run"] if getattr(sys, "frozen", False) else ["-P", "-m", "sparseviz.store.files.probe"]
    places = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]  # this package, wherever one stands
    # each thread of numpy's would take address space
    surroundings = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, places))}
    try:
        return subprocess.Popen(  # noqa: S603  # this very program, a constant text
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | surroundings,
            start_new_session=True,  # Ctrl+C is not meant for it
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise RunFileError(f"{path} cannot be read: no process could be started to try it: {error}") from error


_sound: dict[Path, tuple[Any, ...]] = {}
_child = _Child()
