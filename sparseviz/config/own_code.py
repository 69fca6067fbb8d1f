"""Plug-ins with a trust store: `package.module:function` or `file.py:function`, run only where the person trusts them.

A configuration or a run file may come from elsewhere and name code. So a file is run only once somebody was asked
(`trust`); what was trusted is remembered by its path and content. What the file imports is not looked at.
"""

import contextlib
import hashlib
import importlib
import importlib.machinery
import importlib.util
import json
import logging
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

from sparseviz.config import paths
from sparseviz.config.errors import InputError
from sparseviz.config.whole_file import whole_file

FRAMES = 8  # of a traceback: the last
_REMEMBERED = "trusted_code.json"  # path to SHA-256, in the settings folder
_OURS = paths.PACKAGE
_STDLIB = Path(sysconfig.get_path("stdlib")).resolve()

_lock = RLock()
_trusted: set[tuple[Path, str]] = set()  # in this process
_loaded: dict[str, tuple[Path, str]] = {}  # modules of a person: file, and SHA-256 of what was run


class OwnCodeError(InputError):
    """A person's function cannot be found or its file fails; the message has the traceback within that code."""


@dataclass(frozen=True, slots=True)
class Code:
    """The file of a person's function, as it is now."""

    name: str  # as the person wrote it
    path: Path
    digest: str  # SHA-256, of the packages' own files above it too
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """What can be read of it; "" for compiled code."""
        return "" if b"\0" in self.content else self.content.decode(errors="replace")


class Untrusted(InputError):  # noqa: N818  # it is a question, not a fault
    """Code was not run, as nobody has said yet that it may: `trust(error.code)`, then try again."""

    def __init__(self, code: Code) -> None:
        self.code = code
        super().__init__(
            f"{code.path} was not run: it is code that nobody has allowed on this computer as it is now (SHA-256 "
            f"{code.digest[:12]}…). Look at it; then allow it with --trust-code, or when a terminal or the window asks"
        )


def load_function(name: str) -> Callable[..., Any]:
    """The function of this name, from its file as it is now: an edited file is read anew.

    Raises Untrusted for a file that must be asked about first, and OwnCodeError, whose message is to stand behind
    the setting's name, where there is no such function or its file fails.
    """
    with _lock:
        code = find(name)
        if not is_trusted(code):
            raise Untrusted(code)
        _forget_edited()
        try:
            with _noting():
                module = _module(code)
        except (Exception, SystemExit) as error:
            raise OwnCodeError(in_words(error)) from error
    wanted = name.rpartition(":")[2]
    function = getattr(module, wanted, None)
    if function is None:
        raise OwnCodeError(f"AttributeError: {code.path} has no function '{wanted}'")
    if not callable(function):
        raise OwnCodeError(f"TypeError: '{type(function).__name__}' object is not callable")
    return function  # type: ignore[no-any-return]


def find(name: str) -> Code:
    """The file of the function of this name; nothing of it is run. Raises OwnCodeError."""
    module = name.rpartition(":")[0]
    files = [Path(module).absolute()] if paths.is_python_file(module) else _files_of(module)
    try:
        contents = [path.read_bytes() for path in files]
    except OSError as error:
        raise OwnCodeError(f"{files[-1]} cannot be read: {error.strerror}") from None
    digest = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()
    return Code(name, files[-1], digest, contents[-1])


# Trust.


def is_trusted(code: Code) -> bool:
    """Whether somebody has allowed just this content of this file."""
    return (code.path, code.digest) in _trusted or _remembered().get(str(code.path)) == code.digest


def trust(code: Code, *, remember: bool = True) -> None:
    """Let it be run from now on; without `remember` in this process alone."""
    _trusted.add((code.path, code.digest))
    if remember:
        file = paths.settings_folder() / _REMEMBERED
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as new:
                new.write_text(json.dumps(_remembered() | {str(code.path): code.digest}, indent=2), encoding="utf-8")
        except OSError as error:
            logging.getLogger(__name__).warning("%s is trusted until the program ends: %s", code.path, error)


def _remembered() -> dict[str, Any]:
    try:
        found = json.loads((paths.settings_folder() / _REMEMBERED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# Finding and running.


def _files_of(module: str) -> list[Path]:
    """The files that importing a module would run: its packages' and its own; looked for without running any."""
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # the installed command would not look where `python -m` does
    importlib.invalidate_caches()
    files: list[Path] = []
    places: list[str] | None = None
    parts = module.split(".")
    for number in range(1, len(parts) + 1):
        whole = ".".join(parts[:number])
        spec = None if number > 1 and places is None else _spec(whole, places)
        if spec is None:
            raise OwnCodeError(f"ModuleNotFoundError: No module named '{whole}'")
        files += [Path(spec.origin)] if spec.origin and spec.has_location else []
        places = _places(spec)
        if number == len(parts) and not (spec.has_location and files and files[-1].is_file()):
            raise OwnCodeError(f"ModuleNotFoundError: '{whole}' has no file of its own")
    return files


def _spec(module: str, places: list[str] | None) -> importlib.machinery.ModuleSpec | None:
    """As importlib.util.find_spec, which would run the packages above a module."""
    found = (finder.find_spec(module, places) for finder in sys.meta_path) if module else iter(())
    return next((spec for spec in found if spec is not None), None)


def _places(spec: importlib.machinery.ModuleSpec) -> list[str] | None:
    locations = spec.submodule_search_locations
    try:
        return None if locations is None else list(locations)
    except KeyError:  # a folder without __init__.py in another, which is not imported
        raise OwnCodeError(f"ModuleNotFoundError: put an __init__.py into the folder of '{spec.name}'") from None


def _module(code: Code) -> ModuleType:
    module = code.name.rpartition(":")[0]
    if not paths.is_python_file(module):
        return importlib.import_module(module)
    if str(code.path.parent) not in sys.path:
        sys.path.append(str(code.path.parent))
    name = _free_name(code)
    return sys.modules[name] if name in _loaded and name in sys.modules else _run(name, code)


def _free_name(code: Code) -> str:
    """The file's own, so that another process can import it too, unless that means another module."""
    name = code.path.stem
    there, spec = sys.modules.get(name), _spec(name, None)
    is_his = (there is None or name in _loaded) and spec is not None and spec.origin == str(code.path)
    return name if is_his else f"{name}_{hashlib.sha256(os.fsencode(code.path)).hexdigest()[:8]}"


def _run(name: str, code: Code) -> ModuleType:
    """Just what was read and trusted, never bytecode that lies beside it."""
    spec = importlib.util.spec_from_file_location(name, code.path)
    if spec is None:
        raise ImportError(f"{code.path} is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        exec(compile(code.content, code.path, "exec"), module.__dict__)  # noqa: S102  # it is trusted
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextlib.contextmanager
def _noting() -> Iterator[None]:
    """Note the person's modules that are loaded within, to see later whether their files were edited."""
    before, writes = set(sys.modules), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # which an edit within the same second would not outdate
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and is_a_persons(file) and Path(file).is_file():
                _loaded[name] = Path(file), _digest(Path(file))


def _forget_edited() -> None:
    """Have all noted modules loaded anew where the file of one is another by now."""
    if any(_digest(path) != digest for path, digest in _loaded.values()):
        for name in _loaded:
            sys.modules.pop(name, None)
        _loaded.clear()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


# What went wrong.


def in_words(error: BaseException) -> str:
    """The error, and where in a person's code it came up: the last frames there."""
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error)).strip()
    return f"{type(error).__name__}: {error}{where(error)}"


def where(error: BaseException) -> str:
    """The traceback within a person's code, on lines of its own; "" where there is none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_a_persons(frame.filename)]
    if not frames:
        return ""
    return f"\nTraceback (most recent call last):\n{''.join(traceback.format_list(frames[-FRAMES:]))}".rstrip()


def is_a_persons(file: str) -> bool:
    """Whether it is neither this program's, nor Python's, nor an installed package's."""
    path = Path(file)
    is_installed = any(part in {"site-packages", "dist-packages"} for part in path.parts)
    return not (file.startswith("<") or is_installed or _OURS in path.parents or _STDLIB in path.parents)
