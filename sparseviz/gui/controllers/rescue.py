"""Recovery where a run's file cannot be written: the training thread waits, the window asks and stays usable."""

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QStyle,
    QVBoxLayout,
)

from sparseviz.config import paths
from sparseviz.gui.sources.training_thread import TrainingThread


class RescueBar(QFrame):
    """Says what cannot be written, and offers the ways out."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(self.tr("The run is paused: its file cannot be written"))
        grid, row = QGridLayout(self), QHBoxLayout()
        self.text = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        icon, size = QLabel(), self.fontMetrics().height() * 2
        icon.setPixmap(self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning).pixmap(size, size))
        self.again = QPushButton(self.tr("Try A&gain"))
        self.elsewhere = QPushButton(self.tr("C&ontinue in Another Folder…"))
        self.stop = QPushButton(self.tr("&Stop"))
        grid.addWidget(icon, 0, 0, 2, 1)
        grid.addWidget(self.text, 0, 1)
        grid.addLayout(row, 1, 1)
        grid.setColumnStretch(1, 1)
        row.addStretch()
        for button, told in (
            (self.again, self.tr("Write to the same file again, once there is room or the folder is back")),
            (self.elsewhere, self.tr("Go on in a new file that begins as a whole copy of this one")),
            (self.stop, self.tr("End the run; what is in its file stays, and can be resumed from")),
        ):
            button.setToolTip(told)
            button.setAccessibleDescription(told)
            row.addWidget(button)
        self.hide()


class Rescue(QObject):
    """Asks in a bar at the top of the window's centre, and answers the training thread."""

    changed = Signal()  # asked, answered, or over
    stop_asked = Signal()

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window, self.bar = window, RescueBar()
        self._thread: TrainingThread | None = None
        centre = window.centralWidget()
        column = centre.layout() if centre else None
        assert isinstance(column, QVBoxLayout)  # noqa: S101  # of the views
        column.insertWidget(0, self.bar)
        self.bar.again.clicked.connect(self.try_again)
        self.bar.elsewhere.clicked.connect(self.choose_folder)
        self.bar.stop.clicked.connect(self.stop_asked)

    def is_asked(self) -> bool:
        """Whether a run waits for an answer."""
        return not self.bar.isHidden()

    def watch(self, thread: TrainingThread) -> None:
        """Serve this thread until it has finished."""
        self._thread = thread
        thread.stuck.connect(self._ask)
        thread.went_on.connect(self._name_window)
        thread.finished.connect(self._forget)

    @Slot(str)
    def _ask(self, text: str) -> None:
        said = self.tr("The run is paused: {0}. Nothing is lost: what the file lacks is in memory.").format(text)
        self.bar.text.setText(said)
        self.bar.show()
        self._window.statusBar().showMessage(self.tr("Paused: the run's file cannot be written; see above the weights"))
        self.changed.emit()

    @Slot(Path)
    def _name_window(self, path: Path) -> None:
        self._window.setWindowTitle(f"{path.name} — sparseviz")

    @Slot()
    def _forget(self) -> None:
        self._thread = None
        self._end()

    def _end(self) -> None:
        self.bar.hide()
        self._window.statusBar().clearMessage()
        self.changed.emit()

    @Slot()
    def try_again(self) -> None:
        """Have the same file written."""
        if path := self._path():
            self._answer(path)

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder, and go on there."""
        if path := self._path():
            title, start = self.tr("Continue in Another Folder"), str(path.parent.parent)
            if folder := QFileDialog.getExistingDirectory(self._window, title, start):
                self.go_on_in(Path(folder))

    def go_on_in(self, folder: Path) -> None:
        """Go on in a new file there, of the same name if that is free."""
        if path := self._path():
            new = folder / path.name
            self._answer(paths.new_run_path(new.stem, folder) if new.exists() else new)

    def _path(self) -> Path | None:
        """Of the run, while it waits."""
        return self._thread.rescuer.path if self._thread else None

    def _answer(self, path: Path) -> None:
        self._end()
        if self._thread:
            self._thread.rescuer.answer(path)
