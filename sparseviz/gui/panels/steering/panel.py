"""The steering panel: the configuration's fields, and those that may change while a run trains."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QFormLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from sparseviz.config import ConfigError, RunConfig, settings
from sparseviz.config.changes import KEPT, changes, check_steered
from sparseviz.config.setting import write_value
from sparseviz.gui.panels.steering import words
from sparseviz.gui.panels.steering.branch_note import BranchNote
from sparseviz.gui.panels.steering.cost_note import CostNote
from sparseviz.gui.panels.steering.edits import Edit
from sparseviz.gui.panels.steering.fields import Field, make_field

# What a person reaches for first, in this order; the rest waits behind a button.
FIRST = (
    "network",
    "data.name",
    "data.folder",
    "method.name",
    "method.draw",
    "method.estimator",
    "penalty.lambda1",
    "penalty.lambda2",
    "penalty.scale",
    "gate.start",
    "optimizer.rate",
    "optimizer.gate_rate",
    "epochs",
    "batch_size",
    "seed",
    "device",
)


class SteeringPanel(QWidget):
    """Edits a RunConfig, with undo. While a run trains only live settings change, and they go to the trainer.

    In a branch some settings are kept, and what is changed is told.
    """

    changed = Signal()  # `config` is another one
    steered = Signal(object)  # {dotted name: number}, while a run trains

    def __init__(self, choices: Mapping[str, Mapping[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.config = RunConfig()
        self.edits = QUndoStack(self)
        self._is_training = False
        self._before: RunConfig | None = None  # in force where a branch begins
        self._check_branch: Callable[[RunConfig], object] = lambda _: None
        self.branch = BranchNote()
        self._titles, self._lessons = words.labels(self.tr), words.lessons(self.tr)
        self.fields: dict[str, Field] = {}
        self.labels: dict[str, QLabel] = {}
        self.problem = QLabel()
        self.cost = CostNote()
        self.problem.setWordWrap(True)
        self.problem.setAccessibleName(self.tr("Problem with the last edit"))
        self.problem.hide()
        self.setAccessibleName(self.tr("Steering"))
        self.setWhatsThis(
            self.tr(
                "What the next run will be: the network, how its gates learn, and the penalties that make it sparse. "
                "While a run trains, λ₁, λ₂ and the rates are felt at the next step, and Ctrl+Z takes an edit back."
            )
        )
        self._lay_out(choices)
        self.set_config(self.config)

    def _lay_out(self, choices: Mapping[str, Mapping[str, str]]) -> None:
        known = settings()
        form, rest = QWidget(), QWidget()
        self._fill(form, {name: known[name] for name in FIRST}, choices)
        self._fill(rest, {name: setting for name, setting in known.items() if name not in FIRST}, choices)
        self.more = QToolButton()
        self.more.setText(self.tr("More settings"))
        self.more.setCheckable(True)
        self.more.setAutoRaise(True)
        self.more.setArrowType(Qt.ArrowType.RightArrow)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.toggled.connect(rest.setVisible)
        arrows = {True: Qt.ArrowType.DownArrow, False: Qt.ArrowType.RightArrow}
        self.more.toggled.connect(lambda shown: self.more.setArrowType(arrows[shown]))
        rest.hide()
        inside = QWidget()
        column = QVBoxLayout(inside)
        for widget in (form, self.cost, self.more, rest):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the keys
        self.setFocusProxy(self.fields[FIRST[0]].editor)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        scroll.setMinimumWidth(inside.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.branch)
        outer.addWidget(self.problem)
        outer.addWidget(scroll)

    def _fill(self, form: QWidget, known: Mapping[str, Any], choices: Mapping[str, Mapping[str, str]]) -> None:
        layout = QFormLayout(form)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignRight)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, setting in known.items():
            title = self._titles.get(name, name)
            field, label = make_field(setting, choices), QLabel(title)
            label.setBuddy(field.editor)
            field.explain(title, self._lessons.get(name, ""))
            label.setToolTip(field.toolTip())
            field.edited.connect(self._edit)
            layout.addRow(label, field)
            self.fields[name], self.labels[name] = field, label

    def set_config(self, config: RunConfig, told: str = "") -> None:
        """Show and edit this configuration; `told` is what undo calls the change.

        Raises ConfigError in a branch that cannot have it.
        """
        self._check_branch(config)
        self._complain("")
        if config == self.config:
            self._show(config)
        else:
            self._push(config, told or self.tr("other settings"))

    def set_training(self, *, training: bool) -> None:
        """While a run trains, what cannot change says so."""
        self._is_training = training
        self._fix()

    def set_branch(self, before: RunConfig | None, check: Callable[[RunConfig], object] = lambda _: None) -> None:
        """Edit a branch where `before` is in force, until None; `check` raises ConfigError for what cannot be."""
        self._before, self._check_branch = before, check
        self._complain("")
        self.branch.setVisible(before is not None)
        self._fix()
        self._tell_changes()

    def _fix(self) -> None:
        """Enable what can change, and let the rest say why it cannot."""
        for name, field in self.fields.items():
            fixed = self.tr("Fixed while a run trains.") if self._is_training and not field.setting.live else ""
            kept = self.tr("A branch keeps it as in its parent.") if self._before and name in KEPT else ""
            field.setEnabled(not (fixed or kept))
            field.set_reason(fixed or kept)

    def _tell_changes(self) -> None:
        """What is changed in the branch."""
        if before := self._before:
            arrow, none = self.tr("{0}: {1} → {2}"), self.tr("none")
            values = {name: (before.value(name), value) for name, value in changes(before, self.config).items()}
            texts = {name: [write_value(value) or none for value in both] for name, both in values.items()}
            self.branch.show_changes(
                [arrow.format(self._titles.get(name, name), *both) for name, both in texts.items()]
            )

    @Slot()
    def undo(self) -> None:
        """Take the newest edit back; what cannot be taken back now stays, and says so."""
        at = self.edits.index() - 1
        command = self.edits.command(at) if at >= 0 else None
        if isinstance(command, Edit) and self._may_become(command.before, self.tr("Cannot be undone now: {0}")):
            self.edits.undo()

    @Slot()
    def redo(self) -> None:
        """Do again what was taken back."""
        command = self.edits.command(self.edits.index())
        if isinstance(command, Edit) and self._may_become(command.after, self.tr("Cannot be redone now: {0}")):
            self.edits.redo()

    def _may_become(self, config: RunConfig, refusal: str) -> bool:
        try:
            self._check(config)
        except ConfigError as error:
            self._complain(refusal.format(error))
            return False
        self._complain("")
        return True

    def _edit(self, name: str, value: Any) -> None:
        try:
            config = self.config.changed({name: value})
            self._check(config)
        except ConfigError as error:
            self._complain(str(error))
            self.fields[name].set_value(self.config.value(name))
            return
        self._complain("")
        if config != self.config:
            self._push(config, self._titles.get(name, name), self.fields[name].stroke)
        self.fields[name].set_value(config.value(name))

    def _check(self, config: RunConfig) -> None:
        if self._is_training:
            check_steered(self.config, config)
        self._check_branch(config)

    def _push(self, config: RunConfig, told: str, stroke: int | None = None) -> None:
        self.edits.push(Edit(self.config, config, told, stroke, self._show))

    def _show(self, config: RunConfig) -> None:
        """Take this configuration, and tell the run that trains what is new."""
        changed, self.config = changes(self.config, config), config
        for name, field in self.fields.items():
            field.set_value(config.value(name))
        self._tell_changes()
        self.cost.show_cost(config)
        self.changed.emit()
        if self._is_training and changed:
            self.steered.emit(changed)

    def _complain(self, text: str) -> None:
        self.problem.setText(self.tr("⚠ {0}").format(text))
        self.problem.setVisible(bool(text))
