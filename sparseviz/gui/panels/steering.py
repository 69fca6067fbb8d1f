"""The steering panel: the configuration's fields, and those that may change while a run trains."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from sparseviz.config import ConfigError, RunConfig, settings
from sparseviz.gui.panels.fields import Field, make_field
from sparseviz.steering import check_live

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
    """Edits a RunConfig. While a run trains only the live settings can be changed, and they go to the trainer."""

    changed = Signal()  # `config` is another one
    steered = Signal(object)  # {dotted name: number}, while a run trains

    def __init__(self, choices: Mapping[str, Mapping[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.config = RunConfig()
        self._is_training = False
        self.fields: dict[str, Field] = {}
        self.labels: dict[str, QLabel] = {}
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setAccessibleName(self.tr("Problem with the last edit"))
        self.problem.hide()
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
        for widget in (form, self.more, rest):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        scroll.setMinimumWidth(inside.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.problem)
        outer.addWidget(scroll)

    def _fill(self, form: QWidget, known: Mapping[str, Any], choices: Mapping[str, Mapping[str, str]]) -> None:
        layout = QFormLayout(form)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignRight)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, setting in known.items():
            field, label = make_field(setting, choices), QLabel(self._label(name))
            label.setBuddy(field)
            label.setToolTip(f"{setting.description}\n{name}")
            field.edited.connect(self._edit)
            layout.addRow(label, field)
            self.fields[name], self.labels[name] = field, label

    def _label(self, name: str) -> str:
        texts = {
            "network": self.tr("Network"),
            "data.name": self.tr("Data"),
            "data.folder": self.tr("Data folder"),
            "data.download": self.tr("Download"),
            "method.name": self.tr("Method"),
            "method.draw": self.tr("Draw"),
            "method.estimator": self.tr("Estimator"),
            "method.keep": self.tr("Keep share"),
            "method.rounds": self.tr("Rounds"),
            "penalty.lambda1": self.tr("λ₁ bimodal"),
            "penalty.lambda2": self.tr("λ₂ count"),
            "penalty.scale": self.tr("Penalty scale"),
            "penalty.decide_ratio": self.tr("Decide λ₁ / λ₂"),
            "gate.start": self.tr("Gate start"),
            "optimizer.rate": self.tr("Weight rate"),
            "optimizer.gate_rate": self.tr("Gate rate"),
            "optimizer.weight_decay": self.tr("Weight decay"),
            "optimizer.rate_schedule": self.tr("Rate schedule"),
            "schedule.warm_up_until": self.tr("Warm-up until"),
            "schedule.ramp_until": self.tr("Ramp until"),
            "schedule.decide_from": self.tr("Decide from"),
            "schedule.freeze_from": self.tr("Freeze from"),
            "record.snapshots": self.tr("Snapshots"),
            "record.previews": self.tr("Previews"),
            "record.checkpoints": self.tr("Checkpoints"),
            "epochs": self.tr("Epochs"),
            "batch_size": self.tr("Batch size"),
            "seed": self.tr("Seed"),
            "device": self.tr("Device"),
            "threads": self.tr("Threads"),
            "precision": self.tr("Precision"),
        }
        return texts.get(name, name)

    def set_config(self, config: RunConfig) -> None:
        """Show and edit this configuration."""
        self.config = config
        for name, field in self.fields.items():
            field.set_value(config.value(name))
        self._complain("")
        self.changed.emit()

    def set_training(self, *, training: bool) -> None:
        """While a run trains, what cannot change says so."""
        self._is_training = training
        for name, field in self.fields.items():
            fixed = training and not field.setting.live
            field.setEnabled(not fixed)
            reason = self.tr("Fixed while a run trains.") + "\n" if fixed else ""
            field.setToolTip(f"{reason}{field.setting.description}\n{name}")

    def _edit(self, name: str, value: Any) -> None:
        try:
            config = self.config.changed({name: value})
            if self._is_training:
                check_live(self.config, {name: value})
        except ConfigError as error:
            self._complain(str(error))
            self.fields[name].set_value(self.config.value(name))
            return
        before, self.config = self.config.value(name), config
        self.fields[name].set_value(config.value(name))
        self._complain("")
        self.changed.emit()
        if self._is_training and before != config.value(name):
            self.steered.emit({name: config.value(name)})

    def _complain(self, text: str) -> None:
        self.problem.setText(self.tr("⚠ {0}").format(text))
        self.problem.setVisible(bool(text))
