"""Branch From Here: a stored run goes on from one of its checkpoints, with settings changed."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QKeySequence

from sparseviz.config import InputError, RunConfig
from sparseviz.config.changes import changes, check_branch
from sparseviz.gui.sources.stored_run import StoredRun
from sparseviz.gui.sources.training_thread import BranchWork
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.layout import Layout
from sparseviz.store import branch_configs


class Branching(QObject):
    """Knows which checkpoints can be branched; while the action is checked, the steering panel edits a branch."""

    def __init__(self, actions: Actions, layout: Layout, window: QObject) -> None:
        super().__init__(window)
        self._actions, self._layout = actions, layout
        self.run: StoredRun | None = None
        self._configs: dict[int, RunConfig] = {}  # in force, by the step of the checkpoint, oldest first
        self._step: int | None = None  # of the checkpoint that is branched, while the action is checked
        actions.branch.toggled.connect(self._toggle)
        layout.time.moved.connect(self.update)
        layout.steering.branch.left.connect(lambda: actions.branch.setChecked(False))

    def show_run(self, run: StoredRun | None) -> None:
        """Forget the branch under way, and look for the checkpoints of another run."""
        if self._step is not None:
            self._leave()
        self.run, self._configs = run, {}
        if run is not None:
            try:
                self._configs = branch_configs(run.path)
            except InputError:
                return  # the views say what is wrong with the file

    def work(self) -> BranchWork | None:
        """What Train is to do; None where no branch is under way."""
        if self._step is None or self.run is None:
            return None
        return BranchWork(self.run.path, self._step, changes(self._configs[self._step], self._layout.steering.config))

    @Slot()
    def update(self) -> None:
        """Let the action name the newest checkpoint at or before the time that the views show."""
        action, step = self._actions.branch, self._here()
        if self._step is not None:
            return
        action.setEnabled(step is not None)
        if step is None:
            action.setText(self.tr("&Branch From Here"))
            action.setIconText(self.tr("Branch"))
            action.setToolTip(self._why_not())
            return
        action.setText(self.tr("&Branch From Checkpoint at Step {0:,}").format(step))
        action.setIconText(self.tr("Branch at {0:,}").format(step))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        told = self.tr("Go on from the checkpoint at step {0:,} with other settings, as a new run ({1})")
        action.setToolTip(told.format(step, keys))

    def _here(self) -> int | None:
        if self.run is None or not len(self.run.history):
            return None
        now = self.run.history[self._layout.time.position()].step
        return max((step for step in self._configs if step <= now), default=None)

    def _why_not(self) -> str:
        if not self._configs:
            return self.tr("A stored run that has ended goes on from its checkpoints with other settings, as a new run")
        steps = ", ".join(f"{step:,}" for step in self._configs)
        return self.tr("This file has whole checkpoints at the steps {0} alone: move the time there").format(steps)

    @Slot(bool)
    def _toggle(self, on: bool) -> None:  # Qt's
        if on and (step := self._here()) is not None:
            self._begin(step)
        elif not on and self._step is not None and self.run is not None:
            run = self.run
            self._leave()
            self._layout.steering.set_config(run.info.config, self.tr("open {0}").format(run.path.name))

    def _begin(self, step: int) -> None:
        assert self.run is not None  # noqa: S101  # _here has looked
        steering, before, done = self._layout.steering, self._configs[step], step / self.run.info.steps_per_epoch
        proposed = before.epochs if before.epochs > done else before.epochs + max(1, before.epochs // 2)
        steering.set_config(before.changed({"epochs": proposed}), self.tr("branch at step {0:,}").format(step))
        steering.set_branch(before, lambda config: check_branch(before, changes(before, config), done))
        steering.branch.show_parent(self.run.path.stem, step, has_ended=proposed > before.epochs)
        self._step = step
        self._actions.train.setText(self.tr("&Train Branch"))

    def _leave(self) -> None:
        self._step = None
        self._layout.steering.set_branch(None)
        self._actions.branch.setChecked(False)
        self._actions.train.setText(self.tr("&Train"))
        self.update()
