"""One measured row, and all of them as a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tests.bench.timing import Spread, ratios

Aim = Literal["at most", "at least"]


@dataclass(frozen=True)
class Row:
    """What was measured, against what. `ratio` is what the aim speaks of; where nothing is beside it, the value."""

    what: str
    against: str
    unit: str  # of ours and theirs
    ours: Spread | None = None
    theirs: Spread | None = None
    ratio: Spread | None = None
    aim: Aim = "at most"
    bound: float | None = None
    note: str = ""

    def is_reached(self) -> bool | None:
        """By the median; None where there is no aim or no figure."""
        if self.bound is None or self.ratio is None:
            return None
        return self.ratio.median <= self.bound if self.aim == "at most" else self.ratio.median >= self.bound

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Row":
        """From what `asdict` gave."""
        spreads = {name: Spread(**values[name]) for name in ("ours", "theirs", "ratio") if values[name]}
        return cls(**(values | spreads))


def cost(what: str, against: str, times: dict[str, list[float]], **more: Any) -> Row:
    """`times` of ours and of theirs in seconds; the ratio is ours over theirs."""
    values = _values(times) | {"ratio": ratios(times["ours"], times["theirs"]), "aim": "at most"}
    return Row(what, against, "ms", **(values | more))


def gain(what: str, against: str, times: dict[str, list[float]], **more: Any) -> Row:
    """The ratio is theirs over ours: so many times faster."""
    values = _values(times) | {"ratio": ratios(times["theirs"], times["ours"]), "aim": "at least"}
    return Row(what, against, "ms", **(values | more))


def _values(times: dict[str, list[float]]) -> dict[str, Any]:
    return {name: Spread.of([1000 * value for value in times[name]]) for name in ("ours", "theirs")}


def as_markdown(machine: dict[str, str], rows: Sequence[Row]) -> str:
    """The machine in a line, and the table."""
    lines = [f"{', '.join(f'{name} {value}' for name, value in machine.items())}.", ""]
    lines += ["| what | against | ours | theirs | ratio (quartiles) | aim | reached |", "|" + "---|" * 7]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    notes = dict.fromkeys(f"- {row.what}, {row.against}: {row.note}" for row in rows if row.note)
    return "\n".join([*lines, "", *notes, ""])


def _cells(row: Row) -> list[str]:
    aim = "" if row.bound is None else f"{row.aim} {row.bound:g}"
    reached = {None: "", True: "yes", False: "**no**"}[row.is_reached()]
    if row.ratio is None:
        return [row.what, row.against, "", "", "not measured", aim, ""]
    spread = f"{_number(row.ratio.median)} ({_number(row.ratio.low)} to {_number(row.ratio.high)})"
    return [
        row.what,
        row.against,
        _with_unit(row.ours, row.unit),
        _with_unit(row.theirs, row.unit),
        spread,
        aim,
        reached,
    ]


def _with_unit(spread: Spread | None, unit: str) -> str:
    return f"{_number(spread.median)} {unit}" if spread else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(machine: dict[str, str], rows: Sequence[Row], stem: Path) -> None:
    """Write STEM.json and STEM.md."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "rows": [asdict(row) | {"reached": row.is_reached()} for row in rows]}
    stem.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(as_markdown(machine, rows), encoding="utf-8")
