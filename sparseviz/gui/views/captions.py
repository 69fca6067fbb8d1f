"""The words around the heatmap: the layer, its empty rows and columns, what is under the pointer, the source."""

import math

import numpy as np
from PySide6.QtCore import QObject, Qt

from sparseviz.gui.theme import Theme, mute
from sparseviz.gui.views.base import FittingLabel, percent
from sparseviz.snapshot import Cells, LayerInfo, LayerSnapshot

_GAP = "   "


class Captions(QObject):
    """Four lines of text and what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.header, self.hover, self.source = FittingLabel(), FittingLabel(), FittingLabel()
        self.empties = FittingLabel(Qt.AlignmentFlag.AlignRight)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        for label in (self.hover, self.source, self.empties):
            mute(label, theme)

    def tell_layer(self, layer: LayerSnapshot) -> None:
        """Say how much of the layer is left."""
        info = layer.info
        shape = " × ".join(map(str, info.shape))
        sparse = self.tr("{0} % sparse").format(percent(1 - layer.kept / info.weights))
        kept = self.tr("kept {0:,} of {1:,}").format(layer.kept, info.weights)
        self.header.set_texts(
            _GAP.join((info.name, shape, kept, sparse)), _GAP.join((info.name, kept, sparse)), _GAP.join((kept, sparse))
        )
        rows, columns = int(np.sum(layer.row_kept == 0)), int(np.sum(layer.column_kept == 0))
        full = self.tr("empty: {0:,} of {1:,} rows, {2:,} of {3:,} columns")
        self.empties.set_texts(
            full.format(rows, info.rows, columns, info.columns),
            self.tr("empty: {0:,} rows, {1:,} columns").format(rows, columns),
            self.tr("empty: {0:,}, {1:,}").format(rows, columns),
        )
        self.empties.setAccessibleDescription(self.tr("A row or column is empty when none of its weights is kept."))

    def tell_source(self, now: LayerSnapshot, previewed: LayerSnapshot | None, cells: Cells | None) -> None:
        """Say where the picture comes from."""
        if cells is not None:
            place = self.tr("live, step") if cells.source == "live" else self.tr("checkpoint at step")
            self.source.set_texts(
                self.tr("true cells: {0} {1:,}").format(place, cells.step),
                self.tr("true cells: step {0:,}").format(cells.step),
            )
        elif previewed is None:
            self.source.set_texts(self.tr("no preview of this layer was recorded"), self.tr("no preview"))
        else:
            pixels = self.tr("preview, {0} × {1} blocks").format(*previewed.info.preview_shape)
            if previewed is now:
                points = self.tr("{0}: as many points as weights are kept").format(pixels)
                self.source.set_texts(points, pixels, self.tr("preview"))
            else:
                earlier = self.tr("{0}, from an earlier snapshot").format(pixels)
                self.source.set_texts(earlier, self.tr("earlier preview"))

    def tell_cell(
        self, at: tuple[int, int], info: LayerInfo, previewed: LayerSnapshot | None, cells: Cells | None
    ) -> None:
        """Say what lies under the pointer: the true cell where there is one, else what the preview knows."""
        row, column = at
        inside = _inside(cells, row, column)
        if cells is not None and inside is not None:
            self.hover.set_texts(self._true_cell(cells, inside, info, row, column))
        elif row >= 0 and previewed is not None and previewed.preview is not None:
            self.hover.set_texts(self._near(previewed, row, column))
        else:
            self.hover.set_texts(
                self.tr("Point at a cell to read it; the wheel zooms, a double click shows all."),
                self.tr("Point: read; wheel: zoom; double click: all."),
            )

    def _true_cell(self, cells: Cells, inside: tuple[int, int], info: LayerInfo, row: int, column: int) -> str:
        name = "g" if info.quantity.is_gate else info.quantity.name
        return _GAP.join(
            (
                self._place(info, row, column),
                f"w = {_number(float(cells.weight[inside]))}",
                f"{name} = {_number(float(cells.quantity[inside]))}",
                self.tr("kept") if cells.kept[inside] else self.tr("cut"),
            )
        )

    def _near(self, layer: LayerSnapshot, row: int, column: int) -> str:
        assert layer.preview is not None  # noqa: S101  # told by the caller
        pixel = tuple(
            at // math.ceil(cells / pixels)
            for at, cells, pixels in zip(
                (row, column), (layer.info.rows, layer.info.columns), layer.preview.shape[1:], strict=True
            )
        )
        extreme, density = (int(plane[pixel]) for plane in layer.preview)
        place = self._place(layer.info, row, column)
        if density == 0:
            return _GAP.join((place, self.tr("nothing kept here")))
        weight = abs(extreme - 128) / 127 * layer.preview_scale
        share = percent(density / 255)
        return _GAP.join((place, self.tr("about |w| {0} here, {1} % kept").format(f"{weight:.2g}", share)))

    def _place(self, info: LayerInfo, row: int, column: int) -> str:
        if len(info.shape) == 2:
            return self.tr("output {0}, input {1}").format(row, column)
        inside = np.unravel_index(column, info.shape[1:])
        kernel = ", ".join(str(int(part)) for part in inside[1:])
        return self.tr("output {0}, input {1} at ({2})").format(row, int(inside[0]), kernel)


def _inside(cells: Cells | None, row: int, column: int) -> tuple[int, int] | None:
    if cells is None:
        return None
    rows, columns = cells.weight.shape
    place = row - cells.row, column - cells.column
    return place if 0 <= place[0] < rows and 0 <= place[1] < columns else None


def _number(value: float) -> str:
    """Three decimals with a true minus; what is smaller keeps three digits."""
    text = f"{value:.3f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.2e}"
    return text.replace("-", "\N{MINUS SIGN}")
