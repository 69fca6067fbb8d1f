"""Error against what is kept: the runs' ways and ends, and the published networks as anchors."""

import math
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sparseviz.gui.compare.views.base import CompareView, RunLegend
from sparseviz.gui.compare.views.point_names import PointNames
from sparseviz.gui.compare.views.run_plot import RunLine, RunPlot
from sparseviz.gui.compare.views.subject import Subject, sign_of
from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel, Table
from sparseviz.gui.views.plots.landmarks import Reference

_HEADROOM = 3.0  # times the largest end or anchor: the ways above are cut off
_LEAST = 0.01  # percent: where an error of 0 has its place on the log axis


@dataclass(frozen=True, slots=True)
class Point:
    """One error at one size."""

    name: str
    number: int  # of the run; 0: published
    kind: str  # "test", "validation" or "published test"
    kept: float
    error: float  # percent


class ErrorsTab(CompareView):
    """Both axes are log; test errors are full symbols, validation errors hollow ones and lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points: list[Point] = []
        self._follows = True
        self.axis, self.ways = QComboBox(), QCheckBox(self.tr("ways there"))
        self.legend, self.picture = RunLegend(), RunPlot(marked=False)
        self.names = PointNames(self.picture.plot)
        self.ends, self.anchors = pg.ScatterPlotItem(), pg.ScatterPlotItem(symbol="x", size=11)
        self.key, self.caption = FittingLabel(), QLabel(wordWrap=True)
        self._arrange()
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Error against what is kept")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "Error against the parameters that are kept appears here, a point a run, beside the published networks of "
            "the same data: add runs (Ctrl+O), or drop files."
        )

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "The better of two networks lies further down and to the left: fewer errors, fewer parameters. Full symbols"
            " are test errors, as the published ones are; hollow symbols are validation errors, which are read all "
            "the time and may be a little lower than what the test images say."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the plot."""
        return [(self.tr("show all"), self.tr("Home")), (self.tr("show or hide the ways there"), "W")]

    def table(self) -> Table:
        """A row a point."""
        if self.is_empty():
            return []
        head = [self.tr("run"), self.tr("name"), self.tr("error of"), self.axis.currentText(), self.tr("error %")]
        return [head, *([p.number or "", p.name, p.kind, p.kept, p.error] for p in self.points)]

    def _arrange(self) -> None:
        for text, key in ((self.tr("parameters kept"), "parameters_kept"), (self.tr("weights kept"), "weights_kept")):
            self.axis.addItem(text, key)
        tip = self.tr("What the error is drawn against; published networks count weights, without biases")
        self.axis.setAccessibleName(self.tr("What the error is drawn against"))
        self.axis.setToolTip(tip)
        self.ways.setChecked(True)
        self.ways.setAccessibleName(self.tr("Show the validation error on the way there (W)"))
        self.ways.setToolTip(self.ways.accessibleName())
        self.picture.canvas.setAccessibleName(self.tr("Error against what is kept"))
        row, column, over = QHBoxLayout(), QVBoxLayout(self.body), QLabel(self.tr("Error against"))
        row.setContentsMargins(6, 4, 6, 0)
        over.setBuddy(self.axis)
        for widget in (over, self.axis, self.ways):
            row.addWidget(widget)
        row.addStretch(1)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.legend)
        column.addWidget(self.picture.canvas, 1)
        for label in (self.key, self.caption):
            label.setContentsMargins(6, 0, 6, 2)
            column.addWidget(label)
        for item, height in ((self.anchors, 7), (self.ends, 8)):
            item.setZValue(height)
            self.picture.plot.addItem(item)
        self.axis.currentIndexChanged.connect(self._show_all)
        self.ways.toggled.connect(self._draw)
        self.picture.canvas.scene().sigMouseClicked.connect(lambda e: self._show_all() if e.double() else None)
        self.picture.box.sigRangeChangedManually.connect(self._stop_following)

    def _stop_following(self) -> None:
        self._follows = False

    def _show_all(self) -> None:
        self._follows = True
        self._draw()

    # Points.

    def _draw(self) -> None:
        self.points = [point for run in self.runs for point in self._ends(run)]
        self.points += [self._anchor(reference, subject) for subject, reference in self._published()]
        self.legend.show_runs(self.runs)
        ways = [self._way(run) for run in self.runs] if self.ways.isChecked() else []
        self.picture.show([way for way in ways if len(way.x)], log=(True, True))
        self.picture.plot.setLabel("bottom", self.axis.currentText())
        self.picture.plot.setLabel("left", self.tr("error %"))
        if self._follows:
            self._fit()
        self._mark()
        self._tell()

    def _ends(self, run: Subject) -> list[Point]:
        """The run's last validation error and its test error, where they were read."""
        kept = run.history[-1].scalars[self.axis.currentData()]
        validation = run.history.scalar("validation_error")
        read = validation[np.isfinite(validation)]
        last = float(read[-1]) if len(read) else math.nan
        found = ((self.tr("validation"), last), (self.tr("test"), run.errors.test))
        return [Point(run.name, run.number, kind, kept, error) for kind, error in found if math.isfinite(error)]

    def _published(self) -> list[tuple[Subject, Reference]]:
        """What is published for the networks and data of the runs, once each, with a run that it is held against."""
        first = {(run.network, run.data): run for run in reversed(self.runs)}
        return [(run, anchor) for run in first.values() for anchor in run.anchors if anchor.parameters_kept]

    def _anchor(self, reference: Reference, run: Subject) -> Point:
        several = len({other.network for other, _ in self._published()}) > 1
        name = f"{reference.name} ({run.network})" if several else reference.name
        assert reference.parameters_kept and reference.error_percent is not None  # noqa: S101, PT018  # see `_published`
        return Point(name, 0, self.tr("published test"), reference.parameters_kept, reference.error_percent)

    def _way(self, run: Subject) -> RunLine:
        kept, error = run.history.scalar(self.axis.currentData()), run.history.scalar("validation_error")
        there = (kept > 0) & np.isfinite(error)
        return RunLine(run, kept[there], error[there].clip(_LEAST))

    def _fit(self) -> None:
        """All ends and anchors; the ways there begin far above, and are cut off."""
        kept = [point.kept for point in self.points if point.kept > 0]
        errors = [max(point.error, _LEAST) for point in self.points]
        if not kept:
            self.picture.fit()
            return
        (left, right), (low, high) = (np.log10([min(some), max(some)]).tolist() for some in (kept, errors))
        high = max(min(high + math.log10(_HEADROOM), 2.0), high) if self.ways.isChecked() else high
        for do, ends in ((self.picture.plot.setXRange, (left, right)), (self.picture.plot.setYRange, (low, high))):
            widen = max(0.3 - (ends[1] - ends[0]), 0.1) / 2
            do(ends[0] - widen, ends[1] + widen, padding=0.08)

    def _place(self, point: Point) -> tuple[float, float]:
        return math.log10(point.kept), math.log10(max(point.error, _LEAST))

    def _mark(self) -> None:
        theme, published = self.theme, [point for point in self.points if not point.number and point.kept > 0]
        ends = [point for point in self.points if point.number and point.kept > 0]
        spots = []
        for point in ends:
            sign, test = sign_of(point.number, theme), point.kind == self.tr("test")
            brush = pg.mkBrush(sign.colour if test else theme.background)
            pen = pg.mkPen(theme.background if test else sign.colour, width=1 if test else 2)
            spots.append({"pos": self._place(point), "symbol": sign.symbol, "size": 14, "brush": brush, "pen": pen})
        self.ends.setData(spots)
        look = {"pen": pg.mkPen(theme.background), "brush": theme.text}
        self.anchors.setData([{"pos": self._place(point), **look} for point in published])
        told = [point for point in ends if point.kind == self.tr("test") or not self._is_tested(point)]
        named = [(*self._place(point), str(point.number)) for point in told]
        named += [(*self._place(point), point.name) for point in published]
        places = np.array([self._place(point) for point in (*ends, *published)], dtype=np.float64).reshape(-1, 2)
        self.names.show(named, places, theme, small(self.font()))

    def _is_tested(self, point: Point) -> bool:
        return any(run.number == point.number and math.isfinite(run.errors.test) for run in self.runs)

    def _tell(self) -> None:
        way = self.tr("line: validation error on the way there") if self.ways.isChecked() else ""
        full, hollow = self.tr("full: test error at the end"), self.tr("hollow: validation error at the end")
        cross = self.tr("✕ published test error") if self._published() else ""
        self.key.set_texts(" · ".join(filter(None, (full, hollow, way, cross))), f"{full} · {hollow}", full)
        self.caption.setText(self._notes())

    def _notes(self) -> str:
        """What the anchors are, or why there are none; and which runs have no test error."""
        notes = []
        if self._published() and self.axis.currentData() == "parameters_kept":
            told = self.tr("Published networks count weights without biases; “weights kept” compares like with like.")
            notes.append(told)
        bare = dict.fromkeys(f"{run.network}, {run.data}" for run in self.runs if not run.anchors)
        if bare:
            notes.append(self.tr("No published network is known for {0}.").format("; ".join(bare)))
        untested = [str(run.number) for run in self.runs if not math.isfinite(run.errors.test)]
        if untested:
            notes.append(self.tr("The test images were not read by {0}.").format(", ".join(untested)))
        if len({(run.network, run.data) for run in self.runs}) > 1:
            notes.append(self.tr("The runs differ in network or data: their errors are not of one task."))
        return " ".join(notes)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See all, or with or without the ways there."""
        if event.key() == Qt.Key.Key_Home:
            self._show_all()
        elif event.key() == Qt.Key.Key_W and not event.modifiers():
            self.ways.toggle()
        else:
            super().keyPressEvent(event)

    def _restyle(self, theme: Theme) -> None:
        self.picture.restyle(theme, self.font())
        self.legend.restyle(theme)
        for label in (self.key, self.caption):
            mute(label, theme)
            label.setFont(small(self.font()))
        if self.runs:
            self._mark()
