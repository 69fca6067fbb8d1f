"""What the manual's pages and the other texts name: links, pictures, commands, code; read by a real Markdown parser."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from sparseviz.config import manual

_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code; `words` are its language and its marks."""

    words: tuple[str, ...]
    code: str

    @property
    def mark(self) -> dict[str, str]:
        """`file=NAME` and the like, and `run` with no value."""
        return {name: value for name, _, value in (word.partition("=") for word in self.words[1:])}


class Text:
    """One Markdown file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tokens = _PARSER.parse(path.read_text(encoding="utf-8"))
        self._inside = [child for token in self.tokens for child in token.children or ()]

    def links(self) -> list[str]:
        return [str(token.attrs["href"]) for token in self._inside if token.type == "link_open"]

    def pictures(self) -> list[tuple[str, str]]:
        """Each picture's file, and the words for those who do not see it."""
        return [(str(token.attrs["src"]), token.content) for token in self._inside if token.type == "image"]

    def headings(self) -> list[tuple[str, str]]:
        """The tag and the text of each."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [(first.tag, _plain(second)) for first, second in pairs if first.type == "heading_open"]

    def anchors(self) -> set[str]:
        return {manual.anchor(text) for _, text in self.headings()}

    def first_paragraph(self) -> str:
        inline = (second for first, second in zip(self.tokens, self.tokens[1:], strict=False) if is_paragraph(first))
        return _plain(next(inline))

    def blocks(self) -> list[Block]:
        kinds = ("fence", "code_block")
        return [Block(tuple(token.info.split()), token.content) for token in self.tokens if token.type in kinds]

    def codes(self) -> list[str]:
        """What stands in backticks, on one line each."""
        return [" ".join(token.content.split()) for token in self._inside if token.type == "code_inline"]

    def commands(self) -> Iterator[list[str]]:
        """Every command line, in words: of blocks for a shell, and what stands in backticks."""
        shells = [block.code for block in self.blocks() if not block.words or block.words[0] in ("sh", "bat")]
        for line in [line for code in shells for line in code.replace("\\\n", " ").splitlines()] + self.codes():
            for command in line.replace("\\", "/").split("&&"):
                try:
                    words = shlex.split(command, comments=True)
                except ValueError:  # a lone quote: no command
                    continue
                if words:
                    yield words


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def is_paragraph(token: Token) -> bool:
    return token.type == "paragraph_open"
