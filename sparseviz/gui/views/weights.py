"""Weights: one layer's matrix, from its preview, or cell by cell where the window can give the true cells."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sparseviz.gui.theme import Theme
from sparseviz.gui.views import levels
from sparseviz.gui.views.base import Table, View
from sparseviz.gui.views.captions import Captions
from sparseviz.gui.views.heatmap import Heatmap
from sparseviz.gui.views.tables import cell_rows
from sparseviz.snapshot import Cells, History, LayerInfo, LayerSnapshot

_Key = Qt.Key
MOST_CELLS = 1_000_000  # asked for at once
ASK_AFTER_MOVE_MS = 150
ASK_AFTER_DRAW_MS = 250  # longer than between two positions of a slider that moves: then the preview stays
MOST_STALE = 0.1  # all cells of another step are drawn where the number of the kept differs by no more than this


class WeightsView(View):
    """A heatmap of one layer with its margins, its words and what lies under the pointer."""

    cells_wanted = Signal(str, int, int, int, int)  # layer, row0, row1, column0, column1; the ends are not among them

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._infos: list[LayerInfo] = []
        self._layer: LayerSnapshot | None = None  # now
        self._previewed: LayerSnapshot | None = None  # the newest that has a preview; its own when it has one
        self._densest = 1.0  # the share kept that the strongest colour of the density stands for
        self._drawn: tuple[History, int] | None = None  # history and step
        self._cells: Cells | None = None
        self._cells_available = False
        self._pointed = -1, -1  # the cell under the pointer
        self._asking = QTimer(self, singleShot=True)
        self._asking.timeout.connect(self._ask_for_cells)
        self.layers, self.shows = QComboBox(), QComboBox()
        self.heatmap = Heatmap()
        self.captions = Captions()
        self._name_widgets()
        self._arrange()
        self._connect()
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Weights")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("Press Train to see which weights of a layer are kept, or open a stored run to see which were.")

    def lesson(self) -> str:
        """What the heatmap teaches."""
        return self.tr(
            "Every point is a weight that is kept; what is dark has been cut, and the bars count what is left of each "
            "row and column. Look for whole rows and columns without a point: those units can be removed outright."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the heatmap."""
        return [
            (self.tr("zoom in, zoom out"), "+, -"),
            (self.tr("move over the matrix"), self.tr("arrow keys")),
            (self.tr("show the whole matrix"), self.tr("Home")),
        ]

    def table(self) -> Table:
        """The true cells at hand, or what is left of each row."""
        if self._layer is None:
            return []
        if self._cells is None:
            return [[self.tr("output unit"), self.tr("weights kept")], *enumerate(self._layer.row_kept.tolist())]
        heads = [self.tr("row"), self.tr("column"), "w", self._layer.info.quantity.name, self.tr("kept")]
        return [heads, *cell_rows(self._cells)]

    def layer(self) -> str:
        """The name of the layer that is shown; empty before the first draw."""
        return self.layers.currentText()

    def set_cells_available(self, available: bool) -> None:
        """Say whether `cells_wanted` will be answered; if so, what is in sight is asked for."""
        self._cells_available = available
        self._allow_quantity(available)
        if not available and self.shows.currentData() == "quantity":
            self.shows.setCurrentIndex(0)
        self._ask_soon()
        self._tell_source()

    def show_cells(self, cells: Cells) -> None:
        """Draw true cells over the preview; those of another layer come too late and are left out."""
        if self._layer is None or cells.layer != self._layer.info.name or self._is_stale(cells, self._layer):
            return
        self._cells = cells
        self._draw_preview()
        self._draw_cells()
        self._tell_source()

    def _is_stale(self, cells: Cells, now: LayerSnapshot) -> bool:
        """Whether the preview tells more of now than these cells of a checkpoint: all, but too many or too few kept."""
        if self._show() == "quantity" or cells.weight.size < now.info.weights or self._previewed is not now:
            return False
        return abs(int(np.count_nonzero(cells.kept)) - now.kept) > MOST_STALE * now.kept

    def _name_widgets(self) -> None:
        self.layers.setAccessibleName(self.tr("Layer"))
        self.layers.setToolTip(self.tr("The layer whose weights are shown"))
        self.layers.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.layers.setMinimumContentsLength(6)
        self.shows.setAccessibleName(self.tr("Show"))
        self.shows.setToolTip(self.tr("What the colour of a cell stands for"))
        for key, text in zip(levels.SHOWS, self._show_names(), strict=True):
            self.shows.addItem(text, key)
        self._allow_quantity(False)
        self.heatmap.canvas.setAccessibleName(self.tr("Heatmap of the layer's weights"))
        self.heatmap.canvas.setAccessibleDescription(
            self.tr("Wheel or + and - zoom, drag or the arrow keys move, double click or Home shows all.")
        )

    def _allow_quantity(self, allowed: bool) -> None:
        model = self.shows.model()
        assert isinstance(model, QStandardItemModel)  # noqa: S101  # a QComboBox makes one
        model.item(levels.SHOWS.index("quantity")).setEnabled(allowed)

    def _show_names(self) -> tuple[str, ...]:
        return (
            self.tr("magnitude of kept weights"),
            self.tr("sign of kept weights"),
            self.tr("density of kept weights"),
            self.tr("decisive quantity (true cells)"),
        )

    def _arrange(self) -> None:
        choices, bottom = QHBoxLayout(), QHBoxLayout()
        for name, box in ((self.tr("Layer"), self.layers), (self.tr("Show"), self.shows)):
            label = QLabel(name)
            label.setBuddy(box)
            choices.addWidget(label)
            choices.addWidget(box)
        choices.addStretch(1)
        bottom.addWidget(self.captions.source, 1)
        bottom.addWidget(self.captions.empties, 1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(3)
        column.addLayout(choices)
        column.addWidget(self.captions.header)
        column.addWidget(self.heatmap, 1)
        column.addWidget(self.captions.hover)
        column.addLayout(bottom)

    def _connect(self) -> None:
        self.layers.currentIndexChanged.connect(self._choose_layer)
        self.shows.currentIndexChanged.connect(self._choose_show)
        self.heatmap.pointed.connect(self._tell_cell)
        self.heatmap.range_changed.connect(self._ask_soon)

    def _draw(self, history: History, position: int) -> None:
        infos = [layer.info for layer in history[position].layers]
        if infos != self._infos:
            self._take_layers(infos)
        moment = history, history[position].step
        if moment != self._drawn:
            self._drop_cells()
            self._drawn = moment
        self._draw_layer()

    def _take_layers(self, infos: list[LayerInfo]) -> None:
        chosen, self._infos = self.layers.currentText(), infos
        names = [info.name for info in infos]
        with QSignalBlocker(self.layers):
            self.layers.clear()
            self.layers.addItems(names)
            largest = max(range(len(infos)), key=lambda index: infos[index].weights)
            self.layers.setCurrentIndex(names.index(chosen) if chosen in names else largest)
        self._begin_layer()

    def _begin_layer(self) -> None:
        info = self._infos[self.layers.currentIndex()]
        place = self.tr("input × kernel") if len(info.shape) > 2 else self.tr("input")
        self._cells = None
        self.heatmap.set_matrix(info.rows, info.columns, self.tr("output unit"), place)

    def _choose_layer(self) -> None:
        if self.history is None:
            return
        self._begin_layer()
        self._draw_layer()
        self._ask_soon()

    def _choose_show(self) -> None:
        self.heatmap.set_colours(levels.colours(self._show(), self.theme))
        if self.history is not None:
            self._draw_layer()
            self._draw_cells()
            self._ask_soon()

    def _draw_layer(self) -> None:
        """Draw the chosen layer as it was at the view's position."""
        assert self.history is not None  # noqa: S101  # only called with one
        index = self.layers.currentIndex()
        self._layer = self.history[self.position].layers[index]
        self._previewed = self.history.newest_preview(index, self.position)
        self._draw_preview()
        self.heatmap.set_bars(self._layer.row_kept, self._layer.column_kept)
        self.captions.tell_layer(self._layer)
        self._tell_source()

    def _tell_source(self) -> None:
        if self._layer is not None:
            self.captions.tell_source(self._layer, self._previewed, self._cells)
            self._tell_cell(*self._pointed)

    def _tell_cell(self, row: int, column: int) -> None:
        self._pointed = row, column
        if self._layer is not None:
            self.captions.tell_cell(self._pointed, self._layer.info, self._previewed, self._cells)

    def _draw_preview(self) -> None:
        show, shown = self._show(), None
        if self._previewed is not None:
            shown, self._densest = levels.preview_levels(self._previewed, show, stretch=self._cells is None)
        if shown is None or show == "quantity":
            self.heatmap.set_preview(None, 0)
        else:
            self.heatmap.set_preview(shown, levels.rest_level(show), self._cell_of(shown.shape))
        self._draw_scale()

    def _cell_of(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Rows and columns of the matrix that one of the preview's levels stands for."""
        assert self._layer is not None  # noqa: S101  # set before
        block, pixels = levels.block_of(self._layer.info), self._layer.info.preview_shape
        return block[0] * pixels[0] / shape[0], block[1] * pixels[1] / shape[1]

    def _draw_scale(self) -> None:
        assert self._layer is not None  # noqa: S101  # set before
        quantity = self._layer.info.quantity
        self.heatmap.set_scale(levels.scale_of(self._show(), self._extreme(), self._densest, quantity))

    def _extreme(self) -> float:
        """The |w| of the strongest colour: the preview's, so that true cells keep its colours."""
        if self._previewed is not None:
            return self._previewed.preview_scale
        return levels.largest(self._cells) if self._cells is not None else 0.0

    def _draw_cells(self) -> None:
        if self._cells is None or self._layer is None:
            return
        shown = levels.cell_levels(self._cells, self._show(), self._extreme(), self._layer.info.quantity)
        self.heatmap.set_cells(shown, levels.rest_level(self._show()), self._cells.row, self._cells.column)

    def _drop_cells(self) -> None:
        self._cells = None
        self.heatmap.clear_cells()
        self._ask_soon(ASK_AFTER_DRAW_MS)

    def _show(self) -> str:
        return str(self.shows.currentData())

    def _ask_soon(self, delay_ms: int = ASK_AFTER_MOVE_MS) -> None:
        if self._cells_available and self.history is not None:
            self._asking.start(delay_ms)

    def _ask_for_cells(self) -> None:
        row0, row1, column0, column1 = self.heatmap.visible()
        if self._cells_available and self.history is not None and 0 < (row1 - row0) * (column1 - column0) <= MOST_CELLS:
            self.cells_wanted.emit(self.layer(), row0, row1, column0, column1)

    def _clear(self) -> None:
        self._asking.stop()
        self._infos, self._layer, self._previewed, self._drawn, self._cells = [], None, None, None, None
        with QSignalBlocker(self.layers):
            self.layers.clear()
        self.heatmap.set_preview(None, 0)
        self.heatmap.clear_cells()

    def _restyle(self, theme: Theme) -> None:
        self.heatmap.restyle(theme)
        self.heatmap.set_colours(levels.colours(self._show(), theme))
        self.captions.restyle(theme)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and -, move with the arrows, see all with Home."""
        zooms: dict[int, float] = {_Key.Key_Plus: 0.8, _Key.Key_Minus: 1.25}
        right: dict[int, float] = {_Key.Key_Left: -0.1, _Key.Key_Right: 0.1}
        down: dict[int, float] = {_Key.Key_Up: -0.1, _Key.Key_Down: 0.1}
        key = event.key()
        if key == _Key.Key_Home:
            self.heatmap.reset()
        elif key in zooms:
            self.heatmap.zoom(zooms[key])
        elif key in right or key in down:
            self.heatmap.move_by(right.get(key, 0), down.get(key, 0))
        else:
            super().keyPressEvent(event)
