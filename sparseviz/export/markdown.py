"""The sections of an export's report as Markdown."""

from collections.abc import Iterator, Sequence

from sparseviz.export.report import ExportReport
from sparseviz.export.sections import Row, Section, sections


def as_markdown(report: ExportReport) -> str:
    """The report to read, as it is written beside the file."""
    verdict, *others = sections(report)
    parts = [f"# {verdict.heading}", *_below(verdict)]
    for section in others:
        parts += [f"## {section.heading}", *_below(section)]
    return "\n\n".join(parts) + "\n"


def _below(section: Section) -> Iterator[str]:
    if section.rows:
        yield _table(section.head, section.rows)
    if section.points:
        yield "\n".join(f"- {point}" for point in section.points)
    yield from section.notes


def _table(head: Row, rows: Sequence[Row]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|---|{'---:|' * (len(head) - 1)}", *lines[1:]])
