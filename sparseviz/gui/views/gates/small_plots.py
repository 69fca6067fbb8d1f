"""The two plots of one layer among many: the histogram of its decisive quantity now, and the strip of it over time."""

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QMarginsF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen, QPicture
from PySide6.QtWidgets import QWidget

from sparseviz.gui.qt.theme import Theme, count_colours, small
from sparseviz.gui.views.gates import counts
from sparseviz.gui.views.gates.bins import Bars
from sparseviz.gui.views.gates.strip import Frame, Strip
from sparseviz.gui.views.plots.ruler import FOOT, Ruler, even_ticks, padded
from sparseviz.values.snapshot import ByteArray, LayerSnapshot, Quantity

AXIS_WIDTHS = 34, 30  # pixels, of the histogram and of the strip: room for 100k and for 0.5
_MARGINS = QMarginsF(1, 5, 9, 1 + FOOT)  # pixels around the plots; their left axes are inside
_GAP = 8  # pixels between the plots
_SHARE = 0.487  # of the width, for the histogram
_ROOM = 0.02  # of a range, at each end
_SLACK = 15  # pixels by which the numbers of an axis may reach beyond its ends
_HALO = 170  # of 255: how much of a strip it covers


class SmallPlots(QWidget):
    """Painted as one thing: as items of a scene, the plots of a few layers would take most of a redraw's time."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        super().__init__()
        self.now: LayerSnapshot | None = None
        self.frame: Frame | None = None
        self.bars: Bars | None = None
        self.image: ByteArray | None = None  # (HISTOGRAM_BINS, STRIP_COLUMNS); None: no snapshots in the strip's times
        self._strip = Strip()
        self._drawn: object = None  # what the image shows
        self._picture = QImage()  # the image in colours
        self._axes = QPicture()  # those that seldom change
        self._axes_of: object = None  # what they depend on
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # what lies below need not be painted
        self.restyle(theme, font)

    def draw(self, frame: Frame, layer: int) -> None:
        """Draw a layer as it is now; the strip shows all that the frame's times do."""
        self.now, self.frame = frame.layer(layer), frame
        self.bars = Bars.of(self.now, log=frame.log)
        drawn = frame.history, len(frame.epochs), layer, frame.log, frame.times
        if drawn != self._drawn:
            self._drawn = drawn
            begin, end = frame.part()
            self.image = self._strip.image(frame, layer) if begin < end else None
            self._colour()
        self.update()

    def forget(self) -> None:
        """Let the history go."""
        self.now, self.frame, self.bars, self._drawn = None, None, None, None
        self._strip.forget()

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours."""
        self._theme, self._axes_of = theme, None
        self._colours: npt.NDArray[np.uint32] | None = None  # of every level; found when a strip is drawn
        self.setFont(small(font))
        self._colour()
        self.update()

    def _colour(self) -> None:
        if self.image is not None:
            if self._colours is None:
                colours = [QColor(*colour).rgb() for colour in count_colours(self._theme).tolist()]
                self._colours = np.array(colours, dtype=np.uint32)
            pixels = self._colours[self.image[::-1]]  # pictures begin at the top
            height, width = pixels.shape
            # one of 8 bits with a table takes longer to paint
            self._picture = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()

    def rulers(self, quantity: Quantity, top: float, times: tuple[float, float]) -> tuple[Ruler, Ruler, Ruler, Ruler]:
        """The axes: counts and quantity of the histogram, quantity and epochs of the strip."""
        inside, values = QRectF(self.rect()).marginsRemoved(_MARGINS), padded(quantity.low, quantity.high, _ROOM)
        share, (left, right) = _SHARE * (inside.width() - _GAP), AXIS_WIDTHS
        histogram = QRectF(inside.left() + left, inside.top(), share - left, inside.height())
        strip = inside.adjusted(share + _GAP + right, 0, 0, 0)
        return (
            _left(histogram, left, padded(0, top, _ROOM)),
            _below(histogram, values),
            _left(strip, right, values),
            _below(strip, times),
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint both plots."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.background)
        if self.now is not None and self.frame is not None and self.bars is not None:
            quantity, frame = self.now.info.quantity, self.frame
            up, across, along, time = self.rulers(quantity, self.bars.top, frame.times)
            self._paint_histogram(painter, up, across, self.bars, self.now.threshold)
            self._paint_strip(painter, along, time, self.now, frame)
            self._paint_axes(painter, (up, across, along), quantity, self.bars.most, log=frame.log)
            time.paint(painter, [even_ticks(*frame.times, time.length)], self._theme.muted)
        painter.end()

    def _paint_histogram(self, painter: QPainter, up: Ruler, across: Ruler, bars: Bars, threshold: float) -> None:
        floor = up.place(0.0)
        places = across.place(bars.edges).tolist()
        painter.setClipRect(_room(up, across))
        painter.setPen(Qt.PenStyle.NoPen)
        for heights, colour in ((bars.cut, self._theme.pale), (bars.kept, self._theme.accent)):
            tops = up.place(heights).tolist()
            painter.setBrush(colour)
            painter.drawRects(
                [
                    QRectF(left, top, right - left, floor - top)
                    for left, right, top in zip(places[:-1], places[1:], tops, strict=True)
                    if top < floor
                ]
            )
        if not math.isnan(threshold):
            at = across.place(threshold)
            painter.setPen(_dashes(self._theme))
            painter.drawLine(QLineF(at, up.bounds.bottom(), at, up.bounds.top()))

    def _paint_strip(self, painter: QPainter, along: Ruler, time: Ruler, now: LayerSnapshot, frame: Frame) -> None:
        painter.setClipRect(_room(along, time))
        begin, end = (time.place(epoch) for epoch in frame.part())
        if self.image is not None:
            low, high = (along.place(value) for value in (now.info.quantity.low, now.info.quantity.high))
            painter.drawImage(QRectF(begin, high, end - begin, low - high), self._picture)
        if not math.isnan(now.threshold):
            at = along.place(now.threshold)
            halo = QColor(self._theme.background)  # the threshold would be lost on colours like its own
            halo.setAlpha(_HALO)
            for pen in (QPen(halo, 3), _dashes(self._theme)):
                painter.setPen(pen)
                painter.drawLine(QLineF(time.bounds.left(), at, time.bounds.right(), at))
        if frame.is_past:
            at = time.place(frame.now.epoch)
            painter.setPen(self._theme.text)
            painter.drawLine(QLineF(at, along.bounds.bottom(), at, along.bounds.top()))
        painter.setClipping(False)

    def _paint_axes(
        self, painter: QPainter, rulers: tuple[Ruler, ...], quantity: Quantity, most: int, *, log: bool
    ) -> None:
        """Paint those of counts and of the quantity, which are the same from snapshot to snapshot."""
        depends = self.size(), quantity, most, log
        if depends != self._axes_of:
            self._axes_of, self._axes = depends, QPicture()
            heights = counts.log_ticks(most, every=2) if log else counts.linear_ticks(most, few=True)
            recorder = QPainter(self._axes)
            recorder.setFont(self.font())
            for ruler, ticks in zip(rulers, (heights, *[ends_and_middle(quantity)] * 2), strict=True):
                ruler.paint(recorder, ticks, self._theme.muted)
            recorder.end()
        painter.drawPicture(0, 0, self._axes)


def ends_and_middle(quantity: Quantity) -> counts.Ticks:
    """The ticks of an axis of the decisive quantity: 0, 0.5, 1 for a gate."""
    middle = (quantity.low + quantity.high) / 2
    return [[(value, f"{value:g}") for value in (quantity.low, middle, quantity.high)]]


def _left(room: QRectF, width: int, ends: tuple[float, float]) -> Ruler:
    return Ruler(QRectF(room.left() - width, room.top(), width, room.height()), *ends, "left", _SLACK)


def _below(room: QRectF, ends: tuple[float, float]) -> Ruler:
    return Ruler(QRectF(room.left(), room.bottom(), room.width(), FOOT), *ends, "bottom", _SLACK)


def _room(left: Ruler, below: Ruler) -> QRectF:
    """The plot between its axes."""
    return QRectF(below.bounds.left(), left.bounds.top(), below.bounds.width(), left.bounds.height())


def _dashes(theme: Theme) -> QPen:
    return QPen(theme.warning, 1, Qt.PenStyle.DashLine)
