"""Weights: one layer's matrix, from its preview, or cell by cell where the window can give the true cells."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.base import View
from sparseviz.gui.views.weights import levels
from sparseviz.gui.views.weights.captions import Captions
from sparseviz.gui.views.weights.choices import Choices
from sparseviz.gui.views.weights.heatmap import Heatmap
from sparseviz.gui.views.weights.layer_picture import LayerPicture
from sparseviz.gui.views.weights.placement import Arrangement, arrange, kinds_for
from sparseviz.gui.views.weights.unit_picture import UnitPicture
from sparseviz.values.cells import Cells
from sparseviz.values.history import History
from sparseviz.values.snapshot import LayerInfo, LayerSnapshot

MOST_CELLS = 1_000_000  # asked for at once
ASK_AFTER_MOVE_MS = 150
ASK_AFTER_DRAW_MS = 250  # longer than between two positions of a slider that moves: then the preview stays


class WeightsView(View):
    """A heatmap of one layer with its margins, its words and what lies under the pointer."""

    cells_wanted = Signal(object)  # a Part
    picture_wanted = Signal(str, int)  # layer, output unit: what it sees of the input

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._infos: list[LayerInfo] = []
        self._input_shape: tuple[int, ...] = ()
        self._picture: LayerPicture | None = None
        self._drawn: tuple[History, int] | None = None  # history and step
        self._cells_available = False
        self._pointed, self._unit = (-1, -1), 0  # the place under the pointer, and the unit whose picture is shown
        self._asking = QTimer(self, singleShot=True)
        self._asking.timeout.connect(self._ask_for_cells)
        self.choices, self.heatmap, self.captions, self.unit = Choices(), Heatmap(), Captions(), UnitPicture()
        self.unit.hide()
        self.heatmap.canvas.setAccessibleName(self.tr("Heatmap of the layer's weights"))
        self.heatmap.canvas.setAccessibleDescription(
            self.tr("Wheel or + and - zoom, drag or the arrow keys move, double click or Home shows all.")
        )
        self._arrange_widgets()
        self._connect()
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Weights")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("Press Train to see which weights of a layer are kept, or open a stored run to see which were.")

    def lesson(self) -> str:
        """What the view teaches."""
        return self.tr(
            "A cell is the weight from an input (column) to an output unit (row); nothing is drawn where it was cut. "
            "A row without weights is a unit that gives a constant, a column without weights an input that nobody "
            "reads: both can leave the network without changing its answers."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the heatmap and of the unit's picture."""
        return [
            (self.tr("zoom in, zoom out"), "+, -"),
            (self.tr("move over the layer"), self.tr("arrow keys")),
            (self.tr("show all of the layer"), self.tr("Home")),
            (self.tr("show what one unit sees of the input"), "U"),
            (self.tr("choose the unit before or after"), self.tr("Page Up, Page Down")),
        ]

    def table(self) -> list[list[str | int | float]]:
        """The cells in sight where they are known one by one, else what is kept in each row and column."""
        if self._picture is None:
            return []
        cells, layer = self._picture.cells, self._picture.layer
        if cells is not None and cells.cells.part.block == 1:
            return cells.table(layer.info.quantity.name)
        rows: list[list[str | int | float]] = [["layer", "side", "number", "kept"]]
        for side, counts in (("row", layer.row_kept), ("column", layer.column_kept)):
            rows += [[layer.info.name, side, number, int(kept)] for number, kept in enumerate(counts)]
        return rows

    def layer(self) -> str:
        """The name of the layer that is shown; empty before the first draw."""
        return self.choices.layer()

    def set_input_shape(self, shape: tuple[int, ...]) -> None:
        """Say what the network reads, (channels, height, width), so that a first layer's units become images."""
        self._input_shape = shape

    def set_cells_available(self, available: bool) -> None:
        """Say whether `cells_wanted` and `picture_wanted` will be answered; if so, what is in sight is asked for."""
        self._cells_available = available
        self.choices.set_cells_available(available, self._kinds())
        self._ask_soon()
        self._tell_source()

    def show_cells(self, cells: Cells) -> None:
        """Draw true cells over the preview; those of another layer or order come too late and are left out."""
        if self._picture is not None and self._picture.take_cells(cells):
            self._tell_source()

    def show_unit(self, layer: str, unit: int, picture: npt.NDArray[np.float32]) -> None:
        """Draw what an output unit sees, float32 (channels, height, width)."""
        if (layer, unit) == (self.layer(), self._unit):
            self.unit.show_picture(layer, unit, picture)

    def _arrange_widgets(self) -> None:
        middle, bottom = QHBoxLayout(), QHBoxLayout()
        middle.addWidget(self.heatmap, 3)
        middle.addWidget(self.unit, 1)
        bottom.addWidget(self.captions.source, 1)
        bottom.addWidget(self.captions.empties, 1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(3)
        column.addWidget(self.choices)
        column.addWidget(self.captions.header)
        column.addLayout(middle, 1)
        column.addWidget(self.captions.hover)
        column.addLayout(bottom)

    def _connect(self) -> None:
        self.choices.layer_changed.connect(self._begin_layer)
        self.choices.show_changed.connect(self._choose_show)
        self.choices.arrangement_changed.connect(self._begin_layer)
        self.choices.unit_toggled.connect(self._toggle_unit)
        self.heatmap.pointed.connect(self._tell_cell)
        self.heatmap.clicked.connect(self._choose_place)
        self.heatmap.range_changed.connect(self._ask_soon)
        self.heatmap.fitted.connect(self._draw_scale)

    # What is drawn.

    def _draw(self, history: History, position: int) -> None:
        infos = [layer.info for layer in history[position].layers]
        if infos != self._infos:
            self._infos = infos
            largest = max(infos, key=lambda info: info.weights)
            self.choices.set_layers([info.name for info in infos], largest.name)
            self._picture = None
        if (history, history[position].step) != self._drawn:
            self._drawn = history, history[position].step
            if self._picture is not None:
                self._picture.drop_cells()
            self._ask_soon(ASK_AFTER_DRAW_MS)
        self._draw_layer()

    def _begin_layer(self) -> None:
        """Another layer, or another arrangement of it: all of it comes into sight."""
        if self.history is None or not self._infos:
            return
        self._picture = None
        self._unit = min(self._unit, self._infos[self._index()].rows - 1)
        self._draw_layer()
        self._ask_soon()

    def _choose_show(self) -> None:
        self.heatmap.set_colours(levels.colours(self._show(), self.theme))
        if self._picture is not None:
            self._draw_layer()
            self._picture.redraw()
            self._ask_soon()

    def _index(self) -> int:
        return self.choices.layers.currentIndex()

    def _show(self) -> str:
        return self.choices.show_key()

    def _kinds(self) -> tuple[str, ...]:
        if not self._infos:
            return ("matrix",)
        reads_input = self._index() == 0
        return kinds_for(self._infos[self._index()], self._input_shape if reads_input else ())

    def _draw_layer(self) -> None:
        """Draw the chosen layer as it was at the view's position."""
        assert self.history is not None  # noqa: S101  # only called with one
        layer = self.history[self.position].layers[self._index()]
        self.choices.set_quantity(layer.info.quantity.name)
        self.choices.set_kinds(self._kinds())
        arrangement = self._arrangement(layer)
        if self._picture is None:
            self._picture = LayerPicture(self.heatmap, layer, arrangement)
            self._picture.begin(self._axis_names(layer.info))
        self._picture.show, self._picture.needs_cells = self._show(), self.choices.needs_cells()
        previewed = self.history.newest_preview(self._index(), self.position)
        self._picture.draw(layer, previewed, arrangement, self.position)
        self.captions.tell_layer(layer)
        self._tell_source()
        self._show_unit()

    def _arrangement(self, layer: LayerSnapshot) -> Arrangement:
        choices = self.choices
        rows, columns = choices.sort_rows.isChecked(), choices.sort_columns.isChecked()
        return arrange(choices.kind(), layer, self._input_shape, sort_rows=rows, sort_columns=columns)

    def _axis_names(self, info: LayerInfo) -> tuple[str, str]:
        place = self.tr("input × kernel") if len(info.shape) > 2 else self.tr("input")
        return {
            "matrix": (self.tr("output unit"), place),
            "kernels": (self.tr("output × kernel row"), self.tr("input × kernel column")),
            "images": (self.tr("pixel row"), self.tr("pixel column")),
        }[self.choices.kind()]

    def _draw_scale(self) -> None:
        if self._picture is not None:
            self._picture.draw_scale()

    def _tell_source(self) -> None:
        if self._picture is not None:
            self.captions.tell_source(self._picture)
            self._tell_cell(*self._pointed)

    def _tell_cell(self, row: int, column: int) -> None:
        self._pointed = row, column
        if self._picture is not None and self.history is not None:
            self.captions.tell_cell(self._picture, self._pointed, self.history)

    # What is asked for.

    def _ask_soon(self, delay_ms: int = ASK_AFTER_MOVE_MS) -> None:
        if self._cells_available and self.history is not None:
            self._asking.start(delay_ms)

    def _ask_for_cells(self) -> None:
        window, picture = self.heatmap.visible(), self._picture
        if not self._cells_available or picture is None or window[1] <= window[0] or window[3] <= window[2]:
            return
        part = picture.arrangement.part(self.layer(), window, MOST_CELLS)
        if picture.cells is None or not picture.cells.covers(window, part.block):
            self.cells_wanted.emit(part)

    # The unit whose view of the input is shown.

    def _toggle_unit(self, shown: bool) -> None:
        self.unit.setVisible(shown)
        self._show_unit()

    def _choose_place(self, row: int, column: int) -> None:
        at = self._picture.arrangement.at(row, column) if self._picture else None
        if at is not None:
            self._choose_unit(at[0])

    def _choose_unit(self, unit: int) -> None:
        if self._picture is not None and 0 <= unit < self._picture.layer.info.rows:
            self._unit = unit
            self._show_unit()

    def _show_unit(self) -> None:
        """Outline the unit and ask for what it sees, if that is wanted."""
        if self._picture is None:
            return
        self._picture.outline(None if self.unit.isHidden() else self._unit)
        if not self.unit.isHidden():
            self.unit.wait_for(self.layer(), self._unit)
            self.picture_wanted.emit(self.layer(), self._unit)

    def _clear(self) -> None:
        self._asking.stop()
        self._infos, self._picture, self._drawn = [], None, None
        self.choices.set_layers([], "")
        self.heatmap.set_preview(None)
        self.heatmap.clear_cells()

    def _restyle(self, theme: Theme) -> None:
        self.heatmap.restyle(theme)
        self.heatmap.set_colours(levels.colours(self._show(), theme))
        self.captions.restyle(theme)
        self.unit.restyle(theme)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and -, move with the arrows, see all with Home; U and the page keys show units."""
        keys: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Home: self.heatmap.reset,
            Qt.Key.Key_Plus: lambda: self.heatmap.zoom(0.8),
            Qt.Key.Key_Minus: lambda: self.heatmap.zoom(1.25),
            Qt.Key.Key_Left: lambda: self.heatmap.move_by(-0.1, 0),
            Qt.Key.Key_Right: lambda: self.heatmap.move_by(0.1, 0),
            Qt.Key.Key_Up: lambda: self.heatmap.move_by(0, -0.1),
            Qt.Key.Key_Down: lambda: self.heatmap.move_by(0, 0.1),
            Qt.Key.Key_PageUp: lambda: self._choose_unit(self._unit - 1),
            Qt.Key.Key_PageDown: lambda: self._choose_unit(self._unit + 1),
            Qt.Key.Key_U: self.choices.unit.click,
        }
        if event.key() in keys:
            keys[event.key()]()
            return
        super().keyPressEvent(event)
