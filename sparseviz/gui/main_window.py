"""Main window: docks around a heatmap and curves, all showing one run at one snapshot."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

from sparseviz.config import EMBEDDED, InputError, RunConfig
from sparseviz.config.paths import is_model_file
from sparseviz.gui.controllers.availability import Availability
from sparseviz.gui.controllers.branching import Branching
from sparseviz.gui.controllers.examples_desk import ExamplesDesk
from sparseviz.gui.controllers.files import Files
from sparseviz.gui.controllers.model_files import Models
from sparseviz.gui.controllers.presentation import Presentation
from sparseviz.gui.controllers.questions import Questions
from sparseviz.gui.controllers.rescue import Rescue
from sparseviz.gui.controllers.run_controls import RunControls
from sparseviz.gui.controllers.watch import Watch
from sparseviz.gui.dialogs import trust
from sparseviz.gui.dialogs.export.dialog import ExportDialog
from sparseviz.gui.dialogs.manual.opening import Manual
from sparseviz.gui.qt.focus_guide import FocusGuide
from sparseviz.gui.qt.messages import Messages
from sparseviz.gui.qt.redraws import Job, Redraws
from sparseviz.gui.sources.inspected_file import InspectedFile
from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.gui.sources.shown import Shown
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.gui.sources.training_thread import BranchWork, TrainingThread
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.layout import Layout
from sparseviz.gui.window.shortcuts import ShortcutsPage

ROOMY = QSize(1700, 1060)  # the largest size to begin with
TOLD_MS = 10_000  # how long a message stays in the status line


class MainWindow(QMainWindow):
    """One run at a time: none, one that trains, or one from a file; or a model file."""

    drawn = Signal(int, int)  # snapshots that there are, and the position of the one that every view shows now

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("sparseviz")
        self.menu = Actions(self)
        self.ui = Layout(self, self.menu)
        self.run: Shown | None = None
        self.training: TrainingThread | None = None
        self._drawn: tuple[int, int] | None = None  # length of the history and position
        self.messages, self.watch, self.redraws = Messages(self), Watch(self), Redraws(self)
        self.availability = Availability(self.menu, self.ui, self.watch, self)
        self.controls = RunControls(self.menu, self._live, self)
        self.branching = Branching(self.menu, self.ui, self)
        self.questions = Questions(self.ui.weights, self._shown, self)
        self.files = Files(self.menu, self.ui, self.messages, lambda: self.run.path if self.run else None, self)
        self.rescue, self.models, self.manual = Rescue(self), Models(self), Manual(self.menu, self)
        self.files.comparing.manual_asked.connect(self.manual.open)
        self.presentation, self.examples = Presentation(self.ui, self), ExamplesDesk(self.ui.examples, self)
        self.resize(self.screen().availableGeometry().size().boundedTo(ROOMY) * 0.95)
        self.ui.arrangement.restore()
        self._connect()
        self.load_preset(EMBEDDED)
        self.ui.steering.edits.clear()  # the beginning cannot be undone
        self._update_actions()
        self.ui.status.show_text(self.tr("Ready: press Train (F5) to watch the embedded example."))

    def _connect(self) -> None:
        actions, layout = self.menu, self.ui
        for action, slot in (
            (actions.export, self.export),
            (actions.quit, self.close),
            (actions.train, self.train),
            (actions.stop, self.stop),
            (actions.resume, self.resume),
            (actions.previous, lambda: layout.time.step(-1)),
            (actions.next, lambda: layout.time.step(1)),
            (actions.first, lambda: layout.time.choose(0)),
            (actions.last, lambda: layout.time.choose(layout.time.slider.maximum())),
            (actions.undo, layout.steering.undo),
            (actions.redo, layout.steering.redo),
            (actions.reset_layout, layout.arrangement.reset),
            (actions.full_screen, lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)),
            (actions.explain, FocusGuide(self).explain),
            (actions.shortcuts, lambda: ShortcutsPage(self.menuBar(), layout.panes(), self).open()),
            (actions.about, self.messages.show_about),
        ):
            action.triggered.connect(slot)
        actions.follow(layout.steering.edits)
        for asks in (self.files.run_chosen, layout.runs.opened, self.watch.readable):
            asks.connect(self.open_run)
        for changed in (self.controls.paused, self.watch.changed, self.rescue.changed):
            changed.connect(self._update_actions)
        self.controls.refused.connect(layout.status.showMessage)
        layout.presets.activated.connect(lambda: self.load_preset(layout.presets.currentText()))
        layout.steering.steered.connect(self.controls.steer)
        layout.time.moved.connect(self.redraws.ask)
        self.redraws.due.connect(self._look)
        self.models.opened.connect(self._show_model)
        self.models.told.connect(layout.status.showMessage)
        for failed in (self.questions.failed, self.watch.lost, self.models.failed, layout.runs.complained):
            failed.connect(self.messages.complain)
        self.watch.ended.connect(self._tell_ended)
        self.rescue.stop_asked.connect(self.stop)
        for dock in layout.docks:
            dock.visibilityChanged.connect(self.redraw)

    # Before a run.

    def load_preset(self, name: str) -> None:
        """Put a preset into the steering panel."""
        try:
            self.ui.steering.set_config(RunConfig.load(name), self.tr("preset {0}").format(name))
        except InputError as error:
            self.messages.complain(str(error))

    def is_training(self) -> bool:
        """Whether the training thread has work."""
        return self.training is not None

    @Slot()
    def train(self) -> None:
        """Start a run of the configuration in the steering panel, or go on after a pause."""
        if self.training is not None:
            self.menu.pause.setChecked(False)
            return
        self._start(self.branching.work() or self.ui.steering.config)

    @Slot()
    def resume(self) -> None:
        """Go on with the stored run that is shown."""
        if self.run and self.run.can_resume:
            self._start(self.run.path)

    def _start(self, work: RunConfig | Path | BranchWork) -> None:
        """Train a configuration, or go on with a stored run, in a new file."""
        # torch's random generator and the cache of masked weights are one for all threads.
        if any(isinstance(other, MainWindow) and other.is_training() for other in QApplication.topLevelWidgets()):
            self.messages.complain(self.tr("Another window is training. Stop it first, or start sparseviz once more."))
            return
        self._show_run(None)
        thread = self.training = TrainingThread(work, self)
        thread.began.connect(self._begin)
        thread.downloading.connect(self.ui.status.show_download)
        thread.failed.connect(self.messages.complain_of_run)
        thread.finished.connect(self._end)
        self.rescue.watch(thread)
        self.ui.status.show_text(self.tr("Reading data and building the network…"))
        thread.start()
        self._update_actions()

    # While it trains.

    @Slot(LiveRun)
    def _begin(self, live: LiveRun) -> None:
        self._show_run(live)
        self.examples.show_run(live)
        if self.menu.pause.isChecked():
            live.trainer.pause()

    def _grows(self) -> bool:
        return (self.run is not None and self.run.is_live) or self.watch.run is not None

    def _live(self) -> LiveRun | None:
        return self.training.live if self.training else None

    @Slot()
    def stop(self) -> None:
        """End the run; its file stays."""
        if self.training is not None:
            self.training.stop(read_test=self.menu.read_test.isChecked())
            self.ui.status.showMessage(self.tr("Stopping…"))

    @Slot()
    def _end(self) -> None:
        """The thread is over: from here on the run is what its file says."""
        if (thread := self.training) is None:
            return
        self.training = None
        self.ui.runs.refresh()
        self.menu.pause.setChecked(False)
        self.ui.status.clearMessage()
        if thread.path is not None:
            self.open_run(thread.path)
        else:
            self.ui.status.show_text(self.tr("No run was made."))
        if thread.untrusted is not None:
            trust.ask(self, thread.untrusted, partial(self._start, thread.work), insists=True)
        thread.deleteLater()
        self._update_actions()

    # A run from a file.

    def open_run(self, path: Path) -> None:
        """Show a stored run or a model file; what cannot be read is said, and the window stays as it is."""
        if self.is_training():
            told = self.tr("A run is training. Stop it before opening another, or open a second window.")
            self.messages.complain(told)
            return
        if is_model_file(path):
            self.models.open(path)
            return
        try:
            run = StoredRun(path)
        except InputError as error:
            self.messages.complain(str(error))
            return
        self._show_run(run)
        for serves in (self.examples, self.branching, self.watch):
            serves.show_run(run)
        self._update_actions()
        self.ui.recent.add(path)
        self.ui.steering.set_config(run.info.config, self.tr("open {0}").format(path.name))

    @Slot(InspectedFile)
    def _show_model(self, file: InspectedFile) -> None:
        self._show_run(file)
        self.ui.recent.add(file.path)

    def export(self) -> None:
        """Ask where to, and export what is on disk."""
        if self.run:
            dialog = ExportDialog(self.run.path, self, grows=self._grows())
            dialog.manual_asked.connect(lambda: self.manual.open("export"))
            dialog.open()

    # One run, many views.

    def _put_away(self) -> None:
        self.redraws.stop()
        self.models.cancel()
        if self.run is not None:
            self.run.close()

    def _show_run(self, run: Shown | None) -> None:
        self._put_away()
        self.run, self._drawn = run, None
        self.ui.clear()
        for asks in (self.examples, self.branching, self.watch):
            asks.show_run(None)
        self.presentation.begin(run, live=self._grows())
        self._update_actions()
        self.redraws.ask()

    @Slot()
    def _update_actions(self) -> None:
        self.branching.update()
        self.availability.update(self.run, training=self.is_training(), stuck=self.rescue.is_asked())

    @Slot(str)
    def _tell_ended(self, text: str) -> None:
        """The process that wrote the run has ended it, or is gone."""
        self.ui.status.showMessage(text, TOLD_MS)
        self.ui.runs.refresh()
        # its checkpoints can be branched now
        self.branching.show_run(self.branching.run)
        self.redraw()

    @Slot()
    def redraw(self) -> None:
        """Draw anew what is shown."""
        self._drawn = None
        self.redraws.ask()

    @Slot()
    def _look(self) -> None:
        """Draw what has changed: what grows view by view, so that training and typing are not held up."""
        live, run, jobs = self._grows(), self.run, list[Job]()
        if run and len(run.history):
            self.presentation.show_time(run, live=live)
            now = (len(run.history), self.ui.time.position())
            if now != self._drawn:
                jobs += [*self.presentation.parts(run, now[1], live=live), partial(self._tell_drawn, now)]
            jobs += [partial(self.availability.offer_cells, run), partial(self.examples.look, now[1])]
        self.redraws.begin(jobs, together=not (live and self.ui.time.follows()), again=live)

    def _tell_drawn(self, now: tuple[int, int]) -> None:
        self._drawn = now
        self.ui.time.tell_drawn()
        self.drawn.emit(*now)

    def _shown(self) -> tuple[Shown, int] | None:
        """The run, and the position in its history that the views show."""
        return (self.run, self.ui.time.position()) if self.run and len(self.run.history) else None

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the run and wait for its thread, so that its file is whole; dialogs end what they do."""
        self._put_away()
        for dialog in self.findChildren(QDialog):
            dialog.close()
        if self.training is not None:
            self.training.end()
        self.examples.close()
        self.ui.runs.close_reading()
        self.ui.arrangement.save()
        super().closeEvent(event)
