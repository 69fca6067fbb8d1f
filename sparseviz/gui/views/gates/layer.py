"""One layer large: its histogram and strip, what is kept and cut, and what lies at the crosshair."""

import math

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel, percent, shape_text
from sparseviz.gui.views.gates.bins import fate
from sparseviz.gui.views.gates.focusable import OUTLINE, Focusable
from sparseviz.gui.views.gates.large_plots import LargePlots
from sparseviz.gui.views.gates.strip import Frame
from sparseviz.gui.views.gates.words import GateWords
from sparseviz.values.snapshot import HISTOGRAM_BINS, LayerSnapshot

_STRIDES = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ENDS = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: HISTOGRAM_BINS - 1}
_NEIGHBOURS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class GateLayer(Focusable):
    """Left and Right move the crosshair from bin to bin, Up and Down go to the neighbour."""

    went = Signal(int)  # to the layer so many rows further

    def __init__(self) -> None:
        super().__init__()
        self.number = 0  # of the layer
        self._frame: Frame | None = None
        self._bin: int | None = None
        self._at: float | None = None  # the epoch at the crosshair; None is now
        self.words, self.plots = GateWords(), LargePlots()
        self.split, self.readout = FittingLabel(), FittingLabel()
        column = QVBoxLayout(self)
        column.setContentsMargins(OUTLINE, OUTLINE, OUTLINE, OUTLINE)
        column.setSpacing(1)
        for label in (self.split, self.readout):
            label.setContentsMargins(6, 0, 4, 0)
        for widget, stretch in ((self.words, 0), (self.split, 0), (self.plots.canvas, 1), (self.readout, 0)):
            column.addWidget(widget, stretch)
        self.setAccessibleName(self.tr("One layer, now and over time"))
        self.setAccessibleDescription(
            self.tr("Left and Right read a bin, Up and Down go to the neighbouring layer, Escape shows all layers.")
        )
        self.plots.canvas.setAccessibleName(self.tr("Histogram now and over time of one layer"))
        self.plots.canvas.scene().sigMouseMoved.connect(self._point)
        self.plots.canvas.viewport().installEventFilter(self)

    def draw(self, frame: Frame, number: int) -> None:
        """Draw layer number `number`."""
        self._frame, self.number = frame, number
        now = frame.layer(number)
        told = self.words.tell(now)
        self._split(now)
        self.setAccessibleName(", ".join((shape_text(now.info.shape), *told)))
        self.plots.canvas.setAccessibleName(self.tr("Histogram now and over time, {0}").format(now.info.name))
        self.plots.draw(frame, number)
        self.plots.name_axes(frame, now.info)
        self._read()

    def _split(self, now: LayerSnapshot) -> None:
        """Tell the full bars from the hollow ones."""
        kept, cut = f"■ {now.kept:,}", f"□ {now.info.weights - now.kept:,}"
        parts = self.tr("{0} kept").format(kept), self.tr("{0} cut").format(cut)
        if math.isnan(now.threshold):
            self.split.set_texts(self.tr("{0}: nothing is cut yet").format(parts[0]), parts[0], kept)
            return
        below = self.tr("{0} below {1:.3g}").format(parts[1], now.threshold)
        shape = shape_text(now.info.shape)
        both = " · ".join(parts)
        self.split.set_texts(f"{parts[0]} · {below} · {shape}", f"{parts[0]} · {below}", both, f"{kept} · {cut}")

    def _point(self, place: QPointF) -> None:
        found = self.plots.bin_at(place)
        self._bin, self._at = found or (None, None)
        self._read()

    def _read(self) -> None:
        """Write out the bin at the crosshair, and lay the crosshair there."""
        frame, number = self._frame, self._bin
        if frame is None:
            return
        at = frame.position if self._at is None else frame.nearest(self._at)
        epoch = frame.history[at].epoch
        self.plots.mark(number, None if number is None else epoch)
        if number is None:
            self.readout.set_texts(
                self.tr("Point, or press Left and Right, to read a bin; Up and Down: neighbours; Esc: all layers."),
                self.tr("Left, Right: read; Up, Down: neighbours."),
            )
            return
        self._tell_bin(frame.history[at].layers[self.number], number, epoch)

    def _tell_bin(self, layer: LayerSnapshot, number: int, epoch: float) -> None:
        low, high = (float(edge) for edge in self.plots.edges[number : number + 2])
        count = int(layer.histogram[number])
        place = self.tr("{0} {1:.3f} to {2:.3f}").format(layer.info.quantity.name, low, high)
        weights = self.tr("1 weight") if count == 1 else self.tr("{0:,} weights").format(count)
        when = self.tr("epoch {0:.4g}").format(epoch)
        state = {"kept": self.tr("kept"), "cut": self.tr("cut"), "both": self.tr("kept or cut")}
        end = state[fate(low, high, layer.threshold)]
        share = f"{weights} ({percent(count / layer.info.weights)} %)"
        short = f"{low:.3f}-{high:.3f}: {count:,}"
        self.readout.set_texts(
            f"{when} · {place}: {share}, {end}", f"{when} · {place}: {weights}", f"{place}: {weights}", short
        )

    def forget(self) -> None:
        """Let the history go."""
        self._frame = None
        self.plots.forget()

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self.outline = theme.accent
        self.words.restyle(theme)
        self.plots.restyle(theme, self.font())
        mute(self.readout, theme)
        for label in (self.split, self.readout):
            label.setFont(small(self.font()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the plots the room there is."""
        super().resizeEvent(event)
        self.plots.arrange(self.width(), self.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Put the crosshair away when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self._bin, self._at = None, None
            self._read()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair, or go to a neighbour."""
        key = Qt.Key(event.key())
        if key in _NEIGHBOURS:
            self.went.emit(_NEIGHBOURS[key])
        elif key in _ENDS or key in _STRIDES:
            self._bin, self._at = _ENDS.get(key, self._step(_STRIDES.get(key, 0))), None
            self._read()
        else:
            super().keyPressEvent(event)

    def _step(self, stride: int) -> int:
        """The bin beside the crosshair; without one the first or the last."""
        if self._bin is None:
            return 0 if stride > 0 else HISTOGRAM_BINS - 1
        return min(max(self._bin + stride, 0), HISTOGRAM_BINS - 1)
