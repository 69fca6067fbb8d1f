"""Comparison: one image, and what the sparse network and a dense run answer to it, side by side."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sparseviz.gui.qt.theme import Theme, mute, theme_of
from sparseviz.gui.views.base import FittingLabel, percent
from sparseviz.gui.views.examples.answer_bars import AnswerBars
from sparseviz.gui.views.examples.grey import ink_colours, paint_image, picture
from sparseviz.values.examples import Float32Array, NetworkFacts

PICTURE = 30  # pixels a side
WORD = 70  # pixels, in which an invitation can be wrapped
MARGIN = 16  # pixels of a button beside its text


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The image that is compared."""

    pixels: Float32Array  # (C, H, W), from 0 to 1, as the networks get it
    name: str
    label: int | None  # the true class, if known


class ExampleImage(QWidget):
    """The image as the networks get it."""

    def __init__(self) -> None:
        super().__init__()
        self.theme = theme_of(self.palette())
        self.pixels: Float32Array | None = None
        self.setFixedSize(PICTURE, PICTURE)
        self.setAccessibleName(self.tr("The image as the networks get it"))
        self.setToolTip(self.accessibleName())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # it is small: all is painted
        """Paint it, or blank paper."""
        painter, place = QPainter(self), QRectF(self.rect())
        painter.fillRect(place, self.theme.background)
        if self.pixels is not None:
            paint_image(painter, place, picture(self.pixels, ink_colours(self.theme)))


class FittingButton(QPushButton):
    """A button with the longest of its texts that fits; its accessible name is the longest."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: tuple[str, ...] = ("",)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_texts(self, *texts: str) -> None:
        """The texts, from the longest to the shortest."""
        self._texts = texts
        self.setAccessibleName(texts[0])
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose again for the new width."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the shortest text allows."""
        return QSize(self._width(self._texts[-1]), super().minimumSizeHint().height())

    def _width(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + MARGIN

    def _fit(self) -> None:
        self.setText(next((text for text in self._texts if self._width(text) <= self.width()), self._texts[-1]))


class Column(QWidget):
    """One network's name, its answer and its bars; or, where there is none, what will appear here."""

    def __init__(self, heading: str, invitation: str) -> None:
        super().__init__()
        self.heading = heading
        self.facts: NetworkFacts | None = None
        self.title, self.answer = FittingLabel(), FittingLabel()
        self.bars = AnswerBars(self.tr("{0}: probability of every class").format(heading))
        self.invitation = QLabel(invitation, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.invitation.setMinimumWidth(WORD)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.invitation)
        self._pages.addWidget(self.bars)
        bold = self.answer.font()
        bold.setBold(True)
        self.answer.setFont(bold)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(1)
        for part in (self.title, self.answer):
            rows.addWidget(part)
        rows.addWidget(self._pages, 1)
        self.show_network(None)

    def show_network(self, facts: NetworkFacts | None) -> None:
        """Say which network answers here; None: none."""
        self.facts = facts
        self._pages.setCurrentIndex(0 if facts is None else 1)
        self.show_answer(None, None)
        if facts is None:
            self.title.set_texts(self.heading)
            return
        kept = self.tr("{0} % of the weights kept").format(percent(facts.kept))
        step = self.tr("step {0:,}").format(facts.step)
        error = "" if math.isnan(facts.error) else self.tr("validation error {0:.2f} %").format(facts.error)
        parts = [part for part in (facts.name, step, kept, error) if part]
        brief = self.tr("{0} · {1} % kept").format(self.heading, percent(facts.kept))
        self.title.set_texts(f"{self.heading} · {' · '.join(parts)}", brief, self.heading)
        self.title.setToolTip("\n".join(parts))

    def show_answer(self, probabilities: Float32Array | None, label: int | None) -> None:
        """Show what it answers; None: nothing yet."""
        classes = self.facts.classes if self.facts else ()
        self.bars.show_answer(classes, probabilities, label)
        if probabilities is None:
            self.answer.set_texts("")
            return
        best = int(probabilities.argmax())
        sign = "" if label is None else ("✓ " if best == label else "✗ ")
        share = percent(float(probabilities[best]))
        brief = f"{sign}{classes[best]}"
        self.answer.set_texts(
            self.tr("{0}answer {1} · {2} %").format(sign, classes[best], share), f"{brief} · {share} %", brief
        )

    def restyle(self, theme: Theme) -> None:
        """Draw in the theme's colours."""
        self.bars.restyle(theme)
        mute(self.invitation, theme)
        mute(self.title, theme)


class Comparison(QWidget):
    """The image above two columns, and below them what brings a dense run."""

    choose_dense = Signal()
    train_dense = Signal()
    cancel_dense = Signal()
    told = Signal()  # a message stands below, perhaps out of sight

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.subject: Subject | None = None
        self.picture, self.name = ExampleImage(), QLabel(wordWrap=True)
        self.sparse = Column(self.tr("This run"), self.tr("The answer of the run in this window appears here."))
        self.dense = Column(
            self.tr("Dense run"), self.tr("The answer of a dense run appears here: choose one, or train one.")
        )
        self.choose, self.train = FittingButton(), FittingButton()
        self.choose.set_texts(self.tr("Choose dense run…"), self.tr("Choose…"))
        self.choose.setToolTip(self.tr("Take the newest checkpoint of a run file with the same images and classes"))
        self.train.setToolTip(
            self.tr("Train this run's configuration with the method 'dense', in a process of its own")
        )
        self.message = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.progress = QProgressBar()
        self.progress.setAccessibleName(self.tr("Progress of the dense run"))
        self._is_training = False
        self._lay_out()
        self.choose.clicked.connect(self.choose_dense)
        self.train.clicked.connect(self._train_or_cancel)
        self.show_progress(None)
        self.show_message("")

    def _lay_out(self) -> None:
        head, foot, grid = QHBoxLayout(), QHBoxLayout(), QGridLayout(self)
        head.addWidget(self.picture)
        head.addWidget(self.name, 1)
        for button in (self.choose, self.train):
            foot.addWidget(button)
        grid.setContentsMargins(6, 4, 6, 4)
        grid.setSpacing(4)
        grid.addLayout(head, 0, 0, 1, 2)
        grid.addWidget(self.sparse, 1, 0)
        grid.addWidget(self.dense, 1, 1)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(1, 1)
        grid.addLayout(foot, 2, 0, 1, 2)
        grid.addWidget(self.progress, 3, 0, 1, 2)
        grid.addWidget(self.message, 4, 0, 1, 2)

    def _train_or_cancel(self) -> None:
        (self.cancel_dense if self._is_training else self.train_dense).emit()

    def show_subject(self, subject: Subject | None, invitation: str) -> None:
        """Show which image is compared; its answers follow."""
        self.subject = subject
        self.picture.pixels = None if subject is None else subject.pixels
        self.picture.update()
        self.name.setText(invitation if subject is None else subject.name)
        if subject is None:
            self.show_answers(None, None)

    def show_answers(self, sparse: Float32Array | None, dense: Float32Array | None) -> None:
        """Show both answers (classes,) to the image."""
        label = self.subject.label if self.subject else None
        self.sparse.show_answer(sparse, label)
        self.dense.show_answer(dense, label)

    def show_progress(self, share: float | None) -> None:
        """Show how much of the dense run is trained; below 0: unknown; None: none trains."""
        self._is_training = share is not None
        if self._is_training:
            self.train.set_texts(self.tr("Cancel training"), self.tr("Cancel"))
        else:
            self.train.set_texts(self.tr("Train dense run"), self.tr("Train"))
        self.progress.setVisible(self._is_training)
        if share is not None:
            self.progress.setRange(0, 0 if share < 0 else 100)
            self.progress.setValue(round(100 * max(share, 0)))

    def show_message(self, text: str) -> None:
        """Say what became of a dense run."""
        self.message.setText(text)
        self.message.setVisible(bool(text))
        if text:
            self.told.emit()

    def restyle(self, theme: Theme) -> None:
        """Draw in the theme's colours."""
        self.picture.theme = theme
        self.picture.update()
        for column in (self.sparse, self.dense):
            column.restyle(theme)
