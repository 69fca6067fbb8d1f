"""Time slider over a run's snapshots: it moves every view, by hand or by itself."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction, QResizeEvent, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from sparseviz.gui.window.playback import SPEEDS, USUAL, Playback
from sparseviz.values.history import History

ROOMY = 600  # pixels; a narrower bar says less beside the slider
NARROWEST = 420  # pixels; below that the slider could hardly be moved


class TimeBar(QWidget):
    """Chooses a snapshot, or plays them; at its right end it follows the newest."""

    moved = Signal(int)  # position in the history
    drawn = Signal()  # the views show the position

    def __init__(self, play: QAction, branch: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.playback = Playback(play, self)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Snapshot"))
        self.slider.setToolTip(self.tr("Which snapshot every view shows; at the right end, the newest"))
        self.slider.setRange(0, 0)
        self.slider.valueChanged.connect(self.moved)
        self.label, self.branch = QLabel(), QToolButton(self)
        self.branch.setDefaultAction(branch)
        self.branch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.branch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        branch.changed.connect(self._name_branch)
        self._name_branch()
        self._tell_none()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        self._offer_playing(layout)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)
        layout.addWidget(self.speed)
        layout.addWidget(self.branch)
        self.setMinimumWidth(NARROWEST)
        self._enable(False)

    def _offer_playing(self, layout: QHBoxLayout) -> None:
        """The button before the slider, the choice of a speed, and Space at the slider."""
        self.button, self.speed = QToolButton(autoRaise=True), QComboBox()
        self.button.setDefaultAction(self.playback.play)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setAccessibleName(self.tr("Play the snapshots"))
        for speed in SPEEDS:
            self.speed.addItem(self.tr("{0} / s").format(speed), speed)
        self.speed.setCurrentIndex(USUAL)
        self.speed.setAccessibleName(self.tr("Speed of playing"))
        self.speed.setToolTip(self.tr("How many snapshots a second are played, at most"))
        self.speed.currentIndexChanged.connect(self._set_speed)
        key = QShortcut(Qt.Key.Key_Space, self.slider, context=Qt.ShortcutContext.WidgetShortcut)
        key.activated.connect(self.playback.play.trigger)
        self.playback.play.toggled.connect(self._begin_again)
        self.playback.due.connect(self._advance)
        layout.addWidget(self.button)

    @Slot()
    def _name_branch(self) -> None:
        """Name the button as the action, and never make it narrower: the slider is not to move under the hand."""
        self.branch.setAccessibleName(self.branch.defaultAction().text().replace("&", ""))
        self.branch.setMinimumWidth(max(self.branch.minimumWidth(), self.branch.sizeHint().width()))

    @Slot(int)
    def _set_speed(self, index: int) -> None:
        self.playback.speed = SPEEDS[index]

    @Slot(bool)
    def _begin_again(self, plays: bool) -> None:
        """At its end a run is played from the first snapshot."""
        if plays and self.follows():
            self.choose(0)

    @Slot()
    def _advance(self) -> None:
        self.step(1)

    def tell_drawn(self) -> None:
        """Take note that the views show the position; playing ends at the last."""
        if self.follows():
            self.playback.stop()
        self.playback.drawn()
        self.drawn.emit()

    def position(self) -> int:
        """Position of the slider in the history."""
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
        self._enable(len(history) > 1)
        self._tell(history, live=live)

    def show_no_time(self, text: str, short: str) -> None:
        """Say why there is nothing to move through."""
        self._enable(False)
        self._texts = text, short
        self._fit()

    def reset(self) -> None:
        """Stand at no history, and play nothing."""
        self.playback.stop()
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, 0)
        self._enable(False)
        self._tell_none()

    def _enable(self, enabled: bool) -> None:
        for part in (self.slider, self.speed, self.playback.play):
            part.setEnabled(enabled)

    def _tell_none(self) -> None:
        self._texts = (self.tr("no snapshots yet"),) * 2  # where there is room, and where there is little
        self._fit()

    def _tell(self, history: History, *, live: bool) -> None:
        if not len(history):
            self._tell_none()
            return
        snapshot = history[self.position()]
        now = self.tr("live") if live and self.follows() else self.tr("step {0:,}").format(snapshot.step)
        at = self.position() + 1, len(history), snapshot.epoch, now
        texts = self.tr("snapshot {0} of {1} · epoch {2:.1f} · {3}"), self.tr("{0}/{1} · epoch {2:.1f} · {3}")
        self._texts = texts[0].format(*at), texts[1].format(*at)
        self._fit()

    def _fit(self) -> None:
        """Leave the slider its room."""
        self.label.setText(self._texts[self.width() < ROOMY])
        self.branch.setVisible(self.width() >= ROOMY)  # else it is in the menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the text anew."""
        super().resizeEvent(event)
        self._fit()
