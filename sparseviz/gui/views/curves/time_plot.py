"""One plot over the epochs, and above it the choice of what it shows and the legend."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont, QPen, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QStackedWidget, QWidget

from sparseviz.gui.qt.theme import Theme, small, style_plot
from sparseviz.gui.views.curves.marks import Mark, MarkLines
from sparseviz.gui.views.curves.scalars import Curve, Group
from sparseviz.gui.views.curves.tracks import Tracks
from sparseviz.gui.views.plots.curve_lines import CurveLines, Line
from sparseviz.gui.views.plots.landmarks import Landmark, Landmarks, Reference
from sparseviz.gui.views.plots.legend import Legend
from sparseviz.gui.views.plots.log_axis import log_range, on_log_axis
from sparseviz.gui.views.plots.ruler import padded

AXIS_WIDTH = 40  # pixels: 0.001 or 300k
HEADROOM = 0.2  # of the range: there the marks have their words
_ROOM = 0.06  # of the range, at each end
MOST_DOTS = 60  # more would run together to a thick line
ONE_ROW = 520  # pixels: choice and legend side by side
LEAST_TITLE = 8  # letters of the choice, in a narrow window


class Header(QWidget):
    """What a plot shows, and its legend: beside it where there is room, else below."""

    def __init__(self, groups: Sequence[Group], name: str) -> None:
        super().__init__()
        self.choice, self.legends = QComboBox(), QStackedWidget()
        self.choice.setAccessibleName(name)
        self.choice.setToolTip(self.tr("{0}; a log axis").format(name))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._titles = [group.title for group in groups]
        self.choice.addItems(self._titles)
        for group in groups:
            names = [(curve.name + curve.unit, curve.brief + curve.unit, curve.brief) for curve in group.curves]
            self.legends.addWidget(Legend(names, [curve.seldom for curve in group.curves]))
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._spread(wide=False)
        self._row.setContentsMargins(2, 2, 2, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self.choice)
        self._row.addWidget(self.legends, 1)
        self.choice.currentIndexChanged.connect(self.legends.setCurrentIndex)

    def show_only(self, shown: Sequence[bool]) -> None:
        """Leave curves of the chosen group out of its legend."""
        legend = self.legends.currentWidget()
        assert isinstance(legend, Legend)  # noqa: S101  # nothing else was put there
        legend.show_only(shown)

    def set_pens(self, pens: Sequence[Sequence[QPen]]) -> None:
        """Draw the samples of every group with the pens of its curves."""
        for index, some in enumerate(pens):
            legend = self.legends.widget(index)
            assert isinstance(legend, Legend)  # noqa: S101  # nothing else was put there
            legend.set_pens(some)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the room there is."""
        super().resizeEvent(event)
        self._spread(wide=self.width() >= ONE_ROW)

    def _spread(self, *, wide: bool) -> None:
        self.choice.setMinimumContentsLength(max(map(len, self._titles)) * 3 // 4 if wide else LEAST_TITLE)
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)


class TimePlot(QObject):
    """Draws one group of curves at a time; all values that are shown come from `Tracks`."""

    chosen = Signal()  # another group of curves

    def __init__(self, plot: Any, groups: Sequence[Group], first: int, name: str, *, labels: bool) -> None:
        super().__init__()
        self.plot, self.groups = plot, groups
        plot.setLogMode(x=False, y=True)
        plot.disableAutoRange()
        plot.setLabel("bottom", self.tr("epoch"))
        plot.getAxis("left").setWidth(AXIS_WIDTH)
        self.curves = {curve.scalar: curve for group in groups for curve in group.curves}
        self.lines = CurveLines(plot.getViewBox())
        self.now, self.crosshair = self._add_line(), self._add_line()
        self.marks, self.landmarks = MarkLines(plot, labels=labels), Landmarks(plot)
        self._tracks: Tracks | None = None
        self._references: Sequence[Reference] = ()
        self._test_error: float | None = None
        self.header = Header(groups, name)
        self.header.choice.setCurrentIndex(first)
        self.header.choice.currentIndexChanged.connect(self._change)

    @property
    def group(self) -> Group:
        """What is shown."""
        return self.groups[self.header.choice.currentIndex()]

    @property
    def shown(self) -> tuple[Curve, ...]:
        """The curves of the group that the run has."""
        return self.group.of(gated=self._tracks is None or self._tracks.gated)

    def _add_line(self) -> Any:
        line = pg.InfiniteLine(angle=90)
        line.setVisible(False)
        self.plot.addItem(line, ignoreBounds=True)
        return line

    def draw(self, tracks: Tracks, marks: Sequence[Mark]) -> None:
        """Draw the shown curves of these tracks, and the marks."""
        self._tracks = tracks
        shown = self.shown
        self.header.show_only([curve in shown for curve in self.group.curves])
        self.lines.show_lines({curve.scalar: _line(tracks, curve) for curve in shown})
        self.marks.set_marks(marks)
        self._show_landmarks()

    def clear(self) -> None:
        """Show no run."""
        self._tracks, self._references, self._test_error = None, (), None
        self.lines.show_lines({})
        self.marks.clear()
        self.landmarks.show(())

    def _change(self) -> None:
        if self._tracks is not None:
            self.draw(self._tracks, self.marks.marks)
            self.fit()
        self.chosen.emit()

    def set_references(self, references: Sequence[Reference]) -> None:
        """Hold the curves against these."""
        self._references = references
        self._show_landmarks()

    def set_test_error(self, percent: float | None) -> None:
        """Mark the test error at the end of the run; None: it was not read."""
        self._test_error = percent
        self._show_landmarks()

    def _show_landmarks(self) -> None:
        tracks = self._tracks
        if tracks is None or not tracks.length:
            self.landmarks.show(())
            return
        self.landmarks.keep_clear_of(self.lines.lines.values())
        self.landmarks.show([*self._published(), *self._ending(tracks), *self._gaps(tracks)])

    def _published(self) -> list[Landmark]:
        errors, kept = self.group.shows("validation_error"), self.group.shows("parameters_kept")
        found = []
        for reference in self._references:
            if errors and reference.error_percent is not None:
                found.append(Landmark(reference.error_percent, self._error_texts(reference)))
            if kept and reference.parameters_kept is not None:
                count = f"{reference.parameters_kept / 1000:.3g}k"
                texts = tuple(f"{name}: {count}" for name in (reference.name, reference.brief))
                found.append(Landmark(reference.parameters_kept, texts))
        return found

    def _error_texts(self, reference: Reference) -> tuple[str, ...]:
        """All say that it is another error than the curve's."""
        error, brief = f"{reference.error_percent:.2f} %", self.tr("{0} (test): {1}")
        return (
            self.tr("{0} (test; this run: validation): {1}").format(reference.name, error),
            brief.format(reference.name, error),
            brief.format(reference.brief, error),
        )

    def _ending(self, tracks: Tracks) -> list[Landmark]:
        if self._test_error is None or not self.group.shows("validation_error"):
            return []
        text = self.tr("test error {0:.2f} %").format(self._test_error)
        return [Landmark(self._test_error, (text,), float(tracks.epochs[-1]))]

    def _gaps(self, tracks: Tracks) -> list[Landmark]:
        """A word on values that a log axis has no place for."""
        curves = [curve for curve in self.shown if (tracks.scalar(curve.scalar) == 0).any()]
        if not curves:
            return []
        names = (", ".join(curve.name for curve in curves), ", ".join(curve.brief for curve in curves))
        return [Landmark(None, tuple(self.tr("no line where 0: {0}").format(name) for name in names))]

    def fit(self, epochs: tuple[float, float] | None = None) -> None:
        """Bring all values of the shown curves into sight, and the landmarks near them; and these epochs, if any."""
        values = [] if self._tracks is None else [self._tracks.scalar(curve.scalar) for curve in self.shown]
        found = log_range(values)
        self.plot.getAxis("left").setStyle(showValues=found is not None)
        low, high = self.landmarks.extend(*(found or (0.0, 1.0)))
        words = HEADROOM * (high - low) if self.marks.has_words() else 0.0
        self.plot.setRange(xRange=epochs, yRange=padded(low, high + words, _ROOM), padding=0)

    def set_epochs(self, epochs: Sequence[float]) -> None:
        """Show these on the time axis."""
        if self.plot.viewRange()[0] != list(epochs):
            self.plot.setXRange(*epochs, padding=0)

    def restyle(self, theme: Theme, font: QFont) -> None:
        """Take on the theme's colours."""
        style_plot(self.plot, theme, small(font))
        pens = {
            scalar: pg.mkPen(getattr(theme, curve.colour), width=curve.width, style=curve.dash)
            for scalar, curve in self.curves.items()
        }
        self.lines.set_pens(pens)
        self.header.set_pens([[pens[curve.scalar] for curve in group.curves] for group in self.groups])
        self.marks.restyle(theme.muted, theme.muted, small(font))
        self.landmarks.restyle(theme, font)
        self.now.setPen(pg.mkPen(theme.text, width=1))
        self.crosshair.setPen(pg.mkPen(theme.accent, style=Qt.PenStyle.DashDotLine))


def _line(tracks: Tracks, curve: Curve) -> Line:
    """Joined over snapshots at which it was not measured, if that is seldom done."""
    values = on_log_axis(tracks.scalar(curve.scalar))
    joined = np.isfinite(values) if curve.seldom else np.ones(len(values), dtype=bool)
    return Line(tracks.epochs[joined], values[joined], dots=curve.seldom and joined.sum() <= MOST_DOTS)
