"""What can be chosen of an export: a form that offers only what goes together, and remembers it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from html import escape
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from sparseviz.export import ExportError, ExportOptions
from sparseviz.export.options import OPSETS
from sparseviz.gui.qt.window_settings import window_settings

USUAL = ExportOptions(compact=True, report=True, script=True)
_KEY = "export/choices"
_NUMBERS: dict[str, dict[str, Any]] = {"float32": {}, "float16": {"half": True}, "int8": {"int8": True}}


class ExportChoices(QWidget):
    """Edits ExportOptions; they are valid at any moment."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.compact = QCheckBox(self.tr("&Compact: dead units are taken out"))
        self.storage, self.numbers, self.opset = QComboBox(), QComboBox(), QComboBox()
        self.raw_pixels = QCheckBox(self.tr("Read raw &pixels"))
        self.licence = QLineEdit(placeholderText=self.tr("not stated"), maxLength=200)
        self.test_set = QCheckBox(self.tr("Prove on the whole &test set"))
        self.report = QCheckBox(self.tr("&Report, with latencies"))
        self.script = QCheckBox(self.tr("&Script that runs the file"))
        self.why_not = QLabel(wordWrap=True)
        self.beside = QLabel(wordWrap=True)
        self._fill()
        self._lay_out()
        self._explain()
        self._show(USUAL)
        self._show(_remembered())
        self._connect()
        self._offer()

    def _fill(self) -> None:
        storages = {
            "dense": self.tr("every weight, cut ones as zeros"),
            "coo": self.tr("kept ones with places (coo)"),
        }
        numbers = {
            "float32": self.tr("float32, exact"),
            "float16": self.tr("float16 (half), half the bytes"),
            "int8": self.tr("int8, a quarter of them"),
        }
        opsets = {None: self.tr("as torch chooses")} | {
            number: str(number) for number in range(OPSETS[0], OPSETS[1] + 1)
        }
        for combo, items in ((self.storage, storages), (self.numbers, numbers), (self.opset, opsets)):
            for value, text in items.items():
                combo.addItem(text, value)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.compact)
        form.addRow(self.tr("&Weights"), self.storage)
        form.addRow(self.tr("&Numbers"), self.numbers)
        form.addRow(self.why_not)
        form.addRow(self.raw_pixels)
        form.addRow(self.tr("&Operator set"), self.opset)
        form.addRow(self.tr("&Licence"), self.licence)
        form.addRow(self.test_set)
        form.addRow(QLabel(self.tr("Beside the file:")))
        form.addRow(self.report)
        form.addRow(self.script)
        form.addRow(self.beside)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addStretch(1)

    def _explain(self) -> None:
        for widget, name, lesson in self._lessons():
            widget.setAccessibleName(name)
            widget.setAccessibleDescription(lesson)
            widget.setToolTip(f"<p>{escape(lesson)}</p>")
            widget.setWhatsThis(f"<p>{escape(lesson)}</p>")

    def _lessons(self) -> Iterator[tuple[QWidget, str, str]]:
        yield (
            self.compact,
            self.tr("Compact: dead units are taken out"),
            self.tr(
                "Units and filters that change no answer are taken out: those that always give the same are folded "
                "into what follows, those that nobody reads are removed. This alone makes the network faster."
            ),
        )
        yield (
            self.storage,
            self.tr("Weights in the file"),
            self.tr(
                "With their places only kept weights are in the file, which is smaller where most are cut. They are "
                "put back among zeros when the file is loaded, so it is not faster."
            ),
        )
        yield (
            self.numbers,
            self.tr("Numbers in the file"),
            self.tr(
                "float16 halves the bytes and still computes in float32; int8 is onnxruntime's own quantizer. Both "
                "round, so that answers may differ more from those of the trained network before the file is refused."
            ),
        )
        yield (
            self.raw_pixels,
            self.tr("Read raw pixels"),
            self.tr(
                "The file reads pixels from 0 to 255 (uint8: image, channel, row, column) and normalises them itself; "
                "otherwise whoever runs it must normalise as the training did."
            ),
        )
        yield (
            self.opset,
            self.tr("Operator set"),
            self.tr("The version of ONNX's operators. Choose one if the program that runs the file needs it."),
        )
        yield (
            self.licence,
            self.tr("Licence"),
            self.tr("Under which licence you give the model away; it is written into the file. It may stay empty."),
        )
        yield (
            self.test_set,
            self.tr("Prove on the whole test set"),
            self.tr(
                "Every file is proven on the test images in the run and on noise; this adds the whole test set where "
                "its files are there. Nothing is downloaded, and the file says that the test set was read."
            ),
        )
        yield (
            self.report,
            self.tr("Report, with latencies"),
            self.tr(
                "Writes the report as Markdown and JSON beside the file, and measures how long an image and 64 images "
                "take on one thread, beside the dense file: some seconds more."
            ),
        )
        yield (
            self.script,
            self.tr("Script that runs the file"),
            self.tr("Writes ten lines of Python beside the file that run it on an image, with onnxruntime."),
        )

    def _checks(self) -> dict[str, QCheckBox]:
        names = ("compact", "raw_pixels", "test_set", "report", "script")
        return {name: getattr(self, name) for name in names}

    def _connect(self) -> None:
        for check in self._checks().values():
            check.toggled.connect(self.changed)
        for combo in (self.storage, self.numbers, self.opset):
            combo.currentIndexChanged.connect(self._offer)
        self.licence.textChanged.connect(self.changed)

    def options(self) -> ExportOptions:
        """The ExportOptions that are chosen now."""
        chosen: dict[str, Any] = {name: check.isChecked() for name, check in self._checks().items()}
        return ExportOptions(
            storage=self.storage.currentData(),
            opset=self.opset.currentData(),
            licence=self.licence.text().strip(),
            **chosen,
            **_NUMBERS[self.numbers.currentData()],
        )

    def show_companions(self, names: str) -> None:
        """Which files will be beside the model."""
        self.beside.setText(names)
        self.beside.setVisible(bool(names))

    @Slot()
    def _offer(self) -> None:
        """Let only those be chosen that go with the rest, and say why the others do not."""
        options, reasons = self.options(), set()
        for place in range(self.numbers.count()):
            tried = {"half": False, "int8": False} | _NUMBERS[self.numbers.itemData(place)]
            reasons.add(_offer_item(self.numbers, place, options, tried))
        for place in range(self.storage.count()):
            reasons.add(_offer_item(self.storage, place, options, {"storage": self.storage.itemData(place)}))
        self.why_not.setText("\n".join(reasons - {""}))
        self.why_not.setVisible(bool(self.why_not.text()))
        self.changed.emit()

    def _show(self, options: ExportOptions) -> None:
        for name, check in self._checks().items():
            check.setChecked(getattr(options, name))
        for combo, value in (
            (self.storage, options.storage),
            (self.numbers, options.kind),
            (self.opset, options.opset),
        ):
            combo.setCurrentIndex(combo.findData(value))
        self.licence.setText(options.licence)

    def remember(self) -> None:
        """Keep what is chosen for the next export."""
        settings = window_settings()
        settings.setValue(_KEY, json.dumps(asdict(self.options())))
        settings.sync()


def _offer_item(combo: QComboBox, place: int, options: ExportOptions, tried: dict[str, Any]) -> str:
    """Enable one item of a list if it goes with the other choices; the reason if it does not."""
    model, reason = combo.model(), ""
    assert isinstance(model, QStandardItemModel)  # noqa: S101  # as every plain combo box has
    try:
        replace(options, **tried)
    except ExportError as error:
        reason = str(error)
    model.item(place).setEnabled(not reason)
    combo.setItemData(place, reason, Qt.ItemDataRole.ToolTipRole)
    return reason


def _remembered() -> ExportOptions:
    """What was chosen last; the usual choices where that cannot be read."""
    usual = asdict(USUAL)
    with suppress(ValueError, ExportError):
        kept = json.loads(str(window_settings().value(_KEY, "")))
        if isinstance(kept, dict) and all(name in usual and _fits(value, usual[name]) for name, value in kept.items()):
            return replace(USUAL, **kept)
    return USUAL


def _fits(value: Any, usual: Any) -> bool:
    return type(value) is type(usual) or (usual is None and type(value) is int)
