"""An index of a folder's readable images, which is kept: only new and changed files are looked at again."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sparseviz.config import paths
from sparseviz.config.whole_file import whole_file
from sparseviz.data.data_set import Progress, md5
from sparseviz.data.decoding import Recipe, UnreadableError

VERSION = 1
AT_ONCE = 256  # files between two words of progress
_GLANCE = Recipe(64, 1, 3)  # decodes a large JPEG as small as it can be


@dataclass(frozen=True, slots=True)
class Stamp:
    """What of a file changes with its content."""

    size: int  # bytes
    changed_ns: int


def stamp_of(path: Path) -> Stamp:
    """Zeros where there is none, as of a link to nowhere: that is found when the file is looked at."""
    try:
        facts = path.stat()
    except OSError:
        return Stamp(0, 0)
    return Stamp(facts.st_size, facts.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a file found."""

    stamp: Stamp
    md5: str
    problem: str  # why it cannot be read, or ""


def look_through(root: Path, listed: Mapping[str, Stamp], progress: Progress | None = None) -> dict[str, Looked]:
    """Every file, decoded once; `listed` are their names below `root`. What was done is kept where this breaks off."""
    kept = _kept(root)
    known = {name: kept[name] for name, stamp in listed.items() if name in kept and kept[name].stamp == stamp}
    missing = [name for name in listed if name not in known]
    total, done = sum(listed[name].size for name in missing), 0
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes beside other threads
            for some in _chunks(missing):
                known |= pool.map(lambda name: (name, _look(root / name, listed[name])), some)
                done += sum(listed[name].size for name in some)
                if progress:
                    progress(root.name, done, total)
    finally:
        if missing or len(kept) > len(listed):
            _keep(root, known)
    return {name: known[name] for name in listed}


def _chunks(names: list[str]) -> Iterable[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _look(path: Path, stamp: Stamp) -> Looked:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        _GLANCE.check(path)
    except OSError as error:
        return Looked(stamp, "", error.strerror or str(error))
    except UnreadableError as error:
        return Looked(stamp, digest, str(error))
    return Looked(stamp, digest, "")


def cache_path(root: Path) -> Path:
    """Where the index of a folder is kept, in the program's own folder."""
    return paths.data_folder() / "folders" / f"{md5(str(root.resolve()).encode())}.json"


def _kept(root: Path) -> dict[str, Looked]:
    """Nothing where it is not there, is damaged, or is of another version."""
    try:
        told = json.loads(cache_path(root).read_bytes())
        if told["version"] == VERSION:
            return {name: Looked(Stamp(*stamp), *rest) for name, (stamp, *rest) in told["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return {}


def _keep(root: Path, known: Mapping[str, Looked]) -> None:
    """A folder that cannot be written costs another look next time."""
    path = cache_path(root)
    files = {
        name: ((each.stamp.size, each.stamp.changed_ns), each.md5, each.problem) for name, each in sorted(known.items())
    }
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(json.dumps({"version": VERSION, "folder": str(root), "files": files}), encoding="utf-8")
