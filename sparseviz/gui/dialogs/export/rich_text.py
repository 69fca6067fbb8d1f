"""The sections of an export's report as Qt's rich text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from sparseviz.gui.qt.theme import Theme, mix

if TYPE_CHECKING:
    from sparseviz.export.sections import Section


def rich_text(sections: Sequence[Section], theme: Theme) -> str:
    """All of it in the theme's colours, with a tick at the verdict, which is the first."""
    verdict, *others = sections
    head = f'<h3 style="color: {theme.accent.name()}">✓ {escape(verdict.heading)}</h3>'
    below = (f"<h4>{escape(section.heading)}</h4>{_below(section, theme)}" for section in others)
    return head + _below(verdict, theme) + "".join(below)


def _below(section: Section, theme: Theme) -> str:
    table = _table(section.head, section.rows, theme) if section.rows else ""
    points = "".join(f"<li>{escape(point)}</li>" for point in section.points)
    notes = "".join(f"<p>{escape(note)}</p>" for note in section.notes)
    return table + (f"<ul>{points}</ul>" if points else "") + notes


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], theme: Theme) -> str:
    """With names on the left and numbers on the right."""
    ground = mix(theme.text, theme.background, 0.88).name()
    lines = [f'<tr bgcolor="{ground}">{_cells("th", head)}</tr>', *(f"<tr>{_cells('td', row)}</tr>" for row in rows)]
    return f'<table cellspacing="0" cellpadding="3" style="margin-top: 8px">{"".join(lines)}</table>'


def _cells(tag: str, texts: Sequence[str]) -> str:
    sides = ("left", *["right"] * (len(texts) - 1))
    return "".join(f'<{tag} align="{side}">{escape(text)}</{tag}>' for side, text in zip(sides, texts, strict=True))
