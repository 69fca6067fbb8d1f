"""Two runs' masks of one layer, side by side and as a difference."""

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from sparseviz.gui.compare.views import mask_image
from sparseviz.gui.compare.views.base import CompareView
from sparseviz.gui.compare.views.mask_legend import MaskLegend
from sparseviz.gui.compare.views.mask_plots import MaskPlots
from sparseviz.gui.compare.views.mask_question import Answer, Question
from sparseviz.gui.compare.views.pairing import PairBar, Pairing, Side
from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel, Table, percent, shape_text
from sparseviz.values.overlap import BOTH, FIRST, SECOND

_NEARER = 0.8
_STRIDE = 0.1  # of what is in sight
_MOVES = {
    Qt.Key.Key_Left: (-_STRIDE, 0.0),
    Qt.Key.Key_Right: (_STRIDE, 0.0),
    Qt.Key.Key_Up: (0.0, -_STRIDE),
    Qt.Key.Key_Down: (0.0, _STRIDE),
}
_ZOOMS = {Qt.Key.Key_Plus: _NEARER, Qt.Key.Key_Equal: _NEARER, Qt.Key.Key_Minus: 1 / _NEARER}


class MasksTab(CompareView):
    """Asks for the masks that are chosen, and draws the newest answer."""

    asked = Signal(object)  # a Question

    def __init__(self, pairing: Pairing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pairing, self.bar, self.plots, self.legend = pairing, PairBar(pairing), MaskPlots(), MaskLegend()
        self.question: Question | None = None
        self.answer: Answer | None = None
        self.refusal = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.refusal.setContentsMargins(24, 24, 24, 24)
        self.measures, self.caption = FittingLabel(), FittingLabel()
        self._screens = QStackedWidget()
        self._begun: object = None  # the layer that the plots show
        self._arrange()
        self.plots.pointed.connect(self._point)
        pairing.changed.connect(self._draw)
        self._restyle(self.theme)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Masks of two runs")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "Which weights two runs keep, and which only one of them does, appears here: add two runs of one network "
            "(Ctrl+O), or drop files."
        )

    def lesson(self) -> str:
        """What to compare."""
        return self.tr(
            "Two runs that begin with the same seed may keep the same weights; from different seeds the units are "
            "shuffled, and what they have in common is often little more than chance. Compare the weights kept by both "
            "with the number expected by chance; whole rows and columns in one colour are units that one run gave up."
        )

    def least(self) -> int:
        """Two are compared."""
        return 2

    def keys(self) -> list[tuple[str, str]]:
        """Those of the pictures."""
        return [
            (self.tr("zoom in, out"), "+, −"),
            (self.tr("move"), self.tr("arrow keys")),
            (self.tr("show all of the layer"), self.tr("Home")),
            (self.tr("the time before, the next"), self.tr("Page Up, Page Down")),
        ]

    def table(self) -> Table:
        """The counts."""
        if self.answer is None or self.is_empty():
            return []
        overlap, question = self.answer.overlap, self.answer.question
        rows: list[list[str | int | float]] = [[self.tr("layer {0}").format(question.layer), self.tr("value")]]
        one, other = question.first.run.label, question.second.run.label
        counts = (overlap.both, overlap.first, overlap.second, overlap.neither)
        names = (
            self.tr("kept by both"),
            self.tr("kept by {0} only").format(one),
            self.tr("kept by {0} only").format(other),
            self.tr("kept by none"),
        )
        rows += [[name, count] for name, count in zip(names, counts, strict=True)]
        rows.append([self.tr("kept by both, expected by chance"), overlap.chance])
        rows += [[self.tr("Jaccard"), overlap.jaccard], [self.tr("Jaccard by chance"), overlap.jaccard_by_chance]]
        rows += [[self.tr("step of {0}").format(one), self.answer.steps[0]]]
        rows += [[self.tr("step of {0}").format(other), self.answer.steps[1]]]
        return rows

    def _arrange(self) -> None:
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._screens.addWidget(self.refusal)
        self._screens.addWidget(self.plots)
        column.addWidget(self.bar)
        column.addWidget(self.legend)
        column.addWidget(self._screens, 1)
        for label in (self.measures, self.caption):
            label.setContentsMargins(6, 0, 6, 2)
            column.addWidget(label)

    # Asking.

    def _draw(self) -> None:
        """Ask for what is chosen, unless it cannot be, or was asked already."""
        sides = self.pairing.sides()
        if self.is_empty() or sides is None or not self.isVisible():
            return
        name, before = self.pairing.name, self.question
        if problem := self._problem(*sides):
            self.refuse(problem)
            return
        question = Question(*sides, name)
        if before is not None and _same(before, question):
            return
        self._begin(question)
        self.question = question
        self.caption.set_texts(self.tr("Reading the masks…"))
        self.asked.emit(question)

    def _problem(self, first: Side, second: Side) -> str:
        """Why these cannot be compared, or ""."""
        name = self.pairing.name
        for side in (first, second):
            if side.layer is None:
                told = self.tr("{0} has no layer “{1}”: choose a layer that both runs have.")
                return told.format(side.run.label, name)
        assert first.layer and second.layer  # noqa: S101, PT018  # just seen
        shapes = [side.layer.info.shape for side in (first, second) if side.layer]
        if shapes[0] != shapes[1]:
            told = self.tr(
                "“{0}” is {1} in {2}, but {3} in {4}: masks can be laid over each other only where the layers have the "
                "same shape. “Distributions” compares layers of any size."
            )
            return told.format(name, shape_text(shapes[0]), first.run.label, shape_text(shapes[1]), second.run.label)
        return ""

    def refuse(self, text: str) -> None:
        """Say why there is no picture."""
        self.question = self.answer = None
        self._begun = None
        self.refusal.setText(text)
        self._screens.setCurrentWidget(self.refusal)
        self.plots.clear()
        self.legend.show_kinds([], (1, 2))
        for label in (self.measures, self.caption):
            label.set_texts("")

    def _begin(self, question: Question) -> None:
        """Another pair or layer: the old picture is none of it."""
        layer = question.first.layer
        assert layer is not None  # noqa: S101  # see `_problem`
        shown = question.first.run.number, question.second.run.number, question.layer
        if shown != self._begun:
            self._begun, self.answer = shown, None
            self.plots.restyle(self.theme, self.font(), shown[:2])
            self.plots.begin(layer.info, (self.tr("output unit"), self.tr("input")))
            self.plots.set_titles(self._titles(question), self.theme, self.font())
        self._screens.setCurrentWidget(self.plots)

    def _titles(self, question: Question) -> tuple[str, str, str]:
        kept = self.tr("kept by {0}")
        one, other = question.first.run, question.second.run
        return kept.format(one.label), kept.format(other.label), self.tr("difference")

    def take(self, answer: Answer) -> None:
        """Draw it, unless something else is chosen by now."""
        if answer.question is not self.question:
            return
        self.answer = answer
        self.plots.draw(answer.kinds, answer.block)
        one, other = answer.question.first.run.number, answer.question.second.run.number
        overlap = answer.overlap
        kinds = [
            (mask_image.COMMON, self.tr("kept by both {0:,}").format(overlap.both)),
            (mask_image.ONE, self.tr("only by {0}: {1:,}").format(one, overlap.first)),
            (mask_image.OTHER, self.tr("only by {0}: {1:,}").format(other, overlap.second)),
            (mask_image.NONE, self.tr("by none {0:,}").format(overlap.neither)),
            (mask_image.SEVERAL, self.tr("several in one pixel")),
        ]
        self.legend.show_kinds(kinds, (one, other))
        self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        overlap = answer.overlap
        common = self.tr("In common {0:,} weights; by chance {1} would be").format(overlap.both, _few(overlap.chance))
        if math.isnan(overlap.jaccard):
            jaccard = self.tr("neither run keeps a weight")
        else:
            told = self.tr("Jaccard {0} % (by chance {1} %)")
            jaccard = told.format(percent(overlap.jaccard), percent(overlap.jaccard_by_chance))
        self.measures.set_texts(f"{common} · {jaccard}", jaccard)
        self.caption.set_texts(*self._sources(answer))

    def _sources(self, answer: Answer) -> tuple[str, str]:
        """Where each mask comes from, and how large a square is."""
        parts = []
        sides = (answer.question.first, answer.question.second)
        for side, step, exact in zip(sides, answer.steps, answer.exact, strict=True):
            exactly, nearest = self.tr("{0}: mask at step {1:,}"), self.tr("{0}: mask of the checkpoint at step {1:,}")
            parts.append((exactly if exact else nearest).format(side.run.number, step))
        if answer.block > 1:
            parts.append(self.tr("each square stands for {0} × {0} weights").format(answer.block))
        return " · ".join(parts), parts[-1]

    def _point(self, row: int, column: int) -> None:
        """Say what is under the pointer."""
        if self.answer is None:
            return
        if row < 0:
            self.caption.set_texts(*self._sources(self.answer))
            return
        one, other = self.answer.question.first.run.number, self.answer.question.second.run.number
        words = {0: self.tr("kept by none"), BOTH: self.tr("kept by both")}
        words |= {FIRST: self.tr("kept by {0} only").format(one), SECOND: self.tr("kept by {0} only").format(other)}
        told = words.get(self.plots.at(row, column), self.tr("several kinds in this square"))
        self.caption.set_texts(self.tr("output unit {0}, input {1}: {2}").format(row, column, told))

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what was chosen while it was out of sight."""
        super().showEvent(event)
        self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom, move, and go through time."""
        key, times = event.key(), {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if key == Qt.Key.Key_Home:
            self.plots.reset()
        elif key in _MOVES:
            self.plots.move_by(*_MOVES[Qt.Key(key)])
        elif key in _ZOOMS:
            self.plots.zoom(_ZOOMS[Qt.Key(key)])
        elif key in times:
            self.bar.slider.setValue(self.bar.slider.value() + times[Qt.Key(key)])
        else:
            super().keyPressEvent(event)

    def _restyle(self, theme: Theme) -> None:
        numbers = self.pairing.numbers if all(self.pairing.numbers) else (1, 2)
        self.plots.restyle(theme, self.font(), numbers)
        if self.question is not None:
            self.plots.set_titles(self._titles(self.question), theme, self.font())
        mute(self.refusal, theme)
        for label in (self.measures, self.caption):
            mute(label, theme)
            label.setFont(small(self.font()))
        self.legend.update()


def _same(one: Question, other: Question) -> bool:
    """Whether both ask for the same masks."""
    return one.layer == other.layer and all(
        ours.run is theirs.run and ours.position == theirs.position
        for ours, theirs in ((one.first, other.first), (one.second, other.second))
    )


def _few(count: float) -> str:
    """An expected number."""
    return f"{count:,.0f}" if count >= 10 else f"{count:.2g}"
