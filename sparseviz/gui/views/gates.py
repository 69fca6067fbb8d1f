"""Gates: for every layer the histogram of its decisive quantity now, and how it came there over time."""

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from sparseviz.gui.theme import Theme, count_colours, mute, small, style_canvas, style_plot
from sparseviz.gui.views.base import FittingLabel, Table, View, percent, undecided
from sparseviz.gui.views.tables import histogram_rows
from sparseviz.snapshot import (
    HISTOGRAM_BINS,
    ByteArray,
    FloatArray,
    History,
    IntArray,
    LayerInfo,
    LayerSnapshot,
    Quantity,
)

ROW_HEIGHT = 88  # pixels, at least
STRIP_COLUMNS = 512  # more than a strip has pixels, so that snapshots at uneven times stand where they belong
AXIS_WIDTHS = 34, 30  # pixels, of the histogram and of the strip: room for 100k and for 0.5


class GatesView(View):
    """A row a layer; only rows in sight are drawn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[GateRow] = []
        self._list = QWidget()
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(4, 2, 4, 2)
        self._column.setSpacing(2)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(self._list)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(self.tr("Gates of every layer"))
        self._scroll.verticalScrollBar().valueChanged.connect(self._draw_rows)
        self._captions = FittingLabel(), FittingLabel()
        footer = QHBoxLayout()
        for caption, width in zip(self._captions, AXIS_WIDTHS, strict=True):
            caption.setContentsMargins(width, 0, 0, 0)
            footer.addWidget(caption, 1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 2)
        column.addWidget(self._scroll, 1)
        column.addLayout(footer)
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Gates")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "Press Train to watch the gates of every layer move to 0 or 1, or open a stored run to see how they did."
        )

    def lesson(self) -> str:
        """What the gates do."""
        return self.tr(
            "Each row is a layer: on the left how many weights have which gate now, on the right how the gates came "
            "there. Training should empty the middle, so that gates gather at 0 (cut) and at 1 (kept)."
        )

    def table(self) -> Table:
        """Every layer's histogram now."""
        if self.history is None:
            return []
        heads = [self.tr("layer"), self.tr("quantity"), self.tr("from"), self.tr("to"), self.tr("weights")]
        return [heads, *histogram_rows(self.history[self.position])]

    def _draw(self, history: History, position: int) -> None:
        infos = [layer.info for layer in history[position].layers]
        if infos != [row.info for row in self.rows]:
            self._clear()
            self._add_rows(infos)
        for row in self.rows:
            row.stale = True
        self._draw_rows()

    def _draw_rows(self) -> None:
        """Draw the rows in sight that have not been drawn since the last `draw`."""
        for index, row in enumerate(self.rows):
            hidden = row.isVisible() and row.visibleRegion().isEmpty()
            if row.stale and not hidden and self.history is not None:
                row.draw(self.history, self.position, index)

    def _add_rows(self, infos: list[LayerInfo]) -> None:
        for info in infos:
            row = GateRow(info)
            row.restyle(self.theme)
            self._column.addWidget(row, 1)
            self.rows.append(row)
        self._caption()

    def _caption(self) -> None:
        names = list(dict.fromkeys(row.info.quantity.name for row in self.rows))
        name = " / ".join(names)
        strength = self.tr("brighter") if self.theme.dark else self.tr("darker")
        left, right = self._captions
        left.set_texts(self.tr("weights (log) by {0}, now").format(name), self.tr("{0} now (log)").format(name))
        right.set_texts(
            self.tr("{0} over the epochs; {1}: more weights (log)").format(name, strength),
            self.tr("{0} over epochs; {1}: more").format(name, strength),
            self.tr("{0} over epochs").format(name),
        )

    def _clear(self) -> None:
        for row in self.rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self.rows = []

    def _restyle(self, theme: Theme) -> None:
        palette = self._list.palette()
        palette.setColor(self._list.backgroundRole(), theme.background)
        self._list.setPalette(palette)
        for caption in self._captions:
            mute(caption, theme)
        for row in self.rows:
            row.restyle(theme)
        self._caption()


class GateRow(QWidget):
    """One layer: two lines of words above a histogram and a strip."""

    def __init__(self, info: LayerInfo) -> None:
        super().__init__()
        self.info = info
        self.stale = True
        self._levels: ByteArray = np.zeros((64, HISTOGRAM_BINS), dtype=np.uint8)  # of every snapshot in the strip
        self._drawn: tuple[History, int] | None = None  # what the strip shows
        self._told: tuple[str, ...] = ()
        self.name, self.state = FittingLabel(), FittingLabel()
        self.name.setContentsMargins(6, 0, 4, 0)
        self.state.setContentsMargins(0, 0, 4, 0)
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # the wheel scrolls the list
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.canvas.setAccessibleName(self.tr("Histogram now and over time, {0}").format(info.name))
        self.setMinimumHeight(ROW_HEIGHT)
        self._add_histogram()
        self._add_strip()
        words = QHBoxLayout()
        for label in (self.name, self.state):
            words.addWidget(label, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(0)
        column.addLayout(words)
        column.addWidget(self.canvas, 1)

    def _add_histogram(self) -> None:
        quantity = self.info.quantity
        self.histogram = self.canvas.addPlot(0, 0)
        edges = np.linspace(quantity.low, quantity.high, HISTOGRAM_BINS + 1)
        self._centres = (edges[:-1] + edges[1:]) / 2
        bars = {"x0": edges[:-1], "width": edges[1] - edges[0], "height": np.zeros(HISTOGRAM_BINS), "pen": None}
        self.cut_bars, self.kept_bars = pg.BarGraphItem(**bars), pg.BarGraphItem(**bars)
        self.threshold = pg.InfiniteLine(angle=90)
        for item in (self.cut_bars, self.kept_bars, self.threshold):
            self.histogram.addItem(item)
        top = math.log10(1 + self.info.weights)
        self.histogram.setRange(xRange=(quantity.low, quantity.high), yRange=(0, top), padding=0.02)
        self.histogram.getAxis("left").setTicks(_count_ticks(self.info.weights))
        self.histogram.getAxis("bottom").setTicks(_ends_and_middle(quantity))
        self._settle(self.histogram, AXIS_WIDTHS[0])

    def _add_strip(self) -> None:
        quantity = self.info.quantity
        self.strip = self.canvas.addPlot(0, 1)
        self.image = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self.halo = pg.InfiniteLine(angle=0)  # the threshold would be lost on colours like its own
        self.strip_threshold = pg.InfiniteLine(angle=0)
        self.now = pg.InfiniteLine(angle=90)
        for item in (self.image, self.halo, self.strip_threshold, self.now):
            self.strip.addItem(item)
        self.strip.setYRange(quantity.low, quantity.high, padding=0.02)
        self.strip.getAxis("left").setTicks(_ends_and_middle(quantity))
        self.strip.getAxis("bottom").setStyle(maxTickLevel=0)
        self._settle(self.strip, AXIS_WIDTHS[1])

    def _settle(self, plot: pg.PlotItem, width: int) -> None:
        plot.setMouseEnabled(x=False, y=False)
        plot.disableAutoRange()
        plot.getAxis("left").setWidth(width)
        plot.getAxis("bottom").setHeight(18)
        plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)

    def draw(self, history: History, position: int, layer: int) -> None:
        """Draw layer number `layer` as it was at `position`; the strip shows all of the history."""
        now = history[position].layers[layer]
        self._draw_words(now)
        self._draw_histogram(now)
        self._draw_strip(history, layer)
        self.now.setVisible(position < len(history) - 1)
        self.now.setValue(history[position].epoch)
        self.stale = False

    def _draw_words(self, now: LayerSnapshot) -> None:
        share = percent(now.kept / now.info.weights)
        kept = self.tr("{0}   {1} % kept").format(now.info.name, share)
        flips = self.tr("flips {0:,}").format(now.flips)
        if math.isnan(undecided(now)):
            states: tuple[str, ...] = (flips,)
        else:
            apart = self.tr("undecided {0} % of kept, {1} % of cut · {2}")
            states = (
                apart.format(percent(now.undecided_kept), percent(now.undecided_cut), flips),
                self.tr("undecided {0} % · {1}").format(percent(undecided(now)), flips),
                self.tr("undecided {0:.0f} % · flips {1}").format(100 * undecided(now), brief(now.flips)),
                self.tr("undecided {0:.0f} %").format(100 * undecided(now)),
            )
        self.name.set_texts(kept, f"{now.info.name}  {share} %", now.info.name)
        self.state.set_texts(*states)
        counts = self.tr("kept {0:,} of {1:,} weights").format(now.kept, now.info.weights)
        told = kept, counts, states[0]
        if told != self._told:
            self._told = told
            self.setToolTip("\n".join(told))
            self.canvas.setAccessibleDescription(", ".join(told))

    def _draw_histogram(self, now: LayerSnapshot) -> None:
        heights = np.log10(1.0 + now.histogram)
        cut = self._centres < now.threshold  # nothing is, where the threshold is NaN
        self.cut_bars.setOpts(height=np.where(cut, heights, 0))
        self.kept_bars.setOpts(height=np.where(cut, 0, heights))
        for line in (self.threshold, self.strip_threshold, self.halo):
            line.setVisible(not math.isnan(now.threshold))
            if not math.isnan(now.threshold):
                line.setValue(now.threshold)

    def _draw_strip(self, history: History, layer: int) -> None:
        """Bring the strip up to date; what it has of this history stays."""
        if self._drawn == (history, len(history)):
            return
        if self._drawn is None or self._drawn[0] is not history or self._drawn[1] > len(history):
            self._drawn = history, 0
        known, length = self._drawn[1], len(history)
        if length > len(self._levels):
            self._levels = np.resize(self._levels, (2 * length, HISTOGRAM_BINS))  # what is beyond `length` is not read
        for position in range(known, length):
            self._levels[position] = _levels(history[position].layers[layer].histogram, self.info.weights)
        self._drawn = history, length
        epochs = history.epochs()[:length]
        columns = nearest_columns(epochs)
        span = (epochs[-1] - epochs[0]) or 1.0
        quantity = self.info.quantity
        self.image.setImage(np.ascontiguousarray(self._levels.take(columns, axis=0).T), levels=(0, 255))
        self.image.setRect(epochs[0], quantity.low, span, quantity.high - quantity.low)
        self.strip.setXRange(epochs[0], epochs[0] + span, padding=0.0)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        style_canvas(self.canvas, theme)
        for plot in (self.histogram, self.strip):
            style_plot(plot, theme, small(self.font()))
        self.kept_bars.setOpts(brush=theme.accent)
        self.cut_bars.setOpts(brush=theme.pale)
        for line in (self.threshold, self.strip_threshold):
            line.setPen(pg.mkPen(theme.warning, style=Qt.PenStyle.DashLine))
        halo = QColor(theme.background)
        halo.setAlpha(170)
        self.halo.setPen(pg.mkPen(halo, width=3))
        self.now.setPen(pg.mkPen(theme.text))
        self.image.setLookupTable(count_colours(theme))
        self.state.setFont(small(self.font()))
        mute(self.state, theme)


def nearest_columns(epochs: FloatArray) -> IntArray:
    """For every column of a strip the snapshot nearest in time, (STRIP_COLUMNS,)."""
    if len(epochs) == 1:
        return np.zeros(1, dtype=np.int64)
    at = np.linspace(epochs[0], epochs[-1], STRIP_COLUMNS)
    return np.searchsorted((epochs[:-1] + epochs[1:]) / 2, at).astype(np.int64)


def _levels(histogram: IntArray, weights: int) -> ByteArray:
    """Counts on a log scale: 0 is none, 255 all weights of the layer; a single weight is seen."""
    return np.ceil(255 * np.log1p(histogram) / math.log1p(weights)).clip(0, 255).astype(np.uint8)


def brief(count: int) -> str:
    """A count in at most four signs: 999, 9.9k, 400k, 12M."""
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if count >= 0.9995 * size:
            parts = count / size
            return f"{parts:.1f}{sign}" if parts < 9.95 else f"{parts:.0f}{sign}"
    return f"{count}"


def _ends_and_middle(quantity: Quantity) -> list[list[tuple[float, str]]]:
    """The ticks of an axis of the decisive quantity: 0, 0.5, 1 for a gate."""
    middle = (quantity.low + quantity.high) / 2
    return [[(value, f"{value:g}") for value in (quantity.low, middle, quantity.high)]]


def _count_ticks(most: int) -> list[list[tuple[float, str]]]:
    """Where 1, 10, 100 stand on an axis of log10(1 + count); every second one is written out."""
    powers = [10**exponent for exponent in range(int(math.log10(most)) + 1)] if most else []
    places = [(math.log10(1 + power), f"{power:,}" if power < 1000 else f"{power // 1000:,}k") for power in powers]
    return [[(0.0, "0"), *places[::2][1:]], [(place, "") for place, _ in places]]
