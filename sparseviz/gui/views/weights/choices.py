"""What of a layer the weights view shows, and how it lies: the row of choices above the heatmap."""

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from sparseviz.gui.views.layer_filter import LayerBox
from sparseviz.gui.views.weights.levels import FROM_CELLS, SHOWS
from sparseviz.gui.views.weights.placement import KINDS

_Box = TypeVar("_Box", bound=QComboBox)

_ROOMY = 640  # pixels: from here on there is room for the names of the boxes


class Choices(QWidget):
    """Layer, what a colour stands for, arrangement, order, and whether a unit's view is open."""

    layer_changed = Signal()
    show_changed = Signal()
    arrangement_changed = Signal()  # the arrangement or its order
    unit_toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.shows, self.kinds = self._fit_box(LayerBox()), *(self._fit_box(QComboBox()) for _ in range(2))
        self._labels = [QLabel(text) for text in (self.tr("Layer"), self.tr("Show"), self.tr("As"))]
        self.order, self.unit = QToolButton(), QToolButton()
        self.sort_rows, self.sort_columns = self._orders()
        self._cells_available, self._is_trained = False, True
        self._fill()
        self._name()
        self._arrange()
        self.layers.currentIndexChanged.connect(self.layer_changed)
        self.shows.currentIndexChanged.connect(self.show_changed)
        self.kinds.currentIndexChanged.connect(self._change_kind)
        self.unit.toggled.connect(self.unit_toggled)

    def _fit_box(self, box: _Box) -> _Box:
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(2)
        box.view().setTextElideMode(Qt.TextElideMode.ElideNone)
        return box

    def _orders(self) -> tuple[QAction, QAction]:
        menu = QMenu(self.order)
        made = tuple(
            QAction(text, menu, checkable=True)
            for text in (self.tr("Fullest &rows first"), self.tr("Fullest &columns first"))
        )
        for action in made:
            menu.addAction(action)
            action.toggled.connect(self.arrangement_changed)
        self.order.setMenu(menu)
        self.order.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return made[0], made[1]

    def _fill(self) -> None:
        for key, text in zip(SHOWS, self._show_names(), strict=True):
            self.shows.addItem(text, key)
        for key, text in zip(KINDS, (self.tr("matrix"), self.tr("kernels"), self.tr("images")), strict=True):
            self.kinds.addItem(text, key)
        self._fit_popup(self.shows)

    def _fit_popup(self, box: QComboBox) -> None:
        widest = max((box.fontMetrics().horizontalAdvance(box.itemText(at)) for at in range(box.count())), default=0)
        box.view().setMinimumWidth(widest + 40)

    def _show_names(self) -> tuple[str, ...]:
        return (
            self.tr("magnitude of kept weights"),
            self.tr("sign of kept weights"),
            self.tr("mask"),
            self.tr("density of kept weights"),
            self.tr("decisive quantity"),
            self.tr("age: when it was cut"),
        )

    def _name(self) -> None:
        self.order.setText(self.tr("Sort"))
        self.unit.setText(self.tr("Unit"))
        self.unit.setCheckable(True)
        told = (
            (self.layers, self.tr("Layer"), self.tr("The layer whose weights are shown")),
            (self.shows, self.tr("Show"), self.tr("What the colour of a cell stands for")),
            (
                self.kinds,
                self.tr("Arrangement"),
                self.tr(
                    "The matrix as it is, a convolution's kernels side by side, or a first layer's units as images"
                ),
            ),
            (self.order, self.tr("Order of rows and columns"), self.tr("Sort rows or columns by what is kept in them")),
            (
                self.unit,
                self.tr("Picture of the chosen unit"),
                self.tr("What one output unit sees of the input (U); a click, Page Up and Page Down choose the unit"),
            ),
        )
        for widget, name, tip in told:
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for label, box, share in zip(self._labels, (self.layers, self.shows, self.kinds), (2, 4, 2), strict=True):
            label.setBuddy(box)
            label.hide()
            row.addWidget(label)
            row.addWidget(box, share)
        row.addWidget(self.order)
        row.addWidget(self.unit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the names out where there is little room."""
        super().resizeEvent(event)
        for label in self._labels:
            label.setVisible(self.width() >= _ROOMY)

    def layer(self) -> str:
        """The chosen layer's name; empty before there are any."""
        return self.layers.name()

    def show_key(self) -> str:
        """One of SHOWS."""
        return str(self.shows.currentData())

    def kind(self) -> str:
        """One of KINDS."""
        return str(self.kinds.currentData())

    def needs_cells(self) -> bool:
        """Whether a preview cannot show what is chosen."""
        sorted_ = self.sort_rows.isChecked() or self.sort_columns.isChecked()
        return self.show_key() in FROM_CELLS or self.kind() != "matrix" or sorted_

    def set_layers(self, names: Sequence[str], first: str) -> None:
        """Choose among these layers; stays at the one that was chosen if it is among them."""
        chosen = self.layer()
        self.layers.set_names(names, chosen if chosen in names else first)
        self._fit_popup(self.layers)

    def set_kinds(self, allowed: Sequence[str]) -> None:
        """Offer these arrangements; another that was chosen gives way to the matrix."""
        self._offer(self.kinds, KINDS, [kind for kind in allowed if kind == "matrix" or self._cells_available])

    def set_quantity(self, name: str) -> None:
        """Name the layer's decisive quantity."""
        self.shows.setItemText(SHOWS.index("quantity"), self.tr("decisive quantity: {0}").format(name))

    def set_trained(self, trained: bool) -> None:
        """Say whether more than weights is known from now on: ages, and what a unit sees of the input."""
        self._is_trained = trained

    def set_cells_available(self, available: bool, kinds: Sequence[str]) -> None:
        """Offer what only true cells can show, or not: while a run trains there are none."""
        self._cells_available = available
        known = [show for show in SHOWS if available or show not in FROM_CELLS]
        self._offer(self.shows, SHOWS, [show for show in known if self._is_trained or show != "age"])
        self.set_kinds(kinds)
        if not available:
            self.sort_rows.setChecked(False)
            self.sort_columns.setChecked(False)
        self.order.setEnabled(available)
        self.unit.setEnabled(available and self._is_trained)
        if not self.unit.isEnabled():
            self.unit.setChecked(False)
        self._change_kind_tools()

    def _offer(self, box: QComboBox, keys: Sequence[str], allowed: Sequence[str]) -> None:
        model = box.model()
        assert isinstance(model, QStandardItemModel)  # noqa: S101  # a QComboBox makes one
        for number, key in enumerate(keys):
            item = model.item(number)
            item.setEnabled(key in allowed)
            needs = self.tr("True cells come while the run is paused or stored.") if not self._cells_available else ""
            none = self.tr("A model file does not tell it.") if key == "age" else self.tr("This layer has none.")
            item.setToolTip("" if key in allowed else needs or none)
        if box.currentData() not in allowed:
            box.setCurrentIndex(0)

    def _change_kind(self) -> None:
        self._change_kind_tools()
        self.arrangement_changed.emit()

    def _change_kind_tools(self) -> None:
        self.order.setEnabled(self._cells_available and self.kind() == "matrix")
