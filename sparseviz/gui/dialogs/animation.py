"""Save Animation: the window plays the run once, and what it draws becomes an animated GIF."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sparseviz.gui.dialogs.gif_file import GifFile
from sparseviz.gui.dialogs.view_file import ViewFileError, picture
from sparseviz.gui.window.layout import Layout
from sparseviz.gui.window.playback import SPEEDS, USUAL

MOST_FRAMES = 300
LARGEST = QSize(1280, 1280)  # pixels of a frame; what is larger is made smaller


def positions(length: int, stride: int) -> list[int]:
    """Every `stride`-th snapshot from the first, and the last."""
    return [*range(0, length - 1, stride), length - 1]


def least_stride(length: int) -> int:
    """The smallest stride that gives at most MOST_FRAMES frames."""
    return next(stride for stride in range(1, length + 1) if len(positions(length, stride)) <= MOST_FRAMES)


class AnimationDialog(QDialog):
    """Asks what to animate, then films one snapshot at a time, so that the window lives and it can be cancelled."""

    def __init__(self, layout: Layout, ask: Callable[[], Path | None], window: QWidget) -> None:
        super().__init__(window)
        self.setWindowTitle(self.tr("Save Animation"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._time, self._ask = layout.time, ask
        self._time.playback.stop()
        self._length, self._came_from = self._time.slider.maximum() + 1, self._time.position()
        self._file: GifFile | None = None
        self._left: list[int] = []  # positions that are not filmed yet
        self._soon = QTimer(self, singleShot=True, interval=0)  # between two frames the window's events have their turn
        self._soon.timeout.connect(self._film)
        self._time.drawn.connect(self._soon.start)
        self._make_choices(layout, window)
        self._lay_out()
        self._tell_size()

    def _make_choices(self, layout: Layout, window: QWidget) -> None:
        self.what, self.stride, self.speed = QComboBox(), QSpinBox(), QComboBox()
        for view in layout.seen_views():
            self.what.addItem(view.title(), view)
        self.what.addItem(self.tr("the whole window"), window)
        focused = self.what.findData(layout.focused_pane())
        self.what.setCurrentIndex(focused if focused >= 0 else self.what.count() - 1)
        self.stride.setRange(least_stride(self._length), max(1, self._length - 1))
        for speed in SPEEDS:
            self.speed.addItem(f"{speed}", speed)
        self.speed.setCurrentIndex(USUAL)
        for choice, name in self._named():
            choice.setAccessibleName(name)
        for changed in (self.what.currentIndexChanged, self.stride.valueChanged, self.speed.currentIndexChanged):
            changed.connect(self._tell_size)

    def _named(self) -> tuple[tuple[QWidget, str], ...]:
        names = (self.tr("What is shown"), self.tr("One frame in so many snapshots"), self.tr("Frames a second"))
        return tuple(zip((self.what, self.stride, self.speed), names, strict=True))

    def _lay_out(self) -> None:
        self.told = QLabel(wordWrap=True)
        self.progress = QProgressBar()
        self.progress.setAccessibleName(self.tr("Progress of the animation"))
        self.note = QLabel(
            self.tr(
                "The window plays the run while it is saved. Weights are drawn as the run's previews have them: "
                "true weights, which come later, are not waited for."
            ),
            wordWrap=True,
        )
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.save = QPushButton(self.tr("&Save…"), default=True)
        self.buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        self.save.clicked.connect(self._choose_file)
        self.buttons.rejected.connect(self.reject)
        form, column = QFormLayout(), QVBoxLayout(self)
        for choice, name in self._named():
            form.addRow(name, choice)
        column.addLayout(form)
        for widget in (self.note, self.told, self.progress, self.buttons):
            column.addWidget(widget)
        self.setMinimumWidth(460)

    def _size(self) -> QSize:
        """Of a frame, in pixels."""
        size: QSize = self.what.currentData().size()
        smaller = size.width() <= LARGEST.width() and size.height() <= LARGEST.height()
        return size if smaller else size.scaled(LARGEST, Qt.AspectRatioMode.KeepAspectRatio)

    @Slot()
    def _tell_size(self) -> None:
        size, frames = self._size(), len(positions(self._length, self.stride.value()))
        text = self.tr("{0} frames of {1} × {2} pixels, {3:.1f} s long")
        seconds = frames / self.speed.currentData()
        self.told.setText(text.format(frames, size.width(), size.height(), seconds))

    @Slot()
    def _choose_file(self) -> None:
        try:
            path = self._ask()
        except ViewFileError as error:
            self.told.setText(str(error))
            return
        if path is not None:
            self.start(path)

    def start(self, path: Path) -> None:
        """Save the animation; what cannot be written is said."""
        try:
            self._file = GifFile(path, self.speed.currentData())
        except ViewFileError as error:
            self._rest(self.tr("✗ Not saved: {0}").format(error))
            return
        self._left = positions(self._length, self.stride.value())
        self.progress.setRange(0, len(self._left))
        self.progress.setValue(0)
        self._set_busy(True)
        self._soon.start()

    @Slot()
    def _film(self) -> None:
        """Film the snapshot that is drawn, if it is the next one, and ask for the one after it."""
        if self._file is None:
            return
        if self._time.position() == self._left[0]:
            try:
                self._add_frame(self._file)
            except ViewFileError as error:
                self._rest(self.tr("✗ Not saved: {0}").format(error))
                return
        if self._left:
            self._time.choose(self._left[0])  # once it is drawn, it is filmed

    def _add_frame(self, file: GifFile) -> None:
        size = self._size()
        frame = picture(self.what.currentData())
        file.add(frame.scaled(size, mode=Qt.TransformationMode.SmoothTransformation) if frame.size() != size else frame)
        self._left.pop(0)
        self.progress.setValue(file.frames)
        if not self._left:
            file.finish()
            self._rest(self.tr("✓ Saved: {0}, {1:,} bytes").format(file.path, file.path.stat().st_size))

    def _rest(self, text: str) -> None:
        """Saved or not, the dialog waits for the person again."""
        self.stop()
        self.told.setText(text)
        self._set_busy(False)

    def stop(self) -> None:
        """Give up what is not finished, and show the snapshot that was shown before."""
        if self._file is not None:
            self._file.discard()
            self._file, self._left = None, []
            self._time.choose(self._came_from)

    def _set_busy(self, busy: bool) -> None:
        for part in (self.what, self.stride, self.speed, self.save):
            part.setEnabled(not busy)
        button = self.buttons.button(QDialogButtonBox.StandardButton.Close)
        button.setText(self.tr("Cancel") if busy else self.tr("Close"))

    def done(self, result: int) -> None:
        """Close; an animation under way is given up and leaves nothing."""
        self.stop()
        self._time.drawn.disconnect(self._soon.start)
        super().done(result)
