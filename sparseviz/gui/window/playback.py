"""Playback of a run's snapshots: the next is due when the last is drawn, never sooner than the speed says."""

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction

SPEEDS = (1, 2, 5, 10, 20)  # snapshots a second
USUAL = SPEEDS.index(5)


class Playback(QObject):
    """Asks for the next snapshot while its action is checked; whoever shows them says what was drawn."""

    due = Signal()  # the next snapshot

    def __init__(self, play: QAction, parent: QObject) -> None:
        super().__init__(parent)
        self.play = play
        self.speed = SPEEDS[USUAL]  # snapshots a second
        self._clock = QElapsedTimer()  # since a snapshot was last asked for
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._ask)
        play.toggled.connect(self._toggle)

    @Slot(bool)
    def _toggle(self, plays: bool) -> None:
        if plays:
            self._clock.start()
            self.drawn()
        else:
            self._timer.stop()

    def stop(self) -> None:
        """Stay at the snapshot that is shown."""
        self.play.setChecked(False)

    def drawn(self) -> None:
        """Take note that what was asked for is shown; the next comes when it is due."""
        if self.play.isChecked():
            self._timer.start(max(0, 1000 // self.speed - self._clock.elapsed()))

    @Slot()
    def _ask(self) -> None:
        self._clock.start()
        self.due.emit()
