"""Python processes that need not wait for torch: on Linux they are forked from one that has loaded it and used nothing.

They are as those of `subprocess.Popen`: a process id, streams, a folder, an environment and an end of their own.
"""

import atexit
import contextlib
import ctypes
import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from tests.helpers.places import ROOT

_FORKED = sys.platform == "linux"
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKED else "spawn")
_LOADED = [  # what a training loads while it runs too; nothing that starts a thread, as onnxruntime does
    *("sklearn.datasets", "torch._dynamo", "onnxscript", "onnx_ir.passes.common"),
    *("sparseviz.cli.about", "sparseviz.cli.record", "sparseviz.cli.table", "sparseviz.runs.recording"),
    *("sparseviz.training.measure.kernels", "tests.helpers.runs"),
]
if _FORKED:
    _CONTEXT.set_forkserver_preload(_LOADED)


class Python:
    """What `python -c CODE ...` or `python -m MODULE ...` would be; standard input is empty unless it is given."""

    def __init__(self, *arguments: object, cwd: Path, env: Mapping[str, str], stdin: int, stderr: int) -> None:
        (reading, written), (reading_errors, errors) = _CONTEXT.Pipe(duplex=False), _CONTEXT.Pipe(duplex=False)
        given = Connection(os.open(os.devnull, os.O_RDWR) if stdin == subprocess.DEVNULL else os.dup(stdin))
        written_errors = Connection(os.dup((written if stderr == subprocess.STDOUT else errors).fileno()))
        streams = given, written, written_errors
        self.args = list(map(str, arguments))
        self._process = _CONTEXT.Process(target=_run, args=(self.args, str(cwd), dict(env), streams))
        self._process.start()
        for end in (*streams, errors):
            end.close()
        self.stdout, self.stderr = _text(reading), _text(reading_errors)

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        code: int | None = self._process.exitcode
        return code

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        with ThreadPoolExecutor() as readers:
            said = [readers.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return said[0].result(), said[1].result()

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


@contextlib.contextmanager
def python(
    *arguments: object,
    cwd: Path = ROOT,
    env: Mapping[str, str] = os.environ,
    stdin: int = subprocess.DEVNULL,
    stderr: int = subprocess.PIPE,
) -> Iterator[Python]:
    """Python in a process of its own, which is killed in the end at the latest."""
    child = Python(*arguments, cwd=cwd, env=env, stdin=stdin, stderr=stderr)
    with child.stdout, child.stderr:
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def completed(
    *arguments: object, cwd: Path = ROOT, env: Mapping[str, str] = os.environ, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, which has come to its end."""
    with python(*arguments, cwd=cwd, env=env) as child:
        said = child.communicate(timeout)
        return subprocess.CompletedProcess(child.args, child.wait(), *said)


def _text(end: Connection) -> TextIO:
    with end:
        return os.fdopen(os.dup(end.fileno()), encoding="utf-8")


def _run(arguments: list[str], folder: str, environment: dict[str, str], streams: tuple[Connection, ...]) -> None:
    """In the new process: be what was asked for, and end by all exit handlers, which `multiprocessing` leaves out."""
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder
    status = _status(arguments)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    ctypes.PyDLL(None).exit(status)  # HDF5 has handlers of its own


def _status(arguments: list[str]) -> int:
    how, what, *sys.argv[1:] = arguments
    sys.argv[0] = how
    try:
        if how == "-c":
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (Exception, KeyboardInterrupt):  # noqa: BLE001  # told as Python tells it
        traceback.print_exc()
        return 1
    return 0
