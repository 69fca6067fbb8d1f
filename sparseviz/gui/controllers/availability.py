"""Availability of actions: what can be done with the run that is shown; of what cannot, the reason."""

from PySide6.QtCore import QObject

from sparseviz.gui.controllers.watch import Watch
from sparseviz.gui.sources.shown import Shown
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.layout import Layout
from sparseviz.values.states import RunStatus


class Availability(QObject):
    """Enables actions and panels, and says in the tool bar and the status line what is going on."""

    def __init__(self, actions: Actions, layout: Layout, watch: Watch, parent: QObject) -> None:
        super().__init__(parent)
        self._actions, self._layout, self._watch = actions, layout, watch
        self._has_cells = False

    def update(self, run: Shown | None, *, training: bool, stuck: bool) -> None:
        """Take in which run is shown, and whether one trains here; `stuck`: its file cannot be written."""
        actions, live, info = self._actions, run is not None and run.is_live, run.info if run else None
        paused = actions.pause.isChecked()
        for some, enabled in (
            ((actions.train,), not training or paused),
            ((actions.pause, actions.step, actions.stop), training),
            ((actions.steps, actions.epoch, actions.freeze), live),
            ((actions.open, actions.open_config, self._layout.recent.menuAction()), not training),
            ((actions.export,), run is not None and run.can_export),
            ((actions.animation,), info is not None and not live),
            ((actions.resume,), run is not None and run.can_resume and not training),
        ):
            for action in some:
                action.setEnabled(enabled)
        self._explain(run)
        self._layout.steering.set_training(training=training)
        self._layout.presets.setEnabled(not training)
        self._has_cells = not self._offers_cells(run)  # so that it is told in any case
        self.offer_cells(run)
        self._layout.state.setText(f"  ● {self._state(run, training=training, stuck=stuck)}  ")
        self._layout.device.setText(info.device if info else "")
        self._layout.status.show_writer(self._watch.text())

    def _explain(self, run: Shown | None) -> None:
        """A run of another process is controlled there, and is exported when its file can be read."""
        actions, live, is_model = self._actions, run is not None and run.is_live, run is not None and run.info is None
        controls = actions.pause, actions.step, actions.steps, actions.epoch, actions.freeze, actions.stop
        writer = self._watch.run.writer if self._watch.run else None
        other = self.tr("Only {0}, which trains this run, can do this.").format(writer)
        later = self.tr("This can be done when the run has ended: until then only its status file is read.")
        here = self.tr("This can be done when the run has ended; Stop ends it here, in good order.")
        weights = self.tr("A model file has no training in it: only a run can be gone on with, exported or animated.")
        why = "" if run is None or run.can_export else weights if is_model else here if live else later
        actions.explain_these(controls, other if writer else "")
        actions.explain_these([actions.export], why)
        actions.explain_these([actions.resume], "" if live else why)
        actions.explain_these([actions.animation], weights if is_model else "")
        if is_model:
            actions.branch.setToolTip(weights)

    def offer_cells(self, run: Shown | None) -> None:
        """Let the weights view ask for true cells where it may; called whenever the time that is shown has changed."""
        if (offered := self._offers_cells(run)) != self._has_cells:
            self._has_cells = offered
            self._layout.weights.set_cells_available(offered)

    def _offers_cells(self, run: Shown | None) -> bool:
        """At its newest snapshot a run that grows is drawn from previews: checkpoints come later."""
        if run is None or not run.has_cells:
            return False
        if run.is_live:
            return self._actions.pause.isChecked()
        return not (run is self._watch.run and self._layout.time.follows())

    def _state(self, run: Shown | None, *, training: bool, stuck: bool) -> str:
        """What is going on, in words."""
        if training and stuck:
            return self.tr("paused: file cannot be written")
        if training:
            return self.tr("paused") if self._actions.pause.isChecked() else self.tr("training")
        if run is None or run.is_live:
            return self.tr("ready")
        if run.info is None:
            return self.tr("model file, not a run")
        names = {
            None: self.tr("followed no more"),
            RunStatus.TRAINING: self.tr("training elsewhere"),
            RunStatus.INTERRUPTED: self.tr("interrupted"),
            RunStatus.FINISHED: self.tr("finished"),
            RunStatus.STOPPED: self.tr("stopped"),
            RunStatus.FAILED: self.tr("failed"),
            RunStatus.ENDED: self.tr("ended"),
        }
        return names[run.status]
