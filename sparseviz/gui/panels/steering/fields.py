"""Form fields: one editor a setting, by the setting's type."""

import math
import time
from collections.abc import Callable, Mapping
from html import escape
from itertools import count
from typing import Any, Literal, get_args, get_origin

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QSlider, QWidget

from sparseviz.config import parse_value
from sparseviz.config.setting import Setting, write_value

_SLIDER = (-8, 1)  # powers of ten
_SLIDER_PIXELS = 72  # the least in which it can be moved
_SLIDER_STEPS = 30  # a power of ten
_REST_SECONDS = 1  # keys or wheel turns on a slider no further apart than this are one stroke
_strokes = count()


class LineEdit(QLineEdit):
    """Keeps the keys of undo only as long as there is typing to undo; then they are the window's."""

    def event(self, event: QEvent) -> bool:
        """Let go of a key that would do nothing here."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
            is_idle = not (self.isUndoAvailable() or self.isRedoAvailable())
            if is_idle and (event.matches(undo) or event.matches(redo)):
                event.ignore()
                return False
        return super().event(event)


class Field(QWidget):
    """Form field of one setting."""

    edited = Signal(str, object)  # dotted name, new value

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.stroke: int | None = None  # edits told while it stays the same are one for undo
        self._editors: list[QWidget] = []
        self._help = ""
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)

    def _add(self, editor: QWidget, stretch: int = 1) -> None:
        self._editors.append(editor)
        self._row.addWidget(editor, stretch)

    @property
    def editor(self) -> QWidget:
        """The first, which takes the keys; no focus proxy of the field, by which Tab would go back to it."""
        return self._editors[0]

    def explain(self, title: str, lesson: str) -> None:
        """Name the editors, and let them teach."""
        parts = [lesson, self.setting.description, self.setting.name]
        self._help = "".join(f"<p>{escape(part)}</p>" for part in parts if part)
        for editor in self._editors:
            if not editor.accessibleName():
                editor.setAccessibleName(title)
            editor.setAccessibleDescription(" ".join(filter(None, parts[:2])))
            editor.setWhatsThis(self._help)
        self.set_reason("")

    def set_reason(self, reason: str) -> None:
        """Say first why it cannot be changed now, if it cannot."""
        for widget in (self, *self._editors):
            widget.setToolTip(f"<p><b>{escape(reason)}</b></p>{self._help}" if reason else self._help)

    def _tell(self, value: Any) -> None:
        self.edited.emit(self.setting.name, value)

    def set_value(self, value: Any) -> None:
        """Show a value without telling of it."""
        raise NotImplementedError


class ChoiceField(Field):
    """One of a few; `free` allows others to be typed."""

    def __init__(self, setting: Setting, choices: Mapping[str, str], *, free: bool = False) -> None:
        super().__init__(setting)
        self.combo = QComboBox()
        self.combo.setEditable(free)
        if free:
            self.combo.setLineEdit(LineEdit())
        self.combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for value, text in choices.items():
            self.combo.addItem(text, value)
        self._add(self.combo)
        self.combo.activated.connect(lambda: self._tell(self.combo.currentData()))
        line = self.combo.lineEdit()
        if line is not None:
            line.editingFinished.connect(lambda: self._tell(self._typed(line.text())))

    def _typed(self, text: str) -> str:
        found = self.combo.findText(text)
        return str(self.combo.itemData(found)) if found >= 0 else text.strip()

    def set_value(self, value: Any) -> None:
        """Show a value."""
        with QSignalBlocker(self.combo):
            found = self.combo.findData(value)
            self.combo.setCurrentIndex(found)
            if found < 0 and self.combo.isEditable():
                self.combo.setEditText(str(value))


class TextField(Field):
    """A number or a text; empty stands for none."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.line = LineEdit()
        self._shown = ""
        self._add(self.line)
        self.line.editingFinished.connect(self._finish)

    def _finish(self) -> None:
        text = self.line.text().strip()
        if text != self._shown:  # leaving a field that was not edited changes nothing
            self._tell(parse_value(self.setting.name, text) if text else None)

    def set_value(self, value: Any) -> None:
        """Show a value."""
        self._shown = write_value(value)
        with QSignalBlocker(self.line):
            self.line.setText(self._shown)


class FolderField(TextField):
    """A folder, typed or chosen."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.button = QPushButton("…")
        self.button.setFixedWidth(self.button.fontMetrics().horizontalAdvance("…") + 20)  # the room is the path's
        self.button.setAccessibleName(self.tr("Choose the folder"))
        self._add(self.button, 0)
        self.button.clicked.connect(self._choose)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder of the data set"), self.line.text())
        if folder:
            self._tell(folder)


class RateField(TextField):
    """A small number by a logarithmic slider; its left end is 0."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, (_SLIDER[1] - _SLIDER[0]) * _SLIDER_STEPS)
        self.slider.setMinimumWidth(_SLIDER_PIXELS)
        self._add(self.slider)
        self._row.insertWidget(0, self.slider)
        self.line.setFixedWidth(72)
        self._slid = 0.0  # when, in seconds
        self.slider.sliderPressed.connect(self._begin_stroke)
        self.slider.valueChanged.connect(self._slide)

    def _begin_stroke(self) -> None:
        self.stroke = next(_strokes)

    def _slide(self, place: int) -> None:
        now = time.monotonic()
        if self.stroke is None or (now - self._slid > _REST_SECONDS and not self.slider.isSliderDown()):
            self._begin_stroke()
        self._slid = now
        value = 10 ** (_SLIDER[0] + place / _SLIDER_STEPS) if place else 0.0
        self._tell(float(f"{value:.2g}"))

    def _finish(self) -> None:
        self.stroke = None
        super()._finish()

    def set_value(self, value: Any) -> None:
        """Show a value."""
        super().set_value(value)
        place = (math.log10(value) - _SLIDER[0]) * _SLIDER_STEPS if value > 0 else 0
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(place))


class SwitchField(Field):
    """Check box: on or off."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.box = QCheckBox()
        self._add(self.box)
        self.box.toggled.connect(self._tell)

    def set_value(self, value: Any) -> None:
        """Show a value."""
        with QSignalBlocker(self.box):
            self.box.setChecked(bool(value))


def make_field(setting: Setting, choices: Mapping[str, Mapping[str, str]]) -> Field:
    """The editor that fits; `choices` has those of settings whose names stand in a registry, by dotted name."""
    if setting.name in choices:
        return ChoiceField(setting, choices[setting.name], free=setting.name in ("network", "data.name", "device"))
    if get_origin(setting.annotation) is Literal:
        return ChoiceField(setting, {value: str(value) for value in get_args(setting.annotation)})
    kinds: tuple[tuple[bool, Callable[[Setting], Field]], ...] = (
        (setting.live and setting.annotation is float, RateField),
        (setting.annotation is bool, SwitchField),
        (setting.name == "data.folder", FolderField),
    )
    return next((kind for fits, kind in kinds if fits), TextField)(setting)
