"""Two runs' decisive quantities of one layer over each other: the first filled, the second an outline."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from sparseviz.gui.compare.views.base import CompareView, RunLegend
from sparseviz.gui.compare.views.pairing import PairBar, Pairing, Side
from sparseviz.gui.compare.views.subject import sign_of
from sparseviz.gui.qt.theme import Theme, mute, small, style_canvas, style_plot
from sparseviz.gui.views.base import FittingLabel, Table, percent, shape_text
from sparseviz.values.snapshot import HISTOGRAM_BINS, FloatArray

AXIS_WIDTH = 52
_FILL = 120  # opacity of the first run's bars, of 255


class Panel:
    """A plot of one quantity: bars of the first run, an outline of the second, thresholds of both."""

    def __init__(self, plot: Any) -> None:
        self.plot = plot
        self.bars = pg.BarGraphItem(x0=[0.0], width=1, height=[0.0], pen=None)
        self.outline = pg.PlotCurveItem()
        self.thresholds = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)
        for item in (self.bars, self.outline, *self.thresholds):
            plot.addItem(item, ignoreBounds=True)
        plot.disableAutoRange()
        plot.setMouseEnabled(x=False, y=False)
        plot.getAxis("left").setWidth(AXIS_WIDTH)

    def draw(self, first: Side | None, second: Side | None, *, floor: float, log: bool, theme: Theme) -> None:
        """Draw the layers of one or both, as shares of each layer's weights; `floor` is where the log axis begins."""
        sides = [side for side in (first, second) if side is not None and side.layer is not None]
        assert sides[0].layer is not None  # noqa: S101  # the caller draws what is there
        quantity = sides[0].layer.info.quantity
        tops = [0.0]
        for side, item in ((first, self.bars), (second, self.outline)):
            item.setVisible(side is not None)
        if first is not None:
            heights = self._heights(first, floor, log=log)
            tops.append(float(heights.max()))
            edges, sign = quantity.bin_edges, sign_of(first.run.number, theme)
            fill = QColor(sign.colour)
            fill.setAlpha(_FILL)
            self.bars.setOpts(x0=edges[:-1], width=edges[1] - edges[0], height=heights, brush=fill, pen=None)
        if second is not None:
            heights = self._heights(second, floor, log=log)
            tops.append(float(heights.max()))
            edges, sign = quantity.bin_edges, sign_of(second.run.number, theme)
            x, y = edges.repeat(2), np.concatenate([[0.0], heights.repeat(2), [0.0]])
            self.outline.setData(x, y)
            self.outline.setPen(pg.mkPen(sign.colour, width=2))
        self._mark((first, second), theme)
        self.plot.setXRange(quantity.low, quantity.high, padding=0.02)
        self.plot.setYRange(0, max(tops) * 1.05 or 1.0, padding=0)
        self.plot.setLabel("bottom", quantity.name)
        self.plot.getAxis("left").setTicks(_ticks(max(tops), floor) if log else None)

    @staticmethod
    def _heights(side: Side, floor: float, *, log: bool) -> FloatArray:
        share = shares(side)
        return np.log10(np.maximum(share, floor) / floor) if log else share

    def _mark(self, sides: tuple[Side | None, Side | None], theme: Theme) -> None:
        """The thresholds: the first's dashed, the second's dotted."""
        for side, line, dash in zip(sides, self.thresholds, (Qt.PenStyle.DashLine, Qt.PenStyle.DotLine), strict=True):
            at = side.layer.threshold if side is not None and side.layer is not None else math.nan
            line.setVisible(not math.isnan(at))
            if side is not None and not math.isnan(at):
                line.setValue(at)
                line.setPen(pg.mkPen(sign_of(side.run.number, theme).colour, width=1.5, style=dash))


def shares(side: Side) -> FloatArray:
    """Percent of the layer's weights in every bin, (HISTOGRAM_BINS,)."""
    assert side.layer is not None  # noqa: S101  # the caller draws what is there
    return np.asarray(100 * side.layer.histogram / max(side.layer.info.weights, 1), dtype=np.float64)


def _ticks(top: float, floor: float) -> list[list[tuple[float, str]]]:
    """Powers of ten in percent on an axis of powers above the floor."""
    low = math.ceil(math.log10(floor) - 1e-9)
    powers = range(low, math.floor(math.log10(floor) + top + 1e-9) + 1)
    return [[(power - math.log10(floor), f"{10.0**power:g}") for power in powers]]


class DistributionsTab(CompareView):
    """One panel where both decide by the same quantity, else one for each: two quantities are never put on one axis."""

    def __init__(self, pairing: Pairing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pairing, self.bar, self.legend = pairing, PairBar(pairing), RunLegend()
        self.log = QCheckBox(self.tr("log"))
        self.canvas = pg.GraphicsLayoutWidget()
        self.panels = [
            Panel(self.canvas.addPlot(0, 0, enableMenu=False)),
            Panel(self.canvas.addPlot(1, 0, enableMenu=False)),
        ]
        self.caption, self.counts = FittingLabel(), FittingLabel()
        self._arrange()
        pairing.changed.connect(self._draw_seen)
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Distributions of two runs")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "Two runs' distributions of what decides over a layer's weights appear here, over each other: add two runs "
            "(Ctrl+O), or drop files."
        )

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "Every weight stands in the bin of the quantity by which its method decides; what lies right of the "
            "threshold is kept. A method that has decided leaves the bins near its threshold empty: compare how soon "
            "in each run that comes, by moving the time."
        )

    def least(self) -> int:
        """Two are overlaid."""
        return 2

    def keys(self) -> list[tuple[str, str]]:
        """Its own."""
        return [(self.tr("log or linear scale"), "L"), (self.tr("the time before, the next"), self.tr("Left, Right"))]

    def table(self) -> Table:
        """A row a bin of either run."""
        sides = self.pairing.sides()
        if self.is_empty() or sides is None:
            return []
        names = (self.tr("run"), self.tr("name"), self.tr("layer"), self.tr("epoch"), self.tr("quantity"))
        rows: list[list[str | int | float]] = [[*names, self.tr("from"), self.tr("to"), self.tr("weights")]]
        for side in sides:
            if side.layer is None:
                continue
            info, edges = side.layer.info, side.layer.info.quantity.bin_edges.tolist()
            fixed = (side.run.number, side.run.name, info.name, side.when, info.quantity.name)
            counts = side.layer.histogram.tolist()
            rows += [[*fixed, edges[at], edges[at + 1], counts[at]] for at in range(HISTOGRAM_BINS)]
        return rows

    def _arrange(self) -> None:
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 6, 10, 0)
        self.log.setChecked(True)
        self.log.setAccessibleName(self.tr("Shares on a log scale (L)"))
        self.log.setToolTip(self.log.accessibleName())
        self.log.toggled.connect(self._draw)
        row, column = QHBoxLayout(), QVBoxLayout(self.body)
        row.setContentsMargins(0, 0, 6, 0)
        row.addWidget(self.legend, 1)
        row.addWidget(self.log)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addLayout(row)
        column.addWidget(self.canvas, 1)
        for label in (self.counts, self.caption):
            label.setContentsMargins(6, 0, 6, 2)
            column.addWidget(label)

    def _draw_seen(self) -> None:
        if self.isVisible():
            self._draw()

    def _draw(self) -> None:
        sides = self.pairing.sides()
        if sides is None or self.is_empty():
            return
        self.legend.show_runs([side.run for side in sides])
        there = [side for side in sides if side.layer is not None]
        layers = [side.layer for side in there if side.layer is not None]
        same = len({layer.info.quantity for layer in layers}) == 1
        shown: list[tuple[Side | None, Side | None]] = []
        if there:
            one, other = (side if side.layer is not None else None for side in sides)
            shown = [(one, other)] if same else [(one, None), (None, other)]
        floor = 100.0 * min((0.5 / layer.info.weights for layer in layers), default=0.5)
        self._show_panels(len(shown))
        for panel, pair in zip(self.panels, shown, strict=False):
            panel.draw(*pair, floor=floor, log=self.log.isChecked(), theme=self.theme)
            panel.plot.setLabel("left", self.tr("% of weights"))
        self._tell(sides, same=same)

    def _show_panels(self, count: int) -> None:
        for number, panel in enumerate(self.panels):
            there = panel.plot in self.canvas.ci.items
            if there and number >= count:
                self.canvas.removeItem(panel.plot)
            elif not there and number < count:
                self.canvas.addItem(panel.plot, number, 0)
        names = [panel.plot.getAxis("bottom").labelText for panel in self.panels[:count]]
        self.canvas.setAccessibleName(self.tr("Distributions: {0}").format(", ".join(names)))

    def _tell(self, sides: tuple[Side, Side], *, same: bool) -> None:
        """What is kept, and what can and what cannot be compared."""
        told = []
        for side, way in zip(sides, (self.tr("filled"), self.tr("outline")), strict=True):
            if side.layer is None:
                told.append(self.tr("{0} has no layer “{1}”").format(side.run.number, self.pairing.name))
                continue
            layer = side.layer
            share, shape = percent(layer.kept / layer.info.weights), shape_text(layer.info.shape)
            parts = (side.run.number, way, shape, layer.info.quantity.name, share)
            told.append(self.tr("{0} ({1}): {2} by {3}, {4} % kept").format(*parts))
        self.counts.set_texts("   ·   ".join(told))
        layers = [side.layer for side in sides if side.layer is not None]
        names = [layer.info.quantity.name for layer in layers]
        notes = []
        if not same:
            notes.append(
                self.tr("“{0}” and “{1}” are different quantities: each has its own axis.").format(*names)
                if len(names) == 2
                else ""
            )
        if len({layer.info.shape for layer in layers}) > 1:
            notes.append(self.tr("The layers differ in size: shares of each layer's weights are shown."))
        self.caption.set_texts(" ".join(notes) or self.tr("Dashed: the first run's threshold; dotted: the second's."))

    def showEvent(self, event: Any) -> None:
        """Draw what was chosen while it was out of sight."""
        super().showEvent(event)
        self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Change the scale, or go through time."""
        strides = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() == Qt.Key.Key_L and not event.modifiers():
            self.log.toggle()
        elif event.key() in strides and not event.modifiers():
            self.bar.slider.setValue(self.bar.slider.value() + strides[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _restyle(self, theme: Theme) -> None:
        style_canvas(self.canvas, theme)
        for panel in self.panels:
            style_plot(panel.plot, theme, small(self.font()))
        self.legend.restyle(theme)
        for label in (self.counts, self.caption):
            mute(label, theme)
            label.setFont(small(self.font()))
        self._draw()
