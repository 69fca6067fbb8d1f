"""The slider over a run's snapshots: it moves every view."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from sparseviz.snapshot import History


class TimeBar(QWidget):
    """Chooses a snapshot; at its right end it follows the newest."""

    moved = Signal(int)  # position in the history

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Snapshot"))
        self.slider.setToolTip(self.tr("Which snapshot every view shows; at the right end, the newest"))
        self.slider.setRange(0, 0)
        self.slider.setEnabled(False)
        self.slider.valueChanged.connect(self.moved)
        self.label = QLabel(self.tr("no snapshots yet"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)

    def position(self) -> int:
        """Where the slider stands."""
        return self.slider.value()

    def follows(self) -> bool:
        """Whether the slider stands at the newest snapshot."""
        return self.slider.value() == self.slider.maximum()

    def choose(self, position: int) -> None:
        """Move to this snapshot; one beyond the end means the end."""
        self.slider.setValue(position)

    def step(self, by: int) -> None:
        """Move by this many snapshots."""
        self.slider.setValue(self.slider.value() + by)

    def show_length(self, history: History, *, live: bool) -> None:
        """Take in the snapshots that have come since; stays at the end if it was there."""
        follows = self.follows()
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(history) - 1, 0))
            self.slider.setPageStep(max(1, len(history) // 10))
            if follows:
                self.slider.setValue(self.slider.maximum())
        self.slider.setEnabled(len(history) > 1)
        self._tell(history, live=live)

    def reset(self) -> None:
        """Forget the history."""
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, 0)
        self.slider.setEnabled(False)
        self.label.setText(self.tr("no snapshots yet"))

    def _tell(self, history: History, *, live: bool) -> None:
        if not len(history):
            self.label.setText(self.tr("no snapshots yet"))
            return
        snapshot = history[self.position()]
        now = self.tr("live") if live and self.follows() else self.tr("step {0:,}").format(snapshot.step)
        text = self.tr("snapshot {0} of {1} · epoch {2:.1f} · {3}")
        self.label.setText(text.format(self.position() + 1, len(history), snapshot.epoch, now))
