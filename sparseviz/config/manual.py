"""Manual: the Markdown pages of `resources/manual`, found, read and searched; a page's name is its file's stem."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparseviz.config import paths
from sparseviz.config.errors import InputError
from sparseviz.config.run_config import RunConfig, settings

CONTENTS = "contents"  # the page that links the others, in their order
_ENTRY = re.compile(r"^- \[(.+?)\]\(([\w-]+)\.md\): (.+)$|^## (.+)$", re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"[`*\\]|!?\[|\]\([^)]*\)|^[#|: -]+|\|", re.MULTILINE)
_AROUND = 60  # characters of an excerpt on either side of what was found


class NoSuchPageError(InputError):
    """The manual has no page of this name."""

    status = 2  # wrong use


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the table of contents."""

    name: str
    title: str
    question: str  # that it answers
    chapter: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page that has what was searched for."""

    entry: Entry
    excerpt: str  # one line around the first of it


def folder() -> Path:
    """Where the pages lie, and their pictures in `pictures`."""
    return paths.resources() / "manual"


def entries() -> list[Entry]:
    """Table of contents: every page in order."""
    found, chapter = [Entry(CONTENTS, "The manual", "which page answers my question?", "")], ""
    for title, name, question, heading in _ENTRY.findall(_text(CONTENTS)):
        chapter = heading or chapter
        if name:
            found.append(Entry(name, title, question, chapter))
    return found


def read(name: str) -> str:
    """A page's Markdown. Raises NoSuchPageError, or InputError where the installation lacks it."""
    names = [entry.name for entry in entries()]
    if name not in names:
        raise NoSuchPageError(f"no page '{name}' in the manual; pages: {', '.join(names)}")
    text = _text(name)
    return f"{text}\n{_settings()}" if name == "settings" else text


def search(words: str) -> list[Found]:
    """The pages that have every one of these words, those with one in their title first."""
    wanted = words.casefold().split()
    found = [(entry, plain) for entry, plain in _plain_pages() if all(word in plain.casefold() for word in wanted)]
    found.sort(key=lambda pair: not any(word in pair[0].title.casefold() for word in wanted))
    return [Found(entry, _excerpt(plain, wanted[0])) for entry, plain in found] if wanted else []


def headings(text: str) -> list[str]:
    """The headings of a page, without those in blocks of code."""
    return [heading for _, heading in _HEADING.findall(_CODE.sub("", text))]


def anchor(heading: str) -> str:
    """What a link to a heading says after "#", as hosts of repositories have it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _text(name: str) -> str:
    path = folder() / f"{name}.md"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the manual's page {path} cannot be read ({error}); install sparseviz anew") from None


def _settings() -> str:
    """Every setting with its default and help, from RunConfig itself."""
    plain, lines, group = RunConfig(), ["## The run", ""], ""
    for name, setting in settings().items():
        part = name.rpartition(".")[0]
        if part != group:
            lines += ["", f"## {part}", ""]
            group = part
        value = plain.value(name)
        default = "empty" if value is None else f"`{json.dumps(value)}`"  # of these TOML writes the same
        live = "; live" if setting.live else ""
        lines.append(f"- `{name}` ({default}{live}): {' '.join(setting.description.split())}")
    return "\n".join(lines) + "\n"


def _plain_pages() -> Iterator[tuple[Entry, str]]:
    for entry in entries():
        yield entry, " ".join(_MARKUP.sub(" ", read(entry.name)).split())


def _excerpt(plain: str, word: str) -> str:
    at = plain.casefold().find(word)
    start, end = max(at - _AROUND, 0), at + len(word) + _AROUND
    return f"{'…' * (start > 0)}{plain[start:end].strip()}{'…' * (end < len(plain))}"
