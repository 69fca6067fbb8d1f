"""All layers in one picture: a thin line each, over time, as bright as the share that is kept or undecided."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from sparseviz.gui.qt.theme import Theme, count_colours, mute, small, style_canvas, style_plot
from sparseviz.gui.views.base import FittingLabel, percent, undecided
from sparseviz.gui.views.gates import counts
from sparseviz.gui.views.gates.focusable import OUTLINE, Focusable
from sparseviz.gui.views.gates.large_plots import settle
from sparseviz.gui.views.gates.list import OPENING
from sparseviz.gui.views.gates.strip import Frame
from sparseviz.values.history import History
from sparseviz.values.snapshot import Snapshot

FEW = 8  # layers that need no overview
AXIS_WIDTH = 30  # pixels: the number of a layer
LEAST_HEIGHT = 110  # pixels
LINE_HEIGHT = 3  # pixels of a layer, where there is room
_STRIDES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}
_STRIDES |= {Qt.Key.Key_Home: -(10**6), Qt.Key.Key_End: 10**6}


class Shares:
    """The shares kept and undecided of every layer at every snapshot; those it has of a history stay."""

    def __init__(self) -> None:
        self._shares: npt.NDArray[np.float32] = np.zeros((2, 0, 0), dtype=np.float32)  # (kept or undecided, T, layers)
        self._history: History | None = None
        self._length = 0

    def forget(self) -> None:
        """Let the history go."""
        self._history, self._length = None, 0

    def until(self, frame: Frame) -> npt.NDArray[np.float32]:
        """The shares at all snapshots of a frame, (2, T, layers); NaN is a share of nothing."""
        length, layers = len(frame.epochs), len(frame.now.layers)
        if frame.history is not self._history or self._length > length:
            self._history, self._length = frame.history, 0
            self._shares = np.zeros((2, 64, layers), dtype=np.float32)
        if length > self._shares.shape[1]:
            more = np.zeros((2, 2 * length - self._shares.shape[1], layers), dtype=np.float32)
            self._shares = np.concatenate([self._shares, more], axis=1)
        for position in range(self._length, length):
            self._shares[:, position] = _shares(frame.history[position])
        self._length = length
        return self._shares[:, :length]


def _shares(snapshot: Snapshot) -> list[list[float]]:
    kept = [layer.kept / layer.info.weights for layer in snapshot.layers]
    return [kept, [undecided(layer) for layer in snapshot.layers]]


class Overview(Focusable):
    """Point at a line for the layer's name, click to go to it, double click to see it large."""

    chosen = Signal(int)  # the layer to go to
    opened = Signal(int)  # the layer that is wanted large

    def __init__(self) -> None:
        super().__init__()
        self._frame: Frame | None = None
        self._shown: list[int] = []  # the layers, from top to bottom
        self._shares = Shares()
        self.pointed: int | None = None  # a line
        self._at: int | None = None  # a snapshot; None is now
        self._strength = ""  # which way the colours grow
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 2, 8, 0)
        self.plots = [self._add_plot(column) for column in range(2)]
        self.images = [self._add(plot, pg.ImageItem(axisOrder="row-major", levels=(0, 255))) for plot in self.plots]
        self.sights = [self._add(plot, _band()) for plot in self.plots]
        self.pointers = [self._add(plot, _band()) for plot in self.plots]
        self.nows = [self._add(plot, pg.InfiniteLine(angle=90)) for plot in self.plots]
        self.captions = [FittingLabel(), FittingLabel()]
        self.readout = FittingLabel()
        self._arrange()
        self.canvas.scene().sigMouseMoved.connect(self._point)
        self.canvas.scene().sigMouseClicked.connect(self._click)
        self.canvas.viewport().installEventFilter(self)

    def _add_plot(self, column: int) -> Any:
        plot = self.canvas.addPlot(0, column, enableMenu=False)
        plot.invertY(True)
        plot.getAxis("bottom").setStyle(maxTickLevel=0)
        settle(plot, AXIS_WIDTH)
        return plot

    def _add(self, plot: Any, item: Any) -> Any:
        plot.addItem(item)
        return item

    def _arrange(self) -> None:
        self.setAccessibleName(self.tr("Overview of all layers"))
        self.canvas.setAccessibleName(self.tr("Share kept and undecided of every layer over time"))
        self.setToolTip(self.tr("Click: go to the layer; double click or Enter: the layer large; Up and Down: walk."))
        column, head = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(OUTLINE, OUTLINE, OUTLINE, OUTLINE)
        column.setSpacing(0)
        for caption in self.captions:
            caption.setContentsMargins(AXIS_WIDTH, 0, 0, 0)
            head.addWidget(caption, 1)
        self.readout.setContentsMargins(6, 0, 6, 0)
        column.addLayout(head)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.readout)
        self.setMinimumHeight(LEAST_HEIGHT)

    def set_shown(self, layers: list[int]) -> None:
        """Show these layers; a few need no overview."""
        self._shown = layers
        self.pointed = None
        self.setVisible(len(layers) > FEW)
        self.setMaximumHeight(max(LINE_HEIGHT * len(layers) + 60, LEAST_HEIGHT))
        if self._frame is not None:
            self.draw(self._frame)

    def draw(self, frame: Frame) -> None:
        """Draw all that the frame's times show."""
        self._frame = frame
        if len(self._shown) <= FEW:
            return
        shares = self._shares.until(frame)
        for part in (self.plots[1], self.captions[1]):
            part.setVisible(not math.isnan(shares[1, -1, 0]))  # without gates nothing is undecided
        for number, part in enumerate(shares):
            self._draw_image(number, part, frame)
        self._caption(frame)
        self._read()

    def _draw_image(self, number: int, shares: npt.NDArray[np.float32], frame: Frame) -> None:
        plot, image, (begin, end) = self.plots[number], self.images[number], frame.part()
        lines = len(self._shown)
        plot.setRange(xRange=frame.times, yRange=(0, lines), padding=0)
        plot.getAxis("left").setTicks([[(place - 0.5, f"{place}") for place in (1, lines // 2, lines)]])
        image.setVisible(begin < end)
        if begin < end:
            picture = counts.share_levels(shares[frame.columns][:, self._shown].T, log=frame.log)
            image.setImage(np.ascontiguousarray(picture), levels=(0, 255))
            image.setRect(begin, 0, end - begin, lines)
        self.nows[number].setVisible(frame.is_past)
        self.nows[number].setValue(frame.now.epoch)

    def _caption(self, frame: Frame) -> None:
        scale = self.tr("log") if frame.log else self.tr("linear")
        for caption, name in zip(self.captions, (self.tr("share kept"), self.tr("share undecided")), strict=True):
            some = self.tr("{0} ({1}), {2} layers").format(name, scale, len(self._shown))
            caption.set_texts(
                f"{some}; {self._strength}", f"{name} ({scale}); {self._strength}", f"{name} ({scale})", name
            )

    def set_in_sight(self, layers: list[int]) -> None:
        """Mark the layers that can be seen in the list."""
        lines = [line for line, layer in enumerate(self._shown) if layer in layers]
        for band in self.sights:
            band.setVisible(bool(lines))
            if lines:
                band.setRegion((lines[0], lines[-1] + 1))

    def _read(self) -> None:
        """Write out the layer that is pointed at, and mark its line."""
        for band in self.pointers:
            band.setVisible(self.pointed is not None)
            if self.pointed is not None:
                band.setRegion((self.pointed, self.pointed + 1))
        if self._frame is None or self.pointed is None:
            self.readout.set_texts(self.tr("Point at a line, or press Up and Down, to read a layer."), "")
            return
        snapshot = self._frame.history[self._frame.position if self._at is None else self._at]
        layer = snapshot.layers[self._shown[self.pointed]]
        kept = self.tr("{0} % kept").format(percent(layer.kept / layer.info.weights))
        parts = [layer.info.name, kept]
        if not math.isnan(undecided(layer)):
            parts.append(self.tr("{0} % undecided").format(percent(undecided(layer))))
        epoch = self.tr("epoch {0:.4g}").format(snapshot.epoch)
        self.readout.set_texts(" · ".join((*parts, epoch)), " · ".join(parts), " · ".join(parts[:2]), layer.info.name)

    def _line(self, place: QPointF) -> tuple[int, float] | None:
        """The line and the epoch at a place of the canvas."""
        for plot in self.plots:
            if plot.isVisible() and plot.getViewBox().sceneBoundingRect().contains(place):
                at = plot.getViewBox().mapSceneToView(place)
                return min(max(math.floor(at.y()), 0), len(self._shown) - 1), at.x()
        return None

    def _point(self, place: QPointF) -> None:
        found = self._line(place) if self._frame is not None and self._shown else None
        self.pointed = found[0] if found else None
        self._at = self._frame.nearest(found[1]) if found and self._frame else None
        self._read()

    def _click(self, event: Any) -> None:
        found = self._line(event.scenePos())
        if found is not None:
            (self.opened if event.double() else self.chosen).emit(self._shown[found[0]])

    def forget(self) -> None:
        """Let the history go."""
        self._frame = None
        self._shares.forget()

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self.outline = theme.accent
        self._strength = self.tr("brighter: more") if theme.dark else self.tr("darker: more")
        style_canvas(self.canvas, theme)
        for plot, image, now in zip(self.plots, self.images, self.nows, strict=True):
            style_plot(plot, theme, small(self.font()))
            image.setLookupTable(count_colours(theme))
            now.setPen(pg.mkPen(theme.text))
        seen, read = pg.mkPen(theme.warning, style=Qt.PenStyle.DashLine), pg.mkPen(theme.accent, width=2)
        for bands, pen in ((self.sights, seen), (self.pointers, read)):
            for line in (line for band in bands for line in band.lines):
                line.setPen(pen)
        if self._frame is not None:
            self._caption(self._frame)
        for label in (*self.captions, self.readout):
            mute(label, theme)
            label.setFont(small(self.font()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Point at nothing when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self.pointed, self._at = None, None
            self._read()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk the lines, or open the layer."""
        key = Qt.Key(event.key())
        if key in OPENING and self.pointed is not None:
            self.opened.emit(self._shown[self.pointed])
        elif key in _STRIDES:
            start = (-1 if _STRIDES[key] > 0 else len(self._shown)) if self.pointed is None else self.pointed
            self.pointed, self._at = min(max(start + _STRIDES[key], 0), len(self._shown) - 1), None
            self._read()
        else:
            super().keyPressEvent(event)


def _band() -> Any:
    """Two lines, at the first and after the last of some layers."""
    return pg.LinearRegionItem(orientation="horizontal", movable=False, brush=QColor(0, 0, 0, 0))
