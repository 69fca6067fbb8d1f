"""Which two runs are held against each other, in which layer and when; and the bar where that is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSlider, QToolButton, QWidget

from sparseviz.gui.compare.views.subject import Subject
from sparseviz.gui.views.base import FittingLabel
from sparseviz.values.snapshot import LayerSnapshot

_LETTERS = 6  # of a choice, in a narrow window


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two runs, at a snapshot, and the layer there; None where it has none of this name."""

    run: Subject
    position: int
    layer: LayerSnapshot | None

    @property
    def when(self) -> float:
        """The epoch."""
        return self.run.history[self.position].epoch


class Pairing(QObject):
    """The choice; several bars may show it."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runs: tuple[Subject, ...] = ()
        self.numbers: tuple[int, int] = (0, 0)
        self.name = ""  # of the layer
        self.step = self.steps = 0  # of the time slider
        self.by_epoch = False  # else by the share of each run

    def show_runs(self, runs: Sequence[Subject]) -> None:
        """Choose among these; what was chosen stays where it can."""
        self.runs = tuple(runs)
        there = [run.number for run in runs]
        first = self.numbers[0] if self.numbers[0] in there else next(iter(there), 0)
        others = [number for number in there if number != first]
        second = self.numbers[1] if self.numbers[1] in others else next(iter(others), 0)
        self.choose(first, second)

    def choose(self, first: int, second: int) -> None:
        """Hold these two runs against each other."""
        at_end = self.step == self.steps
        self.numbers = first, second
        self.steps = len(self._lead().history) - 1 if self.pair() else 0
        self.step = self.steps if at_end else min(self.step, self.steps)
        if self.name not in self.layers():
            self.name = self._largest()
        self.changed.emit()

    def choose_layer(self, name: str) -> None:
        """Look at this layer."""
        if name != self.name:
            self.name = name
            self.changed.emit()

    def choose_time(self, step: int, *, by_epoch: bool) -> None:
        """Look at this time; another way to match times keeps what is looked at as near as can be."""
        if by_epoch != self.by_epoch:
            share = self.step / self.steps if self.steps else 1.0
            self.by_epoch = by_epoch
            self.steps = len(self._lead().history) - 1 if self.pair() else 0
            self.step = round(share * self.steps)
            self.changed.emit()
        elif step != self.step:
            self.step = step
            self.changed.emit()

    def _lead(self) -> Subject:
        """The run whose snapshots are the slider's steps: that with most, or by epochs that which lasts longest."""
        last = (lambda run: run.history[-1].epoch) if self.by_epoch else (lambda run: len(run.history))
        return max(self.pair(), key=last)

    def pair(self) -> tuple[Subject, ...]:
        """The two runs; empty where there are not two."""
        by_number = {run.number: run for run in self.runs}
        found = tuple(by_number[number] for number in self.numbers if number in by_number)
        return found if len(found) == 2 else ()

    def layers(self) -> list[str]:
        """The names of all layers of either run, those of both first."""
        pair = self.pair()
        names = [[layer.info.name for layer in run.history[0].layers] for run in pair]
        if not names:
            return []
        shared = [name for name in names[0] if name in names[1]]
        return list(dict.fromkeys([*shared, *names[0], *names[1]]))

    def _largest(self) -> str:
        """The largest layer that both have, where the difference of two methods shows most."""
        pair = self.pair()
        if not pair:
            return ""
        shared = {layer.info.name for layer in pair[1].history[0].layers}
        infos = [layer.info for layer in pair[0].history[0].layers]
        return max(infos, key=lambda info: (info.name in shared, info.weights)).name

    def sides(self) -> tuple[Side, Side] | None:
        """Both runs at the chosen time."""
        pair = self.pair()
        if not pair:
            return None
        lead = self._lead()
        epoch, end = lead.history[self.step].epoch, lead.history[-1].epoch
        share = epoch / end if end else 1.0
        targets = [epoch if self.by_epoch else share * run.history[-1].epoch for run in pair]
        places = [_position(run, epoch) for run, epoch in zip(pair, targets, strict=True)]
        one, other = (Side(run, at, run.layer(self.name, at)) for run, at in zip(pair, places, strict=True))
        return one, other


def _position(run: Subject, epoch: float) -> int:
    """The last snapshot not after this epoch."""
    return max(int(np.searchsorted(run.history.epochs(), epoch * (1 + 1e-9), side="right")) - 1, 0)


class PairBar(QWidget):
    """Two runs, a layer and a time; Swap puts the second first."""

    def __init__(self, pairing: Pairing) -> None:
        super().__init__()
        self.pairing = pairing
        self.first, self.second, self.layer, self.clock = (self._box() for _ in range(4))
        self.swap, self.slider, self.time = QToolButton(), QSlider(Qt.Orientation.Horizontal), FittingLabel()
        self._name()
        self._arrange()
        for box in (self.first, self.second):
            box.activated.connect(self._choose_runs)
        self.layer.activated.connect(lambda: pairing.choose_layer(self.layer.currentText()))
        self.clock.activated.connect(self._choose_time)
        self.slider.valueChanged.connect(self._choose_time)
        self.swap.clicked.connect(lambda: pairing.choose(*reversed(pairing.numbers)))
        pairing.changed.connect(self._follow)
        self._follow()

    @staticmethod
    def _box() -> QComboBox:
        box = QComboBox()
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(_LETTERS)
        box.view().setTextElideMode(Qt.TextElideMode.ElideNone)
        return box

    def _name(self) -> None:
        self.clock.addItems([self.tr("share of each run"), self.tr("same epoch")])
        self.swap.setText(self.tr("⇄"))
        self.swap.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        named = (
            (self.first, self.tr("First run")),
            (self.second, self.tr("Second run")),
            (self.layer, self.tr("Layer")),
            (self.clock, self.tr("How the two runs' times are matched")),
            (self.swap, self.tr("Swap the two runs")),
            (self.slider, self.tr("Time in both runs")),
        )
        for widget, name in named:
            widget.setAccessibleName(name)
            widget.setToolTip(name)

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 0)
        grid.setVerticalSpacing(2)
        label = QLabel(self.tr("Layer"))
        label.setBuddy(self.layer)
        for column, widget in enumerate((self.first, self.swap, self.second, label, self.layer)):
            grid.addWidget(widget, 0, column)
        below = ((self.slider, 0, 3), (self.time, 3, 1), (self.clock, 4, 1))
        for widget, column, span in below:
            grid.addWidget(widget, 1, column, 1, span)
        for column, share in ((0, 4), (2, 4), (3, 1), (4, 3)):
            grid.setColumnStretch(column, share)
        self.time.setMinimumWidth(130)

    def _choose_runs(self) -> None:
        """Where the same run was chosen twice, the other place takes what this one had."""
        first, second = self.first.currentData(), self.second.currentData()
        if first == second:
            before = self.pairing.numbers
            first, second = (before[1], second) if self.sender() is self.second else (first, before[0])
        self.pairing.choose(first, second)

    def _choose_time(self) -> None:
        self.pairing.choose_time(self.slider.value(), by_epoch=self.clock.currentIndex() == 1)

    def _follow(self) -> None:
        """Show what is chosen."""
        pairing = self.pairing
        blockers = [QSignalBlocker(each) for each in (self.first, self.second, self.layer, self.clock, self.slider)]
        for box, number in zip((self.first, self.second), pairing.numbers, strict=True):
            _fill(box, [(run.label, run.number) for run in pairing.runs], number)
        _fill(self.layer, [(name, name) for name in pairing.layers()], pairing.name)
        self.slider.setRange(0, pairing.steps)
        self.slider.setPageStep(max(pairing.steps // 10, 1))
        self.slider.setValue(pairing.step)
        self.slider.setEnabled(pairing.steps > 0)
        self.clock.setCurrentIndex(int(pairing.by_epoch))
        for blocker in blockers:
            blocker.unblock()
        self._tell()

    def _tell(self) -> None:
        sides = self.pairing.sides()
        if sides is None:
            self.time.set_texts("")
            return
        epochs = [f"{side.when:.4g}" for side in sides]
        share = 100 * max(side.when / (side.run.history[-1].epoch or 1) for side in sides)
        both = self.tr("epoch {0} and {1}").format(*epochs) if epochs[0] != epochs[1] else ""
        text = both or self.tr("epoch {0}").format(epochs[0])
        self.time.set_texts(self.tr("{0:.0f} % · {1}").format(share, text), text, " | ".join(epochs))


def _fill(box: QComboBox, items: list[tuple[str, object]], chosen: object) -> None:
    """Offer these, and choose one."""
    if [(box.itemText(at), box.itemData(at)) for at in range(box.count())] != items:
        box.clear()
        for text, data in items:
            box.addItem(text, data)
        widest = max((box.fontMetrics().horizontalAdvance(text) for text, _ in items), default=0)
        box.view().setMinimumWidth(widest + 40)
    box.setCurrentIndex(box.findData(chosen))
