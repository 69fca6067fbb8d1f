"""Curves and time: errors, losses, penalties, settings and what is left, over the epochs of the whole run."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, style_canvas
from sparseviz.gui.views.base import View
from sparseviz.gui.views.curves.marks import Mark, event_marks, phase_marks
from sparseviz.gui.views.curves.readout import Readout
from sparseviz.gui.views.curves.scalars import Scalars
from sparseviz.gui.views.curves.time_plot import TimePlot
from sparseviz.gui.views.curves.tracks import Tracks
from sparseviz.gui.views.plots.axis import EvenAxis
from sparseviz.gui.views.plots.landmarks import Reference
from sparseviz.gui.views.plots.log_axis import LogAxis
from sparseviz.gui.views.plots.ruler import padded
from sparseviz.values.history import History

NEAR = 0.015  # of the time axis: events so near to the crosshair are told there


class CurvesView(View):
    """Two plots with one time axis; a line shows where now is unless now is the end."""

    time_range_changed = Signal(float, float)  # the first and last epoch in sight
    time_chosen = Signal(int)  # position of a snapshot: a click there, or Enter at the crosshair

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scalars = Scalars()
        self._tracks: Tracks | None = None
        self._marks: list[Mark] = []
        self._follows = True  # until the person zooms
        self._reading: int | None = None  # the snapshot at the crosshair
        self._clicked_at: int | None = None  # what was shown at the last click; None: the newest
        self._test_error: float | None = None
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the view
        self.canvas.ci.layout.setContentsMargins(0, 4, 8, 0)
        self.left = self._add_plot(0, self.tr("What the left plot shows"))
        self.right = self._add_plot(1, self.tr("What the right plot shows"))
        self.plots = (self.left, self.right)
        self.readout = Readout()
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
        """What the curves teach."""
        return self.tr(
            "The error of the validation images is drawn over the run beside the share of the network that is left: "
            "a good run loses parameters by the thousand while the error stays where it was. "
            "Raise λ₂ while it trains and see at the mark how soon the error answers, then click there to bring "
            "every view to that moment."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the crosshair."""
        return [
            (self.tr("move the crosshair by a snapshot"), self.tr("Left, Right")),
            (self.tr("move every view to the crosshair"), self.tr("Enter")),
            (self.tr("show the whole run"), self.tr("Home")),
        ]

    def table(self) -> list[list[str | int | float]]:
        """A row for every snapshot: its place in time and all scalars; empty where nothing was measured."""
        if self.history is None:
            return []
        gated = self._tracks is None or self._tracks.gated
        curves = [curve for curve in self.scalars.curves.values() if gated or not curve.gates]
        head = [self.tr("step"), self.tr("epoch"), self.tr("phase")]
        rows: list[list[str | int | float]] = [[*head, *(curve.name + curve.unit for curve in curves)]]
        for snapshot in self.history:
            values = (snapshot.scalars[curve.scalar] for curve in curves)
            cells = ["" if math.isnan(value) else value for value in values]
            rows.append([snapshot.step, snapshot.epoch, str(snapshot.phase), *cells])
        return rows

    def _add_plot(self, column: int, name: str) -> TimePlot:
        axes = {"left": LogAxis("left"), "bottom": EvenAxis("bottom")}
        plot = self.canvas.addPlot(0, column, axisItems=axes, enableMenu=False)
        return TimePlot(plot, self.scalars.groups, column, name, labels=column == 1)

    def _arrange(self) -> None:
        self.canvas.setAccessibleDescription(
            self.tr(
                "Left and Right move the crosshair, Enter or a click brings every view to that time, wheel or drag "
                "zooms and moves, double click or Home shows all."
            )
        )
        headers = QHBoxLayout()
        for plot in self.plots:
            headers.addWidget(plot.header, 1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(headers)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.readout)
        self._name_canvas()

    def _name_canvas(self) -> None:
        titles = [plot.group.title for plot in self.plots]
        self.canvas.setAccessibleName(self.tr("{0} and {1} over the epochs").format(*titles))

    def _connect(self) -> None:
        self.canvas.scene().sigMouseMoved.connect(self._point)
        self.canvas.scene().sigMouseClicked.connect(self._click)
        self.canvas.viewport().installEventFilter(self)
        # Not setXLink: it lines up by pixels, and wrongly, while the plots still lie on one another.
        self.left.plot.sigXRangeChanged.connect(lambda _, epochs: self.right.set_epochs(epochs))
        self.right.plot.sigXRangeChanged.connect(lambda _, epochs: self.left.set_epochs(epochs))
        self.left.plot.sigXRangeChanged.connect(lambda _, epochs: self.time_range_changed.emit(*epochs))
        for plot in self.plots:
            plot.plot.getViewBox().sigRangeChangedManually.connect(self._stop_following)
            plot.chosen.connect(self._choose)

    def _choose(self) -> None:
        """Another group of curves is shown."""
        self._name_canvas()
        self._read(self._reading)

    def set_references(self, references: Sequence[Reference]) -> None:
        """Draw these published networks as lines, as long as no other run is shown."""
        for plot in self.plots:
            plot.set_references(references)
        self._fit()

    def set_test_error(self, percent: float | None) -> None:
        """Mark the test error, in percent, at the end of a run whose test images were read; None: they were not."""
        if percent == self._test_error:
            return
        self._test_error = percent
        for plot in self.plots:
            plot.set_test_error(percent)
        self._fit()
        self._read(self._reading)

    def _draw(self, history: History, position: int) -> None:
        if self._tracks is None or self._tracks.history is not history:
            self._tracks = Tracks(history)
        if self._tracks.grow():
            self._draw_curves(self._tracks)
        past = position < len(history) - 1
        for plot in self.plots:
            plot.now.setVisible(past)
            if past:
                plot.now.setValue(history[position].epoch)
        self._read(self._reading)

    def _draw_curves(self, tracks: Tracks) -> None:
        self._marks = sorted([*phase_marks(tracks), *event_marks(tracks)], key=lambda mark: mark.epoch)
        for plot in self.plots:
            plot.draw(tracks, self._marks)
        if self._follows:
            self.reset()

    def reset(self) -> None:
        """Bring the whole run into sight, and keep it there."""
        self._follows = True
        if self._tracks is None:
            return
        first, last = self._tracks.epochs[[0, -1]].tolist()
        self._fit(padded(first, last if last > first else first + 1, 0.03))

    def _fit(self, epochs: tuple[float, float] | None = None) -> None:
        for plot in self.plots:
            if self._follows:
                plot.fit(epochs)

    def _stop_following(self) -> None:
        self._follows = False

    def _position_at(self, place: QPointF) -> int | None:
        """The snapshot next to a place of the scene; None where it is in no plot."""
        for plot in self.plots:
            box = plot.plot.getViewBox()
            if self._tracks is not None and box.sceneBoundingRect().contains(place):
                return int(np.abs(self._tracks.epochs - box.mapSceneToView(place).x()).argmin())
        return None

    def _point(self, place: QPointF) -> None:
        self._read(self._position_at(place))

    def _click(self, event: Any) -> None:
        """Bring every view to a time; a double click shows all, and takes back what its first click did."""
        position = self._position_at(event.scenePos())
        if event.double():
            self.reset()
        if position is None or self._tracks is None or event.button() != Qt.MouseButton.LeftButton:
            return
        newest = self._tracks.length - 1
        if event.double():
            position = newest if self._clicked_at is None else self._clicked_at
        else:
            self._clicked_at = None if self.position == newest else self.position
        self.time_chosen.emit(position)

    def _read(self, reading: int | None) -> None:
        """Write out the values at a snapshot, or those now, and show the crosshair there."""
        self._reading, tracks = reading, self._tracks
        for plot in self.plots:
            plot.crosshair.setVisible(reading is not None and tracks is not None)
        if tracks is None or not tracks.length:
            self.readout.clear()
            return
        at = min(self.position if reading is None else reading, tracks.length - 1)
        for plot in self.plots:
            if reading is not None:
                plot.crosshair.setValue(tracks.epochs[at])
        curves = [curve for plot in self.plots for curve in plot.shown]
        self.readout.tell(tracks, at, curves, self._told_near(tracks, at))

    def _told_near(self, tracks: Tracks, at: int) -> list[str]:
        """What was done about then, and at the end the test error."""
        epochs = tracks.epochs
        near = (epochs[-1] - epochs[0]) * NEAR
        told = [mark.text for mark in self._marks if mark.event and abs(mark.epoch - epochs[at]) <= near]
        if self._test_error is not None and at == tracks.length - 1:
            told.append(self.tr("test error {0:.2f} %").format(self._test_error))
        return told

    def _clear(self) -> None:
        self._tracks, self._marks, self._follows, self._test_error = None, [], True, None
        for plot in self.plots:
            plot.clear()
        self._read(None)

    def _restyle(self, theme: Theme) -> None:
        style_canvas(self.canvas, theme)
        self.readout.restyle(theme)
        for plot in self.plots:
            plot.restyle(theme, self.font())

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
        """Move the crosshair with Left and Right, choose its time with Enter, see all with Home."""
        strides = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() == Qt.Key.Key_Home:
            self.reset()
        elif event.key() in strides and self._tracks is not None:
            at = self.position if self._reading is None else self._reading
            self._read(min(max(at + strides[Qt.Key(event.key())], 0), self._tracks.length - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._reading is not None:
            self.time_chosen.emit(self._reading)
        else:
            super().keyPressEvent(event)
