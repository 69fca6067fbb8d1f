"""What the command `export` prints."""

from rich import box
from rich.console import Console
from rich.table import Table

from sparseviz.export.report import ExportReport
from sparseviz.export.sections import Section, summary


def show_export(out: Console, report: ExportReport) -> None:
    """Print the report but for what is only to be studied."""
    for section in summary(report):
        out.print(section.heading, style="bold", markup=False)
        if section.rows:
            out.print(_table(section), markup=False)
        for line in (*(f"- {point}" for point in section.points), *section.notes):
            out.print(line, markup=False)
        out.print()


def _table(section: Section) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for at, name in enumerate(section.head):
        table.add_column(name, justify="right" if at else "left", no_wrap=True)
    for row in section.rows:
        table.add_row(*row)
    return table
