"""Gates: for every layer the histogram of its decisive quantity now, and how it came there over time."""

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, mute
from sparseviz.gui.views.base import FittingLabel, View
from sparseviz.gui.views.gates.bar import GateBar
from sparseviz.gui.views.gates.bins import bin_rows
from sparseviz.gui.views.gates.layer import GateLayer
from sparseviz.gui.views.gates.list import GateList
from sparseviz.gui.views.gates.overview import Overview
from sparseviz.gui.views.gates.row import GateRow
from sparseviz.gui.views.gates.small_plots import AXIS_WIDTHS
from sparseviz.gui.views.gates.strip import Frame, whole
from sparseviz.values.history import History
from sparseviz.values.snapshot import LayerInfo

_LARGE = 1  # the second screen


class GatesView(View):
    """All layers as rows, with an overview where they are many; or one of them large."""

    _infos: Sequence[LayerInfo] = ()  # of the run that is shown, or was last

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times: tuple[float, float] | None = None  # the epochs that the strips show; None is all
        self._frame: Frame | None = None
        self.bar, self.overview, self.list = GateBar(), Overview(), GateList()
        self.captions = FittingLabel(), FittingLabel()
        self._screens = QStackedWidget()
        self._arrange()
        self._connect()
        self._restyle(self.theme)

    def _arrange(self) -> None:
        footer = QHBoxLayout()
        for caption, width in zip(self.captions, AXIS_WIDTHS, strict=True):
            caption.setContentsMargins(width, 0, 0, 0)
            footer.addWidget(caption, 1)
        every = QWidget()
        rows, column = QVBoxLayout(every), QVBoxLayout(self.body)
        for layout in (rows, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2)
        rows.addWidget(self.overview, 3)
        rows.addWidget(self.list, 7)
        rows.addLayout(footer)
        self._screens.addWidget(every)
        column.addWidget(self.bar)
        column.addWidget(self._screens, 1)

    def _connect(self) -> None:
        self.bar.filter.textChanged.connect(self._filter)
        self.bar.filter.returnPressed.connect(self._enter_list)
        self.bar.log.toggled.connect(self._redraw)
        self.bar.back.clicked.connect(self.show_all)
        self.list.moved.connect(lambda: self.overview.set_in_sight(self.list.in_sight()))
        self.overview.chosen.connect(self.list.go)
        for source in (self.list, self.overview):
            source.opened.connect(self.show_layer)
        self.bar.went.connect(self._go)

    @cached_property
    def large(self) -> GateLayer:
        """One layer large; made when one is asked for."""
        made = GateLayer()
        made.went.connect(self._go)
        made.restyle(self.theme)
        self._screens.addWidget(made)
        return made

    @property
    def rows(self) -> list[GateRow]:
        """A row a layer; those that the filter leaves out are hidden."""
        return self.list.rows

    def title(self) -> str:
        """What the view is called."""
        return ", ".join(self._quantities()) or self.tr("Gates")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "Press Train to watch how every layer's weights part into those that are kept and those that are cut, or "
            "open a stored run to see how they did."
        )

    def lesson(self) -> str:
        """What the view teaches of the method."""
        if any(not info.quantity.is_gate for info in self._infos):
            return self.tr(
                "The method decides over every weight by a quantity ({0}), and keeps it while that is at or above the "
                "threshold (the dashed line, where anything is cut); the histogram shows where a layer's weights stand "
                "now, the strip how they came there. Watch at each cut how many weights stand close to the threshold: "
                "of those it is decided by little."
            ).format(self.title())
        return self.tr(
            "Every weight has a gate, and is kept while its gate is at or above the threshold (the dashed line); the"
            " histogram shows where a layer's gates stand now, the strip how they came there. Watch the two penalties"
            " empty the middle: where many gates stay undecided, raise λ₁; where too many end at 1, raise λ₂."
        )

    def _quantities(self) -> list[str]:
        """What the layers' weights are decided by, each once."""
        quantities = dict.fromkeys(info.quantity for info in self._infos)
        return [self.tr("Gates") if quantity.is_gate else quantity.name for quantity in quantities]

    def keys(self) -> list[tuple[str, str]]:
        """Those of the list and of a layer shown large."""
        return [
            (self.tr("go to another layer"), self.tr("Up, Down")),
            (self.tr("show the layer large"), self.tr("Enter")),
            (self.tr("read the bins of the large layer"), self.tr("Left, Right, Home, End")),
            (self.tr("show all layers again"), self.tr("Esc")),
            (self.tr("count linearly or on a log scale"), "L"),
            (self.tr("filter the layers by name"), "Ctrl+F"),
        ]

    def table(self) -> list[list[str | int | float]]:
        """A row for every bin of every layer that is shown."""
        if self._frame is None:
            return []
        frame, names = self._frame, (self.tr("layer"), self.tr("quantity"), self.tr("from"), self.tr("to"))
        when = self.tr("weights at epoch {0:.6g}").format(frame.now.epoch)
        layers = [self.large.number] if self.is_large() else self.list.shown()
        heading: list[str | int | float] = [*names, when, self.tr("kept or cut")]
        return [heading, *(row for layer in layers for row in bin_rows(frame.layer(layer)))]

    @Slot(float, float)
    def set_time_range(self, low: float, high: float) -> None:
        """Show these epochs in every strip.

        Raises:
            ValueError: `low` is not below `high`, or one is not finite.
        """
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"epochs from {low} to {high} are no range of time: low must be below high, both finite")
        self._times = low, high
        if self._frame is None or len(self._frame.history) == len(self._frame.epochs):  # else it is drawn soon
            self._redraw()

    def is_large(self) -> bool:
        """Whether one layer has the whole view."""
        return self._screens.currentIndex() == _LARGE

    @Slot(int)
    def show_layer(self, number: int) -> None:
        """Give one layer the whole view."""
        if self._frame is None:
            return
        self.large.draw(self._frame, number)
        self._screens.setCurrentWidget(self.large)
        self.list.show_row(number)
        shown = self.list.shown()
        self.bar.show_one(shown.index(number), len(shown))
        self.large.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def show_all(self) -> None:
        """Show all layers, the one that was large in sight."""
        was_large = self.is_large()
        self._screens.setCurrentIndex(0)
        self._tell_shown()
        if self._frame is not None and was_large:
            self._show(self._frame)
            self.list.go(self.large.number)

    @Slot(int)
    def _go(self, stride: int) -> None:
        number = self.list.neighbour(self.large.number, stride)
        if number != self.large.number:
            self.show_layer(number)

    @Slot(str)
    def _filter(self, pattern: str) -> None:
        self.list.show_only(pattern.strip())
        self.overview.set_shown(self.list.shown())
        self._tell_shown()

    def _tell_shown(self) -> None:
        self.bar.show_all(len(self.list.shown()), len(self.rows))

    @Slot()
    def _enter_list(self) -> None:
        if self.list.shown():
            self.list.go(self.list.current)

    def draw(self, history: History, position: int) -> None:
        """Draw the snapshot at `position` as now; the first time, rows have their places only after that."""
        super().draw(history, position)
        self.list.draw_rows()

    def _draw(self, history: History, position: int) -> None:
        infos = [layer.info for layer in history[position].layers]
        epochs = history.epochs()
        self._frame = Frame(history, position, epochs, self._times or whole(epochs), self.bar.log.isChecked())
        if infos != self._infos:
            self._begin(infos)
        self._show(self._frame)

    def _begin(self, infos: list[LayerInfo]) -> None:
        """Take other layers."""
        self._infos = infos
        self.rename()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # Tab stops at a layer instead
        self._screens.setCurrentIndex(0)
        self.list.set_layers(infos, self.theme)
        for before, row in pairwise([self.overview, *self.rows]):
            self.setTabOrder(before, row)  # new widgets would come last in the whole window
        self.overview.forget()
        self.overview.set_shown(self.list.shown())
        self._tell_shown()
        self._caption()
        if self.hasFocus():
            self._enter_list()

    def _show(self, frame: Frame) -> None:
        """Draw what can be seen."""
        if self.is_large():
            self.large.draw(frame, self.large.number)
            return
        self.overview.draw(frame)
        self.list.draw(frame)

    @Slot()
    def _redraw(self) -> None:
        """Draw the same moment on another scale or over other epochs."""
        self._caption()
        if self.history is not None:
            self.draw(self.history, self.position)

    def _caption(self) -> None:
        name = " / ".join(dict.fromkeys(info.quantity.name for info in self._infos))
        scale = self.tr("log") if self.bar.log.isChecked() else self.tr("linear")
        strength = self.tr("brighter") if self.theme.dark else self.tr("darker")
        left, right = self.captions
        left.set_texts(
            self.tr("weights ({0}) by {1}, now").format(scale, name), self.tr("{1} now ({0})").format(scale, name)
        )
        right.set_texts(
            self.tr("{1} over the epochs; {2}: more weights ({0})").format(scale, name, strength),
            self.tr("{1} over epochs; {2}: more ({0})").format(scale, name, strength),
            self.tr("{1} over epochs; {2}: more").format(scale, name, strength),
            self.tr("{1} over epochs").format(scale, name),
        )

    def _clear(self) -> None:
        """Let the history go; the rows stay, for the next run often has the same layers."""
        self._frame = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for part in self._parts():
            part.forget()

    def _parts(self) -> list[Overview | GateList | GateLayer]:
        """What draws, as far as it is made."""
        return [self.overview, self.list, *([self.large] if "large" in vars(self) else [])]

    def _restyle(self, theme: Theme) -> None:
        for caption in self.captions:
            mute(caption, theme)
        for part in (self.bar, *self._parts()):
            part.restyle(theme)
        self._caption()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Pass the keys on to the layer that is large, or to the current row."""
        super().focusInEvent(event)
        if self.is_large():
            self.large.setFocus(event.reason())
        else:
            self._enter_list()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Find a layer, change the scale, or see all again."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.show_all()
            self.bar.filter.begin()
        elif event.key() == Qt.Key.Key_L and not event.modifiers():
            self.bar.log.toggle()
        elif event.key() == Qt.Key.Key_Escape and self.is_large():
            self.show_all()
        elif event.key() == Qt.Key.Key_Escape and self.bar.filter.text():
            self.bar.filter.clear()
        else:
            super().keyPressEvent(event)
