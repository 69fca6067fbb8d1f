"""One layer as it is drawn in a heatmap: its preview, or the true cells once they have come."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QRectF

from sparseviz.gui.views.weights import levels
from sparseviz.gui.views.weights.heatmap import Heatmap
from sparseviz.gui.views.weights.placement import Arrangement
from sparseviz.gui.views.weights.shown_cells import ShownCells
from sparseviz.values.cells import Cells
from sparseviz.values.snapshot import LayerSnapshot

MOST_STALE = 0.1  # all cells of another step are drawn where the number of the kept differs by no more than this


class LayerPicture:
    """Draws a layer of a snapshot into a heatmap; places are the picture's, cells the matrix's."""

    def __init__(self, heatmap: Heatmap, layer: LayerSnapshot, arrangement: Arrangement) -> None:
        self.heatmap, self.layer, self.arrangement = heatmap, layer, arrangement
        self.previewed: LayerSnapshot | None = None  # the newest that has a preview; its own when it has one
        self.cells: ShownCells | None = None
        self.show = levels.SHOWS[0]
        self.needs_cells = False  # no preview can show it
        self._position = 0

    def begin(self, names: tuple[str, str]) -> None:
        """Bring all of the layer into sight; `names` are those of the picture's rows and columns."""
        bars = self.arrangement.bars(self.layer)
        self.heatmap.set_shape(self.arrangement.shape, names, self.arrangement.tile, bars=bars is not None)

    def draw(
        self, layer: LayerSnapshot, previewed: LayerSnapshot | None, arrangement: Arrangement, position: int
    ) -> None:
        """Draw the layer as it is at a position of the history."""
        if self.cells is not None and not arrangement.shows(self.cells.cells.part):
            self.drop_cells()
        self.layer, self.previewed, self.arrangement, self._position = layer, previewed, arrangement, position
        self.heatmap.set_bars(arrangement.bars(layer))
        self._draw_preview()

    def redraw(self) -> None:
        """Draw once more what is known."""
        self._draw_preview()
        self._draw_cells()

    def take_cells(self, cells: Cells) -> bool:
        """Draw true cells over the preview, unless they came too late or tell less of now."""
        if not self._is_welcome(cells):
            return False
        self.cells = ShownCells(cells, self.arrangement)
        self.redraw()
        return True

    def _is_welcome(self, cells: Cells) -> bool:
        """Whether they are this layer's in this order, and not all of it with too many or too few kept."""
        now = self.layer
        if cells.part.layer != now.info.name or not self.arrangement.shows(cells.part):
            return False
        kept, weights = cells.count()
        if self.needs_cells or weights < now.info.weights or self.previewed is not now:
            return True
        return abs(kept - now.kept) <= MOST_STALE * now.kept

    def drop_cells(self) -> None:
        """Forget the true cells: they are not those of now."""
        self.cells = None
        self.heatmap.clear_cells()

    def preview(self) -> LayerSnapshot | None:
        """What the preview is drawn from, where it is drawn and true cells do not cover it."""
        return None if self.needs_cells or self.cells is not None else self.previewed

    def _draw_preview(self) -> None:
        if self.previewed is None or self.needs_cells:
            self.heatmap.set_preview(None)
        else:
            picture = levels.preview_picture(self.previewed, self.show)
            self.heatmap.set_preview(picture, self._cell_of(picture.values.shape))
        self.draw_scale()

    def _cell_of(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Rows and columns of the matrix that one of the preview's levels stands for."""
        block, pixels = levels.block_of(self.layer.info), self.layer.info.preview_shape
        return block[0] * pixels[0] / shape[0], block[1] * pixels[1] / shape[1]

    def draw_scale(self) -> None:
        """Draw the colour bar; a density's grows with what falls into a pixel."""
        scale = levels.scale_of(self.show, self._extreme(), self.layer.info.quantity, self._position)
        if self.show == "density":
            scale = replace(scale, high=100 * self.heatmap.densest())
        self.heatmap.set_scale(scale)

    def _extreme(self) -> float:
        """The |w| of the strongest colour: the preview's, so that true cells keep its colours."""
        if self.previewed is not None:
            return self.previewed.preview_scale
        return levels.largest(self.cells.cells) if self.cells is not None else 0.0

    def _draw_cells(self) -> None:
        if self.cells is None:
            return
        picture = self.cells.picture(self.show, self._extreme(), self.layer.info.quantity, self._position)
        self.heatmap.set_cells(picture, self.cells.corner, self.cells.cells.part.block)
        self.heatmap.marks.set_values(self._texts(self.cells, self.show))

    @staticmethod
    def _texts(cells: ShownCells, show: str) -> Callable[[int, int], str]:
        return lambda row, column: cells.text(show, row, column)

    def outline(self, unit: int | None) -> None:
        """Draw a frame around an output unit, or around none."""
        if unit is None:
            self.heatmap.marks.choose(None)
            return
        row, column, height, width = self.arrangement.of_unit(unit)
        self.heatmap.marks.choose(QRectF(column, row, width, height))
