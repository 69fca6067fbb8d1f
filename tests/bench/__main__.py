"""`python -m tests.bench [ROW ...]`: the table of speed; `python -m tests.bench grows`: how cost grows."""

import argparse
import sys
import time
from pathlib import Path

from tests.bench.child import ChildError, call
from tests.bench.machine import machine
from tests.bench.table import Row, as_markdown, save

ROWS = {  # name, its function, and its turns
    "step": ("steps:lenet5", 15),
    "step300": ("steps:lenet300", 15),
    "feeding": ("feeding:measure", 9),
    "window": ("window:measure", 3),
    "recording": ("recording:measure", 9),
    "snapshot": ("snapshots:lenet5", 9),
    "snapshot-vgg": ("snapshots:vgg16", 2),
    "heatmap": ("heatmaps:measure", 5),
    "folder": ("opening:folder", 3),
    "opening": ("opening:run", 5),
    "export": ("exporting:measure", 5),
    "start": ("starting:measure", 7),
}


def rows_of(name: str, repeats: int | None) -> list[Row]:
    """What a row's function measured in a process of its own; one that breaks off says why."""
    function, usual = ROWS[name]
    try:
        return [Row.read(values) for values in call(function, repeats or usual)]
    except ChildError as error:
        return [Row(name, "", "", note=f"broke off, {error}")]


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    choices = [*ROWS, "grows"]
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"some of: {', '.join(choices)} (all but grows unless named)"
    )
    parser.add_argument("--out", type=Path, default=Path("bench"), metavar="STEM", help="writes STEM.json and STEM.md")
    parser.add_argument("--repeats", type=int, help="turns of every row, instead of its own number")
    found = parser.parse_args(arguments)
    if unknown := [name for name in found.rows if name not in choices]:
        parser.error(f"no row is called {', '.join(unknown)}; rows: {', '.join(choices)}")
    return found


def main(arguments: list[str]) -> int:
    """Measure, print and save; the status is 1 where a row broke off."""
    asked = parsed(arguments)
    names = asked.rows or list(ROWS)
    facts, rows = machine(), []
    if "grows" in names:
        from tests.bench.grows import measure_growth

        measure_growth(facts, asked.out.with_name(f"{asked.out.name}-grows"))
    for name in (name for name in names if name != "grows"):
        began = time.monotonic()
        rows += rows_of(name, asked.repeats)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if rows:
        save(facts, rows, asked.out)
        print(as_markdown(facts, rows))
    return int(any("broke off" in row.note for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
