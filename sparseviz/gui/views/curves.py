"""Curves: errors and loss, and what is left, over the epochs of the whole run."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sparseviz.gui.theme import Theme, small, style_canvas, style_plot
from sparseviz.gui.views.base import Table, View
from sparseviz.gui.views.legend import Legend
from sparseviz.gui.views.marks import Mark, MarkLines, event_marks, phase_marks
from sparseviz.gui.views.readout import Curve, Readout
from sparseviz.snapshot import FloatArray, History

AXIS_WIDTH = 46  # pixels: a name and 0.001 or 300k
HEADROOM = 0.2  # of the range of the kept: there the marks have their words
MOST_DOTS = 60  # more would run together to a thick line


class LogAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Numbers of a log axis as they are written: 0.1, 20k."""

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002
        """The texts at these powers of ten."""
        texts = [_written(10.0**value) for value in values]
        fewer = [text if text.strip("0.,e-kM")[:1] in "1235" else "" for text in texts]
        return fewer if len(list(filter(None, fewer))) > 1 else texts


def _written(number: float) -> str:
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if number > 0.99 * size:
            return f"{number / size:,.0f}{sign}"
    return f"{number:.0f}" if number > 0.99 else f"{number:.1g}"


class CurvesView(View):
    """Two plots with one time axis; a line shows where now is unless now is the end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.specs = self._curves()
        self._drawn: tuple[History, int] | None = None  # what the curves show
        self._epochs: FloatArray = np.zeros(0)
        self._marks: list[Mark] = []
        self._follows = True  # until the person zooms
        self._reading: int | None = None  # the snapshot at the crosshair
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the view
        self.canvas.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.errors = self._add_plot(0, self.tr("error %, loss (log)"))
        self.kept = self._add_plot(1, self.tr("parameters kept (log)"))
        self.plots = (self.errors, self.kept)
        self.kept.setXLink(self.errors)
        self.items = {spec.scalar: self._add_curve(spec) for spec in self.specs}
        self.now, self.crosshair = self._add_lines(), self._add_lines()
        self.marks = MarkLines(self.errors, labels=False), MarkLines(self.kept, labels=True)
        shown = self.specs[:3]
        names = [(spec.name + spec.unit, spec.brief + spec.unit, spec.brief) for spec in shown]
        self.legend = Legend(names, [spec.seldom for spec in shown])
        self.legend.setToolTip(self.tr("A value of 0 is left out of its curve: a log axis has no place for it."))
        self.readout = Readout(self.specs)
        self._arrange()
        self._connect()
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Curves and time")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr("Press Train to follow error, loss and size, or open a stored run to see how they went.")

    def lesson(self) -> str:
        """What to look for over time."""
        return self.tr(
            "Left: errors and loss; right: how many parameters are left, both on log axes over the same epochs. A good "
            "run keeps its validation error while the right curve falls; where the error rises with it, λ₂ is too high."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the crosshair."""
        return [
            (self.tr("move the crosshair by a snapshot"), self.tr("Left, Right")),
            (self.tr("show the whole run"), self.tr("Home")),
        ]

    def table(self) -> Table:
        """Every snapshot, with the values of every curve; NaN where none was measured."""
        if self.history is None:
            return []
        heads = [self.tr("step"), self.tr("epoch"), *(spec.name + spec.unit for spec in self.specs)]
        snapshots = [self.history[at] for at in range(len(self.history))]
        names = [spec.scalar for spec in self.specs]
        return [heads, *([each.step, each.epoch, *map(each.scalars.__getitem__, names)] for each in snapshots)]

    def _curves(self) -> tuple[Curve, ...]:
        solid, dashes, dots = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
        error, brief = self.tr("validation error"), self.tr("valid.")
        return (
            Curve("validation_error", error, brief, solid, 2, " %", seldom=True),
            Curve("train_error", self.tr("train error"), self.tr("train"), dashes, 1, " %", seldom=False),
            Curve("loss", self.tr("train loss"), self.tr("loss"), dots, 1.5, "", seldom=False),
            Curve("parameters_kept", self.tr("parameters kept"), self.tr("kept"), solid, 2, "", seldom=False),
        )

    def _add_plot(self, column: int, name: str) -> Any:
        axis = LogAxis("left")
        plot = self.canvas.addPlot(0, column, axisItems={"left": axis})
        plot.setLogMode(x=False, y=True)
        plot.disableAutoRange()
        plot.setLabel("left", name)
        plot.setLabel("bottom", self.tr("epoch"))
        axis.setWidth(AXIS_WIDTH)
        plot.getAxis("bottom").setStyle(maxTickLevel=0)
        return plot

    def _add_curve(self, spec: Curve) -> Any:
        plot = self.kept if spec.scalar == "parameters_kept" else self.errors
        return plot.plot(connect="finite", symbolSize=5)

    def _add_lines(self) -> tuple[Any, Any]:
        lines = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)
        for plot, line in zip(self.plots, lines, strict=True):
            line.setVisible(False)
            plot.addItem(line, ignoreBounds=True)
        return lines

    def _arrange(self) -> None:
        self.canvas.setAccessibleName(self.tr("Error, loss and parameters kept over the epochs"))
        self.canvas.setAccessibleDescription(
            self.tr("Left and Right move the crosshair, wheel or drag zooms and moves, double click or Home shows all.")
        )
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.legend)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.readout)

    def _connect(self) -> None:
        self.canvas.scene().sigMouseMoved.connect(self._point)
        self.canvas.scene().sigMouseClicked.connect(lambda event: self.reset() if event.double() else None)
        self.canvas.viewport().installEventFilter(self)
        for plot in self.plots:
            plot.getViewBox().sigRangeChangedManually.connect(self._stop_following)

    def _draw(self, history: History, position: int) -> None:
        if self._drawn != (history, len(history)):
            self._draw_curves(history)
        past = position < len(history) - 1
        for line in self.now:
            line.setVisible(past)
            line.setValue(history[position].epoch)
        self._read(self._reading)

    def _draw_curves(self, history: History) -> None:
        length = len(history)
        self._drawn, self._epochs = (history, length), history.epochs()[:length]
        for spec in self.specs:
            values = history.scalar(spec.scalar)[:length]
            values[~(values > 0)] = np.nan  # 0 has no place on a log axis
            joined = np.isfinite(values) if spec.seldom else np.ones(length, dtype=bool)
            dots = spec.seldom and joined.sum() <= MOST_DOTS
            self.items[spec.scalar].setData(self._epochs[joined], values[joined], symbol="o" if dots else None)
        self._marks = sorted([*phase_marks(history), *event_marks(history)], key=lambda mark: mark.epoch)
        for lines in self.marks:
            lines.set_marks(self._marks)
        if self._follows:
            self.reset()

    def reset(self) -> None:
        """Bring the whole run into sight, and keep it there."""
        self._follows = True
        if not len(self._epochs):
            return
        right = max(float(self._epochs[-1]), float(self._epochs[0]) + 1e-3)
        self.errors.setXRange(float(self._epochs[0]), right, padding=0.03)
        for plot, scalars in ((self.errors, self.specs[:3]), (self.kept, self.specs[3:])):
            low, high = self._log_range([spec.scalar for spec in scalars])
            words = HEADROOM * (high - low) if plot is self.kept and self._marks else 0.0
            plot.setYRange(low, high + words, padding=0.06)

    def _log_range(self, scalars: list[str]) -> tuple[float, float]:
        parts = [self.items[scalar].getOriginalDataset()[1] for scalar in scalars]
        values = np.concatenate([part for part in parts if part is not None] or [np.zeros(0)])
        values = values[np.isfinite(values)]
        if not len(values):
            return 0.0, 1.0
        low, high = math.log10(values.min()), math.log10(values.max())
        return (low, high) if high - low > 0.1 else (low - 0.1, high + 0.1)

    def _stop_following(self) -> None:
        self._follows = False

    def _point(self, place: QPointF) -> None:
        for plot in self.plots:
            if plot.sceneBoundingRect().contains(place) and len(self._epochs):
                epoch = plot.getViewBox().mapSceneToView(place).x()
                self._read(int(np.abs(self._epochs - epoch).argmin()))
                return
        self._read(None)

    def _read(self, reading: int | None) -> None:
        """Write out the values at a snapshot, or those now, and show the crosshair there."""
        self._reading = reading
        for line in self.crosshair:
            line.setVisible(reading is not None and self.history is not None)
        if self.history is None:
            self.readout.clear()
            return
        at = self.position if reading is None else min(reading, len(self.history) - 1)
        for line in self.crosshair:
            line.setValue(self.history[at].epoch)
        near = (self._epochs[-1] - self._epochs[0]) * 0.015
        epoch = self.history[at].epoch
        events = [mark.text for mark in self._marks if mark.event and abs(mark.epoch - epoch) <= near]
        self.readout.tell(self.history, at, events)

    def _clear(self) -> None:
        self._drawn, self._epochs, self._marks, self._follows = None, np.zeros(0), [], True
        for item in self.items.values():
            item.setData([], [])
        for lines in self.marks:
            lines.clear()
        self._read(None)

    def _restyle(self, theme: Theme) -> None:
        style_canvas(self.canvas, theme)
        self.readout.restyle(theme)
        for plot in self.plots:
            style_plot(plot, theme, small(self.font()))
        colours = {"train_error": theme.warning, "loss": theme.third}
        for spec in self.specs:
            colour = colours.get(spec.scalar, theme.accent)
            item = self.items[spec.scalar]
            item.setPen(pg.mkPen(colour, width=spec.width, style=spec.dash))
            item.setSymbolPen(None)
            item.setSymbolBrush(colour)
        self.legend.set_pens([self.items[spec.scalar].opts["pen"] for spec in self.specs[:3]])
        for lines in self.marks:
            lines.restyle(theme.muted, theme.muted, small(self.font()))
        for line in self.now:
            line.setPen(pg.mkPen(theme.text, width=1))
        for line in self.crosshair:
            line.setPen(pg.mkPen(theme.accent, style=Qt.PenStyle.DashDotLine))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Put the crosshair away when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self._read(None)
        return super().eventFilter(watched, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the crosshair away when the keys go elsewhere."""
        super().focusOutEvent(event)
        self._read(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair with Left and Right, see all with Home."""
        strides = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() == Qt.Key.Key_Home:
            self.reset()
        elif event.key() in strides and self.history is not None:
            at = self.position if self._reading is None else self._reading
            self._read(min(max(at + strides[Qt.Key(event.key())], 0), len(self.history) - 1))
        else:
            super().keyPressEvent(event)
