"""The words around the heatmap: the layer, its empty rows and columns, what is under the pointer, the source."""

import math

import numpy as np
from PySide6.QtCore import QObject, Qt

from sparseviz.gui.qt.theme import Theme, mute
from sparseviz.gui.views.base import FittingLabel, percent
from sparseviz.gui.views.weights.layer_picture import LayerPicture
from sparseviz.gui.views.weights.shown_cells import number
from sparseviz.values.cells import NEVER, Cells
from sparseviz.values.history import History
from sparseviz.values.snapshot import LayerInfo, LayerSnapshot

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

    def tell_source(self, picture: LayerPicture) -> None:
        """Say where the picture comes from."""
        if picture.cells is not None:
            self._tell_cells(picture.cells.cells)
        elif picture.needs_cells:
            self.source.set_texts(self.tr("the true weights are being read…"), self.tr("reading…"))
        elif picture.previewed is None:
            self.source.set_texts(self.tr("no preview of this layer was recorded"), self.tr("no preview"))
        else:
            self._tell_preview(picture.layer, picture.previewed)

    def _tell_cells(self, cells: Cells) -> None:
        place = self.tr("live, step") if cells.source == "live" else self.tr("checkpoint at step")
        block = cells.part.block
        what = self.tr("true cells") if block == 1 else self.tr("blocks of {0} × {0} cells").format(block)
        if cells.source == "file":
            self.source.set_texts(self.tr("{0}, from the file").format(what), what)
            return
        short = self.tr("{0}: step {1:,}").format(what, cells.step)
        if cells.mask_step == cells.step:
            self.source.set_texts(f"{what}: {place} {cells.step:,}", short)
        else:
            exact = self.tr("mask of step {0:,}, weights of the {1} {2:,}").format(cells.mask_step, place, cells.step)
            steps = self.tr("mask {0:,}, weights {1:,}").format(cells.mask_step, cells.step)
            self.source.set_texts(f"{what}: {exact}", steps, short)

    def _tell_preview(self, now: LayerSnapshot, previewed: LayerSnapshot) -> None:
        pixels = self.tr("preview, {0} × {1} blocks").format(*previewed.info.preview_shape)
        if previewed is now:
            points = self.tr("{0}: as many points as weights are kept").format(pixels)
            self.source.set_texts(points, pixels, self.tr("preview"))
        else:
            earlier = self.tr("{0}, from an earlier snapshot").format(pixels)
            self.source.set_texts(earlier, self.tr("earlier preview"))

    def tell_cell(self, picture: LayerPicture, place: tuple[int, int], history: History) -> None:
        """Say what lies at a place of the picture: the true cell where there is one, else what the preview knows."""
        at = picture.arrangement.at(*place) if place[0] >= 0 else None
        inside = picture.cells.find(*place) if picture.cells and at else None
        preview = picture.preview()
        if picture.cells and inside and at:
            self.hover.set_texts(self._true_cell(picture.cells.cells, inside, picture.layer.info, at, history))
        elif at and preview is not None and preview.preview is not None:
            self.hover.set_texts(self._near(preview, *at))
        else:
            self.hover.set_texts(
                self.tr("Point at a cell to read it; the wheel zooms, a double click shows all."),
                self.tr("Point: read; wheel: zoom; double click: all."),
            )

    def _true_cell(
        self, cells: Cells, inside: tuple[int, int], info: LayerInfo, at: tuple[int, int], history: History
    ) -> str:
        place, weight = self._place(info, *at), float(cells.weight[inside])
        if cells.part.block > 1:
            around = self.tr("blocks of {0} × {0} around {1}").format(cells.part.block, place)
            kept = self.tr("{0} % kept").format(percent(float(cells.density[inside])))
            return _GAP.join((around, self.tr("largest w = {0}").format(number(weight)), kept))
        name = "g" if info.quantity.name == "gate" else info.quantity.name
        quantity = f"{name} = {number(float(cells.quantity[inside]))}"
        state = self.tr("kept") if cells.kept[inside] else self._cut(cells, inside, history)
        return _GAP.join((place, f"w = {number(weight)}", quantity, state))

    def _cut(self, cells: Cells, inside: tuple[int, int], history: History) -> str:
        at = NEVER if cells.cut_at is None else int(cells.cut_at[inside])
        if not 0 <= at < len(history):
            return self.tr("cut")
        return self.tr("cut at snapshot {0} (epoch {1:.3g})").format(at + 1, history[at].epoch)

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
