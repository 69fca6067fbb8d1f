"""True cells as the picture has them: their colours, and what each of them says."""

from typing import Any

import numpy as np

from sparseviz.gui.views.weights import levels
from sparseviz.gui.views.weights.levels import CellLevels
from sparseviz.gui.views.weights.placement import Arrangement
from sparseviz.values.cells import Cells
from sparseviz.values.snapshot import Quantity


class ShownCells:
    """Cells in an arrangement; places are the picture's."""

    def __init__(self, cells: Cells, arrangement: Arrangement) -> None:
        self.cells, self.arrangement = cells, arrangement
        part = cells.part
        self.corner = (0, 0) if arrangement.index is not None else (part.rows.start, part.columns.start)

    def covers(self, window: tuple[int, int, int, int], block: int) -> bool:
        """Whether all of a window (row0, row1, column0, column1) is there, as finely as asked."""
        if self.arrangement.index is not None:
            return True
        part, (row0, row1, column0, column1) = self.cells.part, window
        inside = part.rows.start <= row0 and row1 <= part.rows.stop
        return inside and part.columns.start <= column0 and column1 <= part.columns.stop and part.block == block

    def picture(self, show: str, extreme: float, quantity: Quantity, newest: int) -> CellLevels:
        """The colours, `newest` being the snapshot of the strongest where ages are shown."""
        flat = levels.cells_picture(self.cells, show, extreme, quantity, newest)
        spread = self.arrangement.spread(np.asarray(flat.values), flat.rest)
        return CellLevels(spread, flat.rest, shares=flat.shares)

    def find(self, row: int, column: int) -> tuple[int, int] | None:
        """Which of the cells is at a place."""
        if self.arrangement.index is not None:
            return self.arrangement.at(row, column)
        at = (row - self.corner[0]) // self.cells.part.block, (column - self.corner[1]) // self.cells.part.block
        inside = all(0 <= place < count for place, count in zip(at, self.cells.weight.shape, strict=True))
        return at if inside else None

    def text(self, show: str, row: int, column: int) -> str:
        """What is written into the cell at a place; "" for nothing, as a cut weight has no magnitude."""
        at = self.find(row, column)
        if at is None or self.cells.part.block > 1:
            return ""
        cells = self.cells
        if show == "quantity":
            return number(float(cells.quantity[at]))
        if show == "age":
            cut = cells.cut_at is not None and not cells.kept[at] and cells.cut_at[at] >= 0
            return f"{cells.cut_at[at] + 1}" if cut and cells.cut_at is not None else ""
        return number(float(cells.weight[at])) if cells.kept[at] else ""

    def table(self, quantity: str) -> list[list[str | int | float]]:
        """A row a weight, in the order of the picture."""
        cells, part = self.cells, self.cells.part
        rows: list[list[str | int | float]] = [["layer", "output", "column", "w", quantity, "kept", "cut at snapshot"]]
        outputs, columns = (
            self._numbers(asked, order)
            for asked, order in ((part.rows, part.row_order), (part.columns, part.column_order))
        )
        for at in np.ndindex(*cells.weight.shape):
            cut = "" if cells.cut_at is None or cells.cut_at[at] < 0 else int(cells.cut_at[at]) + 1
            values: list[Any] = [float(cells.weight[at]), float(cells.quantity[at]), int(cells.kept[at]), cut]
            rows.append([part.layer, int(outputs[at[0]]), int(columns[at[1]]), *values])
        return rows

    def _numbers(self, asked: slice, order: Any) -> Any:
        return np.arange(asked.start, asked.stop) if order is None else order[asked]


def number(value: float) -> str:
    """Three decimals with a true minus; what is smaller keeps three digits."""
    text = f"{value:.3f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"
    return text.replace("-", "\N{MINUS SIGN}")
