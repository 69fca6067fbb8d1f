"""One scalar of all runs, over epochs, steps or what they keep."""

import math
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sparseviz.gui.compare.views.base import CompareView, RunLegend
from sparseviz.gui.compare.views.run_plot import RunLine, RunPlot
from sparseviz.gui.compare.views.subject import Subject
from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel, Table
from sparseviz.gui.views.curves.scalars import Curve, Scalars
from sparseviz.gui.views.curves.tracks import Tracks
from sparseviz.values.history import History

_STRIDES = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class CurvesTab(CompareView):
    """A line a run; the test error is a star at its end, where the validation error is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scalars = Scalars()
        self._tracks: WeakKeyDictionary[History, Tracks] = WeakKeyDictionary()
        self._reading: float | None = None  # where the crosshair stands
        self._follows = True  # until the person zooms
        self.choice, self.axis, self.log = QComboBox(), QComboBox(), QCheckBox(self.tr("log"))
        self.legend, self.picture, self.readout = RunLegend(), RunPlot(), FittingLabel()
        self._fill()
        self._arrange()
        self._connect()
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Curves of all runs")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "The curves of all runs on the left appear here, over each other: add runs (Ctrl+O), or drop files."
        )

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "Every run is a line with its own colour, dashes and number. Choose “parameters kept” as the axis to see "
            "what a method pays for each weight it gives up: of two lines the lower one at the same place is the "
            "better method, whatever time it took."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the crosshair."""
        return [
            (self.tr("move the crosshair"), self.tr("Left, Right")),
            (self.tr("show all"), self.tr("Home")),
            (self.tr("log or linear scale"), "L"),
        ]

    def table(self) -> Table:
        """A row for every measured value of every run."""
        if self.is_empty():
            return []
        head = [self.tr("run"), self.tr("name"), self._axis_name(), self._curve().name + self._curve().unit]
        rows: list[list[str | int | float]] = [list(head)]
        for line in self.picture.lines:
            pairs = zip(line.x.tolist(), line.y.tolist(), strict=True)
            rows += [[line.run.number, line.run.name, x, y] for x, y in pairs]
        return rows

    def _fill(self) -> None:
        for curve in sorted(self.scalars.curves.values(), key=lambda curve: curve.scalar != "validation_error"):
            self.choice.addItem(curve.name + curve.unit, curve.scalar)
        axes = ((self.tr("epoch"), "epoch"), (self.tr("step"), "step"))
        for name, scalar in (*axes, (self.tr("parameters kept"), "parameters_kept"), (self.tr("share of the run"), "")):
            self.axis.addItem(name, scalar)
        self.log.setChecked(True)
        named = (
            (self.choice, self.tr("What the curves show")),
            (self.axis, self.tr("What the curves are drawn over")),
            (self.log, self.tr("Values on a log scale (L)")),
        )
        for widget, name in named:
            widget.setAccessibleName(name)
            widget.setToolTip(name)
        self.picture.canvas.setAccessibleName(self.tr("Curves of all runs"))
        self.readout.setAccessibleName(self.tr("Values at the crosshair"))

    def _arrange(self) -> None:
        row, column = QHBoxLayout(), QVBoxLayout(self.body)
        row.setContentsMargins(6, 4, 6, 0)
        over = QLabel(self.tr("over"))
        over.setBuddy(self.axis)
        for widget in (self.choice, over, self.axis, self.log):
            row.addWidget(widget)
        row.addStretch(1)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.legend)
        column.addWidget(self.picture.canvas, 1)
        self.readout.setContentsMargins(6, 0, 6, 3)
        column.addWidget(self.readout)

    def _connect(self) -> None:
        self.choice.currentIndexChanged.connect(self._show_all)
        self.axis.currentIndexChanged.connect(self._show_all)
        self.log.toggled.connect(self._show_all)
        canvas = self.picture.canvas
        canvas.scene().sigMouseMoved.connect(self._point)
        canvas.scene().sigMouseClicked.connect(lambda event: self._show_all() if event.double() else None)
        canvas.viewport().installEventFilter(self)
        self.picture.box.sigRangeChangedManually.connect(self._stop_following)

    def _stop_following(self) -> None:
        self._follows = False

    def _curve(self) -> Curve:
        return self.scalars.curves[self.choice.currentData()]

    def _axis_name(self) -> str:
        return self.axis.currentText()

    def _show_all(self) -> None:
        self._follows, self._reading = True, None
        self._draw()

    def _draw(self) -> None:
        self._offer_gates()
        curve = self._curve()
        log = self.axis.currentData() == "parameters_kept", self.log.isChecked()
        lines = [self._line(run, curve, log) for run in self.runs]
        self.legend.show_runs(self.runs)
        self.picture.show([line for line in lines if len(line.x)], log=log)
        self.picture.plot.setLabel("bottom", self._axis_name())
        self.picture.plot.setLabel("left", curve.name + curve.unit)
        if self._follows:
            self.picture.fit()
        self._read(self._reading)

    def _offer_gates(self) -> None:
        """Where no run has gates, no choice speaks of them."""
        gated = any(self.tracks(run).gated for run in self.runs)
        for curve in (curve for curve in self.scalars.curves.values() if curve.gates):
            at = self.choice.findData(curve.scalar)
            if gated and at < 0:
                self.choice.addItem(curve.name + curve.unit, curve.scalar)
            elif not gated and at >= 0:
                self.choice.removeItem(at)

    def tracks(self, run: Subject) -> Tracks:
        """A run's scalars; what was read once is kept."""
        if run.history not in self._tracks:
            self._tracks[run.history] = Tracks(run.history)
        self._tracks[run.history].grow()
        return self._tracks[run.history]

    def _line(self, run: Subject, curve: Curve, log: tuple[bool, bool]) -> RunLine:
        tracks = self.tracks(run)
        axis = self.axis.currentData()
        epochs = tracks.epochs
        x = tracks.scalar(axis) if axis else 100 * epochs / (epochs[-1] or 1)
        y = tracks.scalar(curve.scalar)
        there = np.isfinite(x) & np.isfinite(y)
        for values, positive in zip((x, y), log, strict=True):
            there &= (values > 0) | (not positive)
        error, star = run.errors.test, None
        if curve.scalar == "validation_error" and (error > 0 or (error == 0 and not log[1])) and there.any():
            star = (float(x[-1]), error)
        return RunLine(run, x[there], y[there], star)

    # Reading.

    def _point(self, place: QPointF) -> None:
        inside = self.picture.box.sceneBoundingRect().contains(place)
        at = float(self.picture.box.mapSceneToView(place).x())
        self._read(at if inside else None)

    def _read(self, at: float | None) -> None:
        """Write out every run's value next to a place on the axis, or its last."""
        self._reading = at
        lines = self.picture.lines
        self.picture.crosshair.setVisible(at is not None)
        if at is not None:
            self.picture.crosshair.setValue(at)
        told = []
        for line in lines:
            axis = self.picture.on_axis(line.x, 0)
            near = len(axis) - 1 if at is None else int(np.abs(axis - at).argmin())
            told.append(f"{line.run.number}: {line.y[near]:,.4g}")
        where = self.tr("at the end") if at is None else f"{self._axis_name()} {self._written(at)}"
        parts = [f"{where} — {self._curve().name}{self._curve().unit}:", "   ".join(told)]
        stars = [f"{line.run.number}: {line.star[1]:.2f} %" for line in lines if line.star]
        test = self.tr("★ test error {0}").format("   ".join(stars)) if stars else ""
        self.readout.set_texts("   ".join(filter(None, (*parts, test))), " ".join(parts), parts[1])

    def _written(self, at: float) -> str:
        value = 10**at if self.picture.log[0] else at
        return f"{value:,.0f}" if self.axis.currentData() in ("step", "parameters_kept") else f"{value:.4g}"

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
        """Move the crosshair, see all, change the scale."""
        if event.key() == Qt.Key.Key_Home:
            self._show_all()
        elif event.key() == Qt.Key.Key_L and not event.modifiers():
            self.log.toggle()
        elif event.key() in _STRIDES and self.picture.lines:
            low, high = self.picture.box.viewRange()[0]
            at = high if self._reading is None or math.isnan(self._reading) else self._reading
            self._read(min(max(at + _STRIDES[Qt.Key(event.key())] * (high - low) / 100, low), high))
        else:
            super().keyPressEvent(event)

    def _restyle(self, theme: Theme) -> None:
        self.picture.restyle(theme, self.font())
        self.legend.restyle(theme)
        mute(self.readout, theme)
        self.readout.setFont(small(self.font()))
