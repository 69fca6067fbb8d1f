"""What can be done with the run that is shown; of what cannot, the reason."""

from PySide6.QtCore import QObject

from sparseviz.gui.controllers.watch import Watch
from sparseviz.gui.sources.inspected_file import InspectedFile
from sparseviz.gui.sources.live_run import LiveRun
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.layout import Layout
from sparseviz.values.states import RunStatus

Run = LiveRun | StoredRun | InspectedFile


class Availability(QObject):
    """Enables actions and panels, and says in the tool bar and the status line what is going on."""

    def __init__(self, actions: Actions, layout: Layout, watch: Watch, parent: QObject) -> None:
        super().__init__(parent)
        self._actions, self._layout, self._watch = actions, layout, watch
        self._has_cells = False

    def update(self, run: Run | None, *, training: bool, stuck: bool) -> None:
        """Take in which run is shown, and whether one trains here; `stuck`: its file cannot be written."""
        actions, live, stored = self._actions, isinstance(run, LiveRun), isinstance(run, StoredRun)
        paused = actions.pause.isChecked()
        broken_off = isinstance(run, StoredRun) and run.status in (
            RunStatus.INTERRUPTED,
            RunStatus.STOPPED,
            RunStatus.FAILED,
        )
        has_checkpoints = isinstance(run, StoredRun) and run.has_checkpoints
        for some, enabled in (
            ((actions.train,), not training or paused),
            ((actions.pause, actions.step, actions.stop), training),
            ((actions.steps, actions.epoch, actions.freeze), live),
            ((actions.open, actions.open_config, self._layout.recent.menuAction()), not training),
            ((actions.export,), has_checkpoints),
            ((actions.animation,), stored),
            ((actions.resume,), broken_off and has_checkpoints and not training),
        ):
            for action in some:
                action.setEnabled(enabled)
        self._explain(run)
        self._layout.steering.set_training(training=training)
        self._layout.presets.setEnabled(not training)
        self._has_cells = not self._offers_cells(run)  # so that it is told in any case
        self.offer_cells(run)
        state = "stuck" if training and stuck else self._state(run, training=training)
        device = run.info.device if run is not None and not isinstance(run, InspectedFile) else ""
        self._layout.show_state(state, device)
        self._layout.status.show_writer(self._watch.text())

    def _explain(self, run: Run | None) -> None:
        """A run of another process is controlled there, and is exported when its file can be read."""
        actions = self._actions
        controls = actions.pause, actions.step, actions.steps, actions.epoch, actions.freeze, actions.stop
        writer = run.writer if isinstance(run, StoredRun) else None
        other = self.tr("Only {0}, which trains this run, can do this.").format(writer)
        later = self.tr("This can be done when the run has ended: until then only its status file is read.")
        actions.explain_these(controls, other if writer else "")
        is_status = isinstance(run, StoredRun) and not run.has_checkpoints
        here = self.tr("This can be done when the run has ended; Stop ends it here, in good order.")
        actions.explain_these([actions.export], here if isinstance(run, LiveRun) else later if is_status else "")
        actions.explain_these([actions.resume], later if is_status else "")
        if isinstance(run, InspectedFile):
            weights = self.tr(
                "A model file has no training in it: only a run can be gone on with, exported or animated."
            )
            actions.explain_these([actions.export, actions.resume, actions.animation], weights)
            actions.branch.setToolTip(weights)
        else:
            actions.explain_these([actions.animation], "")

    def offer_cells(self, run: Run | None) -> None:
        """Let the weights view ask for true cells where it may; called whenever the time that is shown has changed."""
        if (offered := self._offers_cells(run)) != self._has_cells:
            self._has_cells = offered
            self._layout.weights.set_cells_available(offered)

    def _offers_cells(self, run: Run | None) -> bool:
        """At its newest snapshot a run that grows is drawn from previews: checkpoints come later."""
        if isinstance(run, InspectedFile):
            return True
        if isinstance(run, StoredRun):
            return run.has_checkpoints and not (run is self._watch.run and self._layout.time.follows())
        return run is not None and self._actions.pause.isChecked()

    def _state(self, run: Run | None, *, training: bool) -> str:
        if training:
            return "paused" if self._actions.pause.isChecked() else "training here"
        if isinstance(run, InspectedFile):
            return "model"
        return run.status if isinstance(run, StoredRun) else "ready"
