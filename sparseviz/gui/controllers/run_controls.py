"""Run controls: what a person tells a run that trains, each command felt between two of its steps."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QInputDialog, QWidget

from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.gui.window.actions import Actions


class RunControls(QObject):
    """Connects the actions of the menu "Run" to whichever run trains now."""

    paused = Signal()  # or resumed
    refused = Signal(str)  # why a command changes nothing

    def __init__(self, actions: Actions, live: Callable[[], LiveRun | None], window: QWidget) -> None:
        super().__init__(window)
        self._actions, self._live, self._window = actions, live, window
        actions.pause.toggled.connect(self._pause)
        for action, slot in (
            (actions.step, lambda: self.advance(1)),
            (actions.steps, self.ask_for_steps),
            (actions.epoch, self.finish_epoch),
            (actions.freeze, self.freeze),
        ):
            action.triggered.connect(slot)

    @Slot(bool)
    def _pause(self, paused: bool) -> None:
        self._actions.pause.setText(self.tr("Res&ume") if paused else self.tr("&Pause"))
        if live := self._live():
            (live.trainer.pause if paused else live.trainer.resume)()
        self.paused.emit()

    def advance(self, steps: int) -> None:
        """Do this many steps and pause."""
        self._actions.pause.setChecked(True)
        if live := self._live():
            live.trainer.advance(steps)

    @Slot()
    def ask_for_steps(self) -> None:
        """Ask how many steps to do, and do them."""
        question = self.tr("Run Steps"), self.tr("Steps before the pause:")
        steps, given = QInputDialog.getInt(self._window, *question, 10, 1)
        if given:
            self.advance(steps)

    @Slot()
    def finish_epoch(self) -> None:
        """Train until the epoch under way is over, and pause."""
        self._actions.pause.setChecked(True)
        if live := self._live():
            live.trainer.finish_epoch()

    @Slot()
    def freeze(self) -> None:
        """Keep the masks from the next step on; there is no way back."""
        if not (live := self._live()):
            return
        if live.trainer.step >= live.trainer.steering.phases.frozen:
            self.refused.emit(self.tr("The masks are frozen already."))
        else:
            live.trainer.freeze()

    def steer(self, values: Mapping[str, float]) -> None:
        """Change lambdas and rates from the next step on."""
        if live := self._live():
            live.trainer.take(values)
