"""Annotations of the runs of a folder: a note and tags a run, in a file of that folder.

Run files themselves are not touched: one that trains has another writer. An entry stays when its run goes to the bin,
for it may come back; it names when its run began, so that a later run of the same name does not inherit it.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sparseviz.config import InputError
from sparseviz.config.whole_file import whole_file
from sparseviz.store.header import RunHeader

FILE = "notes.json"  # {file name: {"note", "tags", "created"}}, or {file name: note}


class AnnotationError(InputError):
    """Notes and tags cannot be kept; the message names the file."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A run's note and tags."""

    note: str = ""
    tags: tuple[str, ...] = ()
    created: str = ""  # of the run; "" fits every run of the name


NOTHING = Annotation()


def tags_of(text: str) -> tuple[str, ...]:
    """The tags in a text, apart by blanks or commas and with or without "#"; each once."""
    words = (word.lstrip("#") for word in text.replace(",", " ").split())
    return tuple({word.casefold(): word for word in words if word}.values())


def annotation_of(header: RunHeader, annotations: dict[str, Annotation]) -> Annotation:
    """What was written beside this very run."""
    found = annotations.get(header.path.name, NOTHING)
    return found if found.created in ("", header.created) else NOTHING


def read_annotations(folder: Path) -> dict[str, Annotation]:
    """By file name; none where they cannot be read."""
    with contextlib.suppress(AnnotationError, OSError):
        return _load(folder)
    return {}


def annotate(folder: Path, name: str, annotation: Annotation) -> None:
    """Keep what is written beside a run. Raises AnnotationError, OSError."""
    kept = _load(folder) | {name: annotation}
    if not (annotation.note or annotation.tags):
        del kept[name]
    _store(folder, kept)


def carry_over(folder: Path, name: str, new: str) -> None:
    """Let the annotation follow a file that was renamed. Raises AnnotationError, OSError."""
    kept = _load(folder)
    if name in kept:
        kept[new] = kept.pop(name)
        _store(folder, kept)


def _load(folder: Path) -> dict[str, Annotation]:
    path = folder / FILE
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): _annotation(entry) for name, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        told = f"{path} is damaged, so notes and tags are neither shown nor kept; mend it, or move it away: {error}"
        raise AnnotationError(told) from error


def _annotation(entry: Any) -> Annotation:
    if isinstance(entry, str):
        return Annotation(entry)
    return Annotation(str(entry.get("note", "")), tuple(map(str, entry.get("tags", ()))), str(entry.get("created", "")))


def _store(folder: Path, annotations: dict[str, Annotation]) -> None:
    entries = {name: asdict(annotation) for name, annotation in annotations.items()}
    with whole_file(folder / FILE) as new:
        new.write_text(json.dumps(entries, ensure_ascii=False, indent=1), encoding="utf-8")
