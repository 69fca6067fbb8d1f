"""Marks on a time axis: what was done to the run, where its phases change, where now is, where one reads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF

from sparseviz.gui.views.curves.tracks import Tracks
from sparseviz.gui.views.plots.label_placement import choose_spots
from sparseviz.values.snapshot import Event

_SYMBOLS = {"lambda1": "λ₁", "lambda2": "λ₂", "gate_rate": "gate rate"}
_TOGETHER = 0.01  # of the time axis: changes of one setting nearer than this are one move of a slider
_MOST_ROWS = 4  # of labels, so that neighbours do not cover each other
_ROWS_SHARE = 0.4  # of the plot's height that they may take
_MARGIN = 4  # pixels on each side of a label's text
_MOST_LABELS = 12  # beyond, the marks stand alone and the words are read at the crosshair


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the time axis with a word."""

    epoch: float
    text: str
    event: bool  # done by a person; else a change of phase


def event_marks(tracks: Tracks) -> list[Mark]:
    """What was done, each at its epoch; quick changes of one setting are told as one."""
    if not tracks.events:
        return []
    epochs = tracks.epochs
    near = (epochs[-1] - epochs[0]) * _TOGETHER
    merged: list[tuple[float, Event]] = []
    for event in tracks.events:
        epoch = float(np.interp(event.step, tracks.scalar("step"), epochs))
        if merged and merged[-1][1].name == event.name and epoch - merged[-1][0] <= near:
            event = Event(event.step, event.name, merged.pop()[1].before, event.after)  # noqa: PLW2901  # the joined one
        merged.append((epoch, event))
    return [Mark(epoch, event_text(event), event=True) for epoch, event in merged]


def event_text(event: Event) -> str:
    """What was done in a few signs: "λ₂ 0.05 → 0.1"."""
    last = event.name.rsplit(".", 1)[-1]
    name = _SYMBOLS.get(last, last.replace("_", " "))
    if math.isnan(event.after):
        return name
    return f"{name} {event.after:g}" if math.isnan(event.before) else f"{name} {event.before:g} → {event.after:g}"


def phase_marks(tracks: Tracks) -> list[Mark]:
    """Where one phase gives way to another."""
    return [Mark(epoch, phase, event=False) for epoch, phase in tracks.phases]


class MarkLines:
    """The marks of one plot as vertical lines; lines are kept from draw to draw."""

    def __init__(self, plot: Any, *, labels: bool) -> None:
        self._plot, self._labels = plot, labels
        self.lines: list[Any] = []
        self.marks: list[Mark] = []
        self._colours: tuple[QColor, QColor] | None = None
        self._font = QFont()
        if labels:
            box = plot.getViewBox()
            box.sigResized.connect(self.arrange)
            box.sigXRangeChanged.connect(self.arrange)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Show these marks."""
        if self.marks == list(marks):
            return
        self.clear()
        self.marks = list(marks)
        for mark in self.marks:
            self._add(mark)
        self._colour()
        self.arrange()

    def _add(self, mark: Mark) -> None:
        labelled = self._labels and len(self.marks) <= _MOST_LABELS
        options = {"position": 0.95, "movable": False, "anchors": [(0, 0.5), (0, 0.5)]}
        line = pg.InfiniteLine(mark.epoch, angle=90, label=mark.text if labelled else None, labelOpts=options)
        self._plot.addItem(line, ignoreBounds=True)
        self.lines.append(line)

    def arrange(self) -> None:
        """Give each label the first row where it covers no other; one without a place is not shown."""
        labels = [line.label for line in self.lines if hasattr(line, "label")]
        if not labels:
            return
        box, metrics = self._plot.getViewBox(), QFontMetricsF(self._font)
        (left, right), width, height = box.viewRange()[0], box.width(), max(box.height(), 1)
        row = metrics.height() + 1
        rows = range(max(min(_MOST_ROWS, int(_ROWS_SHARE * height / row)), 1))
        lengths = [metrics.horizontalAdvance(mark.text) + 2 * _MARGIN for mark in self.marks]
        places = [(mark.epoch - left) / (right - left) * width for mark in self.marks]
        # where the right edge is near it stands before its line
        begins = [at - length if at + length > width else at for at, length in zip(places, lengths, strict=True)]
        spots = [
            [QRectF(begin, at, length, 1) for at in rows if begin >= 0]
            for begin, length in zip(begins, lengths, strict=True)
        ]
        for label, place, begin, at in zip(labels, places, begins, choose_spots(spots), strict=True):
            label.setVisible(at is not None)
            if at is not None:
                label.anchors = [(1, 0.5) if begin < place else (0, 0.5)] * 2
                label.setPosition(1 - (at + 0.6) * row / height)

    def has_words(self) -> bool:
        """Whether there is anything to read at the marks."""
        return self._labels and bool(self.marks)

    def clear(self) -> None:
        """Take all marks away."""
        for line in self.lines:
            self._plot.removeItem(line)
        self.lines, self.marks = [], []

    def restyle(self, strong: QColor, faint: QColor, font: QFont) -> None:
        """Draw events strong and dashed, phases faint and dotted."""
        self._colours, self._font = (strong, faint), font
        self._colour()

    def _colour(self) -> None:
        if self._colours is None:
            return
        for line, mark in zip(self.lines, self.marks, strict=True):
            style = Qt.PenStyle.DashLine if mark.event else Qt.PenStyle.DotLine
            colour = self._colours[0] if mark.event else self._colours[1]
            line.setPen(pg.mkPen(colour, style=style))
            if hasattr(line, "label"):
                line.label.setColor(colour)
                line.label.textItem.setFont(self._font)
        self.arrange()
