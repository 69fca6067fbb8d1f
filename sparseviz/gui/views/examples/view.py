"""Examples: validation images, the misread first, and a drawing, as the sparse network and a dense run read them."""

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sparseviz.gui.qt.theme import Theme
from sparseviz.gui.views.base import FittingLabel, View
from sparseviz.gui.views.examples.comparison import Comparison, Subject
from sparseviz.gui.views.examples.drawing_pad import DrawingPad
from sparseviz.gui.views.examples.grid import MISREAD, ExampleGrid
from sparseviz.values.examples import MNIST_BOX, Answers, Float32Array, NetworkFacts
from sparseviz.values.history import History

BUTTON = 18  # pixels of a button beside its text
LEAST = 150  # pixels of the view's height
WIDE = 1.2  # width over height from which the comparison stands beside the images, not below


class ExamplesView(View):
    """Images on the left, answers on the right. It is given answers, and asks for those to one image."""

    asked = Signal(object)  # the pixels (C, H, W) from 0 to 1 that both networks are to read, or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.answers: Answers | None = None
        self._classes: tuple[str, ...] = ()  # that `shown` offers
        self.comparison, self.grid, self.pad = Comparison(), ExampleGrid(), DrawingPad()
        self.shown, self.counts, self.place = QComboBox(), FittingLabel(), FittingLabel()
        self.shown.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.problem = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.take = QPushButton(self.tr("&Take"))
        self.clear_pad, self.undo = QPushButton(self.tr("C&lear")), QPushButton(self.tr("&Undo"))
        self._sources = {"live": self.tr("live"), "checkpoint": self.tr("nearest checkpoint")}
        self._images = QStackedWidget()
        self.tabs = QTabWidget()
        self._area = QScrollArea(widgetResizable=True)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        self._describe()
        self._connect()
        self._restyle(self.theme)
        self.clear()

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Examples")

    def invitation(self) -> str:
        """What will appear here."""
        return self.tr(
            "Press Train, or open a stored run, to see its validation images with the network's answers, the misread "
            "first, and to draw a digit for it to read."
        )

    def lesson(self) -> str:
        """What to look for here."""
        return self.tr(
            "Validation images stand here with what the network answers once its cut weights are 0; the misread come "
            "first, as label → answer. Move the time slider to see when cutting weights begins to cost answers, or "
            "draw a digit and compare the sparse network's probabilities with a dense run's."
        )

    def keys(self) -> list[tuple[str, str]]:
        """Those of the images and of the drawing."""
        return [
            (self.tr("choose an image"), self.tr("arrow keys")),
            (self.tr("take the image as the drawing"), self.tr("Enter")),
            (self.tr("clear the drawing"), self.tr("Delete")),
            (self.tr("undo a stroke of the drawing"), "Ctrl+Z"),
        ]

    def table(self) -> list[list[str | int | float]]:
        """A row for each image shown, in its order."""
        answers, rows = self.answers, self.grid.examples.rows
        if answers is None or answers.labels is None:
            return []
        head: list[str | int | float] = ["image", "label", "answer", "confidence (%)", "misread"]
        return [head] + [
            [
                int(image),
                *(answers.classes[int(number[image])] for number in (answers.labels, answers.answer)),
                round(100 * float(answers.confidence[image]), 4),
                "yes" if answers.misread[image] else "no",
            ]
            for image in rows
        ]

    # How it is built.

    def _lay_out(self) -> None:
        for images in (self.problem, self._images_page()):
            self._images.addWidget(images)
        self.tabs.addTab(self._images, self.tr("Images"))
        self.tabs.addTab(self._drawing_page(), self.tr("Drawing"))
        self.tabs.setDocumentMode(True)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.tabs)
        area, page = self._area, QVBoxLayout(self.body)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(self.tr("Answers of the sparse and of a dense network"))
        area.setWidget(self.comparison)
        bar = area.verticalScrollBar().sizeHint().width()
        area.setMinimumWidth(self.comparison.minimumSizeHint().width() + bar)
        self.splitter.addWidget(area)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self.splitter)

    def _images_page(self) -> QWidget:
        page = QWidget()
        rows = QVBoxLayout(page)
        rows.setContentsMargins(2, 2, 2, 2)
        rows.setSpacing(2)
        rows.addWidget(self.shown, 0, Qt.AlignmentFlag.AlignLeft)
        for part, share in ((self.counts, 0), (self.place, 0), (self.grid, 1)):
            rows.addWidget(part, share)
        return page

    def _drawing_page(self) -> QWidget:
        page, buttons = QWidget(), QVBoxLayout()
        row = QHBoxLayout(page)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(4)
        for button in (self.take, self.undo, self.clear_pad):
            button.setMaximumWidth(button.fontMetrics().horizontalAdvance(button.text()) + BUTTON)
            buttons.addWidget(button)
        buttons.addStretch(1)
        row.addWidget(self.pad, 1)
        row.addLayout(buttons)
        return page

    def _describe(self) -> None:
        self.shown.setAccessibleName(self.tr("Which images are shown"))
        self.shown.setToolTip(self.tr("All images, only those whose answer is not their label, or those of one class"))
        self.tabs.setAccessibleName(self.tr("Where images come from"))
        self.splitter.setAccessibleName(self.tr("Images and answers"))
        self.take.setAccessibleName(self.tr("Take the chosen validation image"))
        self.take.setToolTip(self.tr("Take the validation image that is chosen as the drawing"))
        self.undo.setToolTip(self.tr("Take back the last stroke (Ctrl+Z on the pad)"))
        self.clear_pad.setToolTip(self.tr("Begin anew (Delete on the pad)"))

    def _connect(self) -> None:
        self.shown.currentIndexChanged.connect(self._filter)
        self.grid.chosen.connect(self._ask)
        self.grid.activated.connect(self._draw_on_chosen)
        self.pad.changed.connect(self._ask)
        self.tabs.currentChanged.connect(self._ask)
        self.take.clicked.connect(self._draw_on_chosen)
        self.clear_pad.clicked.connect(self.pad.clear)
        self.undo.clicked.connect(self.pad.undo)
        later = Qt.ConnectionType.QueuedConnection  # when the message has its place
        self.comparison.told.connect(self._scroll_to_message, later)

    @Slot()
    def _scroll_to_message(self) -> None:
        self._area.ensureWidgetVisible(self.comparison.message)

    # What it is given.

    def show_network(self, facts: NetworkFacts | None) -> None:
        """Say which network of the window's run answers from now on; None: none can."""
        self.comparison.sparse.show_network(facts)
        self._pages.setCurrentWidget(self.body)

    def show_answers(self, answers: Answers) -> None:
        """Show a network's answers to the validation images."""
        self._offer_classes(answers.classes)
        self.answers = answers
        self._images.setCurrentIndex(1)
        self._filter()
        self._pages.setCurrentWidget(self.body)

    def show_problem(self, text: str) -> None:
        """Say why there are no answers to validation images."""
        self.answers = None
        self.grid.show_answers(None)
        self.problem.setText(text)
        self._images.setCurrentIndex(0)
        self._pages.setCurrentWidget(self.body)
        self._ask()

    def show_comparison(self, sparse: Float32Array | None, dense: Float32Array | None) -> None:
        """Show both answers (classes,) to the image that was asked for last."""
        self.comparison.show_answers(sparse, dense)

    def _offer_classes(self, classes: tuple[str, ...]) -> None:
        if classes == self._classes:
            return
        self._classes = classes
        with QSignalBlocker(self.shown):
            self.shown.clear()
            self.shown.addItem(self.tr("all images"), None)
            self.shown.addItem(self.tr("only misread"), MISREAD)
            for number, name in enumerate(classes):
                self.shown.addItem(self.tr("label {0}").format(name), number)

    def _filter(self) -> None:
        self.grid.examples.wanted = self.shown.currentData()
        self.grid.show_answers(self.answers)
        if self.answers is not None:
            self._count(self.answers)

    def _count(self, answers: Answers) -> None:
        misread, number = int(answers.misread.sum()), max(len(answers), 1)
        brief = self.tr("{0:,} of {1:,} misread").format(misread, len(answers))
        error = self.tr("{0:.2f} % validation error").format(100 * misread / number)
        self.counts.set_texts(f"{brief}, {error}", brief)
        at = self.tr("step {0:,}").format(answers.step)
        self.place.set_texts(f"{at}, {self._sources[answers.source]}", at)

    # What it asks.

    def is_drawing(self) -> bool:
        """Whether the drawing is read, not the chosen image."""
        return self.tabs.currentIndex() == 1

    def subject(self) -> Subject | None:
        """The image that both networks are to read: the chosen one, or the drawing."""
        return self._drawing() if self.is_drawing() else self._chosen()

    def _chosen(self) -> Subject | None:
        image, answers = self.grid.image(), self.answers
        if image is None or answers is None:
            return None
        label = None if answers.labels is None else int(answers.labels[image])
        name = self.tr("image {0}").format(image)
        if label is not None:
            name = self.tr("{0}, label {1}").format(name, answers.classes[label])
        return Subject(answers.images[image], name, label)

    def _drawing(self) -> Subject | None:
        facts = self.comparison.sparse.facts
        if facts is None or not facts.reads_drawings:
            return None
        side = facts.shape[-1]
        box = self.answers.box if self.answers else round(side * MNIST_BOX)
        pixels = self.pad.pixels(side, box)
        return None if pixels is None else Subject(pixels[None], self.tr("your drawing"), None)

    def _ask(self) -> None:
        subject = self.subject()
        reads = self.comparison.sparse.facts is None or self.comparison.sparse.facts.reads_drawings
        invitation = self.tr("Draw a digit to have it read.") if self.is_drawing() else self.tr("No image is chosen.")
        self.comparison.show_subject(subject, invitation)
        self.pad.setEnabled(reads)
        self.take.setEnabled(reads and self.grid.image() is not None)
        self.asked.emit(None if subject is None else subject.pixels)

    def _draw_on_chosen(self) -> None:
        """Take the chosen image as the drawing: the way to the pad without a mouse."""
        image = self.grid.image()
        if image is None or self.answers is None:
            return
        self.tabs.setCurrentIndex(1)
        self.pad.take(self.answers.images[image].mean(axis=0))
        self.pad.setFocus()

    # As every view.

    def _draw(self, history: History, position: int) -> None:
        """Nothing: what is shown comes with `show_answers`."""

    def _clear(self) -> None:
        self.answers = None
        self.comparison.sparse.show_network(None)
        self.grid.show_answers(None)
        self._images.setCurrentIndex(1)

    def _restyle(self, theme: Theme) -> None:
        self.grid.restyle(theme)
        self.pad.restyle(theme)
        self.comparison.restyle(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the comparison where there is room for it."""
        super().resizeEvent(event)
        wide = self.width() > WIDE * self.height()
        self.splitter.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def minimumSizeHint(self) -> QSize:
        """Small enough for a corner of a small window: images and answers side by side, scrolled where they must."""
        return QSize(
            self.tabs.minimumSizeHint().width() + self._area.minimumWidth() + self.splitter.handleWidth(), LEAST
        )
