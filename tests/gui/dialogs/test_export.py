"""The export dialog, on real runs with the real engine: choices, progress, giving up, report and script."""

import json
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from PIL import Image
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAccessible, QColor, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QComboBox, QLabel, QLineEdit

from sparseviz.export import ExportOptions, as_markdown
from sparseviz.export.proof.verify import open_session
from sparseviz.gui.dialogs.export.dialog import ExportDialog
from sparseviz.gui.dialogs.export.name import free_name
from sparseviz.gui.dialogs.export.options import USUAL, ExportChoices
from sparseviz.gui.dialogs.export.work import STAGES, wait_for_exports
from sparseviz.gui.qt import appearance
from sparseviz.gui.qt.theme import theme_of
from sparseviz.gui.qt.window_settings import window_settings
from tests.helpers.places import ROOT

WAIT_MS = 60_000
QUICK = {"report": False, "script": False, "test_set": False}

QUIT = """
import sys
from pathlib import Path
import sparseviz.training.trainer
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from sparseviz.gui import app
from sparseviz.gui.dialogs.export.dialog import ExportDialog
from sparseviz.gui.main_window import MainWindow
plain = QApplication.exec
def run(*_):
    window = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow))
    window.export()
    dialog = window.findChild(ExportDialog)
    dialog.start()
    def look():
        if dialog._work.stage == "onnx":
            timer.stop()
            print("onnx")
            window.close()
    timer = QTimer(interval=5)
    timer.timeout.connect(look)
    timer.start()
    code = plain()
    print("closed")
    return code
QApplication.exec = run
sys.exit(app.start([Path(sys.argv[1])]))
"""


@pytest.fixture
def copied(conv, tmp_path):
    """A stored LeNet-5, alone in a folder."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return shutil.copy(conv.path, folder / "digits.h5")


@pytest.fixture
def dialog(copied, qtbot):
    """Shown in memory; closed and forgotten after the test."""
    dialog = ExportDialog(copied)
    dialog.show()
    yield dialog
    dialog.close()
    wait_for_exports()


def choose(dialog, **values):
    """Choose by hand: check boxes, items of lists, a text."""
    for name, value in values.items():
        widget = getattr(dialog.choices, name)
        if isinstance(widget, QCheckBox):
            widget.setChecked(value)
        elif isinstance(widget, QComboBox):
            place = widget.findData(value)
            assert is_offered(widget, value)
            widget.setCurrentIndex(place)
        else:
            widget.setText(value)


def is_offered(combo, value):
    return bool(combo.model().index(combo.findData(value), 0).flags() & Qt.ItemFlag.ItemIsEnabled)


def exported(dialog, qtbot):
    """The report of an export as chosen."""
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
    assert dialog.report.report is not None, dialog.report.text.toPlainText()
    return dialog.report.report


@pytest.fixture
def whole(dialog, qtbot):
    """A dialog after an export with the usual choices."""
    exported(dialog, qtbot)
    return dialog


class TestChoices:
    def test_that_the_usual_choices_are_those_of_who_ships_a_model(self, dialog):
        assert dialog.choices.options() == ExportOptions(compact=True, report=True, script=True) == USUAL

    def test_that_every_choice_reaches_the_file(self, dialog, qtbot):
        choose(dialog, **QUICK, compact=False, storage="coo", numbers="float16", raw_pixels=True, opset=19)
        choose(dialog, licence=" MIT ")
        report = exported(dialog, qtbot)
        expected = ExportOptions(storage="coo", half=True, raw_pixels=True, opset=19, licence="MIT", test_set=False)
        assert report.options == expected
        model = onnx.load(report.path)
        assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
        assert [entry.version for entry in model.opset_import if not entry.domain] == [19]
        properties = {entry.key: entry.value for entry in model.metadata_props}
        assert (properties["licence"], properties["test_images_read"]) == ("MIT", "0")
        assert {node.op_type for node in model.graph.node} >= {"ScatterElements", "Cast"}
        assert TensorProto.FLOAT16 in {tensor.data_type for tensor in model.graph.initializer}
        assert sorted(path.name for path in report.path.parent.iterdir()) == ["digits.h5", "digits.onnx"]

    def test_that_compact_and_int8_reach_the_file_and_the_test_set_is_read(self, dialog, conv, qtbot):
        choose(dialog, **QUICK | {"test_set": True}, compact=True, numbers="int8")
        report = exported(dialog, qtbot)
        assert report.compaction is not None
        assert report.test_set.images == len(conv.trainer.test)
        assert TensorProto.INT8 in {tensor.data_type for tensor in onnx.load(report.path).graph.initializer}
        assert {path.name for path in report.path.parent.iterdir()} == {"digits.h5", "digits.onnx"}

    def test_that_what_does_not_go_together_is_not_offered_and_says_why(self, dialog):
        choices = dialog.choices
        assert choices.why_not.isHidden()
        choose(dialog, numbers="int8")
        assert not is_offered(choices.storage, "coo")
        assert "int8 cannot be combined" in choices.storage.itemData(
            choices.storage.findData("coo"), Qt.ItemDataRole.ToolTipRole
        )
        assert "int8 cannot be combined" in choices.why_not.text()
        assert choices.why_not.isVisible()
        choose(dialog, numbers="float16", storage="coo")
        assert not is_offered(choices.numbers, "int8")
        choose(dialog, storage="dense")
        assert is_offered(choices.numbers, "int8")
        assert choices.why_not.isHidden()

    def test_that_a_key_cannot_choose_what_is_not_offered(self, dialog, qtbot):
        choose(dialog, numbers="int8")
        qtbot.keyClick(dialog.choices.storage, Qt.Key.Key_Down)
        assert dialog.choices.options().storage == "dense"

    def test_that_choices_are_remembered_once_they_were_used(self, dialog, qtbot):
        chosen = {"compact": False, "numbers": "float16", "opset": 20, "licence": "CC0-1.0", "raw_pixels": True}
        choose(dialog, **QUICK, **chosen)
        assert ExportChoices().options() == USUAL
        exported(dialog, qtbot)
        assert ExportChoices().options() == dialog.choices.options() != USUAL

    @pytest.mark.parametrize(
        "kept",
        [
            "no JSON",
            "[1]",
            json.dumps({"compact": "yes"}),
            json.dumps({"opset": 99}),
            json.dumps({"int8": True, "half": True}),
            json.dumps({"unheard": True}),
        ],
    )
    def test_that_damaged_settings_give_the_usual_choices(self, kept):
        settings = window_settings()
        settings.setValue("export/choices", kept)
        settings.sync()
        assert ExportChoices().options() == USUAL


class TestName:
    def test_that_a_file_that_exists_is_refused_by_name_and_a_free_one_proposed(self, dialog, copied, qtbot):
        taken, folder = copied.with_name("digits_onnx.py"), copied.parent
        taken.write_text("mine")
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
        assert dialog._work is None
        assert "digits_onnx.py exists already and is not overwritten" in dialog.name.refusal.text()
        assert "Not exported" in dialog.stage.text()
        assert dialog.name.free.text() == "&Use digits-2.onnx"
        qtbot.mouseClick(dialog.name.free, Qt.MouseButton.LeftButton)
        assert dialog.name.path() == folder / "digits-2.onnx"
        assert dialog.name.refusal.isHidden()
        choose(dialog, **QUICK)
        assert exported(dialog, qtbot).path == folder / "digits-2.onnx"
        assert taken.read_text() == "mine"

    def test_that_the_first_name_offered_is_free_with_all_that_belongs_beside_it(self, tmp_path):
        (tmp_path / "a.onnx").touch()
        (tmp_path / "a-2.md").touch()
        assert free_name(tmp_path / "a.onnx", USUAL) == tmp_path / "a-3.onnx"
        assert free_name(tmp_path / "a.onnx", ExportOptions()) == tmp_path / "a-2.onnx"

    def test_that_a_name_without_folder_or_ending_is_beside_the_run_and_an_empty_one_refused(self, dialog, copied):
        dialog.name.line.setText("mine.v2")
        assert dialog.name.path() == copied.parent / "mine.v2.onnx"
        assert dialog.choices.beside.text() == "mine.v2.json, mine.v2.md, mine.v2_onnx.py"
        dialog.name.line.setText("  ")
        dialog.start()
        assert "no name" in dialog.name.refusal.text()
        assert dialog._work is None


class TestProgress:
    def test_that_every_stage_is_told_in_words_and_counted(self, dialog, qtbot):
        told = {}

        def look():
            if dialog._work and dialog._work.stage:
                told[dialog._work.stage] = (dialog.stage.text(), dialog.progress.value())
            return dialog._work is None

        dialog._clock.setInterval(1)
        dialog.start()
        assert not dialog.choices.isEnabled()
        qtbot.waitUntil(look, timeout=WAIT_MS)
        assert {"onnx", "latency"} <= set(told) <= set(STAGES)
        assert "Writing ONNX" in told["onnx"][0]
        assert "Measuring latency" in told["latency"][0]
        assert told["latency"][1] == STAGES.index("latency")
        assert dialog.progress.value() == dialog.progress.maximum() == len(STAGES)
        assert dialog.choices.isEnabled()

    @pytest.mark.parametrize("at", ["onnx", "latency"])
    def test_that_cancel_ends_the_export_before_its_next_stage_and_leaves_nothing(self, dialog, copied, qtbot, at):
        dialog.start()
        qtbot.waitUntil(lambda: dialog._work.stage == at, timeout=WAIT_MS)
        qtbot.mouseClick(dialog.cancel, Qt.MouseButton.LeftButton)
        assert "Giving up" in dialog.stage.text()
        assert not dialog.cancel.isEnabled()
        qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
        assert dialog.stage.text() == "Given up; no file was written."
        assert [path.name for path in copied.parent.iterdir()] == ["digits.h5"]
        choose(dialog, **QUICK)
        assert exported(dialog, qtbot).path.is_file()

    @pytest.mark.parametrize("at", ["onnx", "latency"])
    def test_that_closing_in_mid_export_is_at_once_and_leaves_nothing(self, copied, qtbot, at):
        dialog = ExportDialog(copied)
        dialog.show()
        dialog.start()
        work = dialog._work
        assert work is not None
        qtbot.waitUntil(lambda: work.stage == at, timeout=WAIT_MS)
        began = time.perf_counter()
        with qtbot.waitSignal(dialog.destroyed):
            qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert time.perf_counter() - began < 1
        assert not work.answer.done()  # it ends by itself
        wait_for_exports()
        assert work.answer.done()
        assert [path.name for path in copied.parent.iterdir()] == ["digits.h5"]

    def test_that_an_export_waits_for_one_that_ends(self, dialog, copied, qtbot):
        other = ExportDialog(copied)
        other.start()
        choose(dialog, **QUICK)
        dialog.start()
        assert "Waiting" in dialog.stage.text()
        other.reject()
        qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
        assert "Proven" in dialog.stage.text()

    def test_that_the_program_ends_in_good_order_in_mid_export(self, copied):
        ended = subprocess.run(
            [sys.executable, "-c", QUIT, str(copied)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (ended.returncode, ended.stdout.split()) == (0, ["onnx", "closed"]), ended.stderr
        assert not re.search(r"Traceback|QThread|Error", ended.stderr)
        assert [path.name for path in copied.parent.iterdir()] == ["digits.h5"]


class TestFailure:
    def test_that_a_failure_tells_the_error_and_what_to_do_and_leaves_nothing(self, dialog, copied, qtbot):
        copied.write_bytes(copied.read_bytes()[:5000])
        choose(dialog, numbers="int8", opset=18)
        dialog.start()
        qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
        text = dialog.report.text.toPlainText()
        assert "digits.h5" in text
        for way in ("float32", "operator set", "not compact", "another folder"):
            assert way in text
        assert "Not exported" in dialog.stage.text()
        assert not dialog.report.show_folder.isEnabled()
        assert dialog.export.isEnabled()
        assert [path.name for path in copied.parent.iterdir()] == ["digits.h5"]

    def test_that_a_model_without_what_belongs_beside_it_is_told(self, dialog, copied, qtbot):
        dialog.start()
        qtbot.waitUntil(lambda: dialog._work.stage == "latency", timeout=WAIT_MS)
        copied.with_name("digits.md").write_text("mine")
        qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
        assert "Not all is written" in dialog.stage.text()
        assert "digits.md" in dialog.report.text.toPlainText()
        assert copied.with_name("digits.onnx").is_file()
        assert copied.with_name("digits.md").read_text() == "mine"

    def test_that_a_folder_that_cannot_be_made_is_told(self, dialog, copied, qtbot):
        (copied.parent / "file").touch()
        dialog.name.line.setText("file/model.onnx")
        dialog.start()
        qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
        assert "cannot be written" in dialog.report.text.toPlainText()

    def test_that_a_fault_of_the_program_is_shown_with_its_trace(self, dialog, qtbot, monkeypatch):
        def burst(*_args, **_options):
            raise ZeroDivisionError("<burst>")

        monkeypatch.setattr("sparseviz.export.from_run.export_run", burst)
        dialog.start()
        qtbot.waitUntil(lambda: dialog._work is None, timeout=WAIT_MS)
        text = dialog.report.text.toPlainText()
        assert "fault of sparseviz: <burst>" in text
        assert "Traceback" in text


class TestReport:
    def test_that_what_is_shown_is_the_report(self, whole):
        report, text = whole.report.report, whole.report.text.toPlainText()
        assert report.path.with_suffix(".md").read_text() == as_markdown(report)
        dense, here, limit = report.multiply_adds
        numbers = [report.dense_bytes, report.bytes, report.dense_bytes_gzip, report.bytes_gzip, dense, here, limit]
        numbers += [report.parameters, report.parameters_kept, report.step]
        for change in report.layers:
            assert change.name in text
            assert "×".join(map(str, change.before.shape)) in text
            numbers += [change.before.weights, change.after.weights, change.after.nonzero, change.after.multiply_adds]
        assert [number for number in numbers if f"{number:,}" not in text] == []
        for found in report.latency:
            assert f"{found.ms:.3f} ms" in text
            assert f"{found.dense_ms:.3f} ms" in text
        assert "✓ Proven: digits.onnx" in text
        assert f"{report.proof.relative_difference:.1e}" in text
        assert f"(allowed: {report.proof.bar:.0e})" in text
        gone = sum(part.constant + part.unread for part in report.compaction.removed)
        removed = text[text.index("What was removed") : text.index("What makes this faster")]
        told = re.findall(r": ([\d,]+) (?:gave a constant|had no reader)", removed)
        assert sum(int(number.replace(",", "")) for number in told) == gone
        assert "multiplies zeros too" in text
        for proof in (report.proof, report.test_set, report.random):
            assert f"{proof.relative_difference:.1e}" in text

    def test_that_without_compaction_and_test_set_the_report_says_so(self, dialog, qtbot):
        choose(dialog, **QUICK, compact=False)
        exported(dialog, qtbot)
        text = dialog.report.text.toPlainText()
        assert "Nothing: the file is not compacted." in text
        assert "The test set was not read: it was not asked for." in text
        assert "latency" not in text
        assert dialog.script.text.toPlainText() == ""
        assert not dialog.script.copy.isEnabled()

    def test_that_it_is_copied_as_markdown_and_its_folder_shown(self, whole, qtbot, monkeypatch):
        qtbot.mouseClick(whole.report.copy, Qt.MouseButton.LeftButton)
        assert QGuiApplication.clipboard().text() == as_markdown(whole.report.report)
        assert "copied" in whole.stage.text()
        opened: list[QUrl] = []
        monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)  # would start another program
        qtbot.mouseClick(whole.report.show_folder, Qt.MouseButton.LeftButton)
        assert [url.toLocalFile() for url in opened] == [str(whole.report.report.path.parent)]

    def test_that_it_can_be_read_in_both_themes(self, whole, qapp):
        for dark in (True, False):
            appearance.apply(qapp, dark=dark)
            qapp.processEvents()
            theme = theme_of(whole.palette())
            assert theme.dark == dark
            assert theme.accent.name() in whole.report.text.toHtml()
            assert QColor(whole.report.text.palette().base().color()) == theme.background

    def test_that_the_script_is_shown_copied_and_runs_on_a_picture(self, whole, conv, qtbot, tmp_path):
        report, info = whole.report.report, conv.info
        script = report.path.with_name("digits_onnx.py")
        assert whole.script.text.toPlainText() == script.read_text()
        whole.tabs.setCurrentWidget(whole.script)
        qtbot.mouseClick(whole.script.copy, Qt.MouseButton.LeftButton)
        copied = report.path.with_name("copied.py")
        copied.write_text(QGuiApplication.clipboard().text())
        pixels = conv.trainer.test.images[:1].numpy() * info.std + info.mean
        pixels = np.rint(pixels * 255).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels[0, 0]).save(tmp_path / "digit.png")
        command = [sys.executable, str(copied), str(tmp_path / "digit.png")]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        fed = ((pixels / 255 - info.mean) / info.std).astype(np.float32)
        answers = open_session(report.path).run(None, {"images": fed})[0]
        assert shown.stdout.strip() == info.classes[answers.argmax()]


class TestAccess:
    def test_that_every_control_has_a_name_and_every_choice_teaches(self, dialog):
        controls = [
            widget
            for kind in (QAbstractButton, QComboBox, QLineEdit)
            for widget in dialog.findChildren(kind)
            if not widget.objectName().startswith("qt_") and widget is not dialog.name.free
        ]
        named = [QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) for widget in controls]
        assert len(named) > 15
        assert all(name.strip() for name in named)
        choices = [*dialog.choices._checks().values(), *dialog.choices.findChildren(QComboBox), dialog.choices.licence]
        assert len(choices) == 9
        for widget in choices:
            assert len(widget.whatsThis()) > 60
            assert widget.toolTip()

    def test_that_no_two_letters_are_the_same(self, dialog):
        texts = [button.text() for button in dialog.findChildren(QAbstractButton)]
        texts += [label.text() for label in dialog.findChildren(QLabel) if label.buddy()]
        letters = [found.lower() for text in texts for found in re.findall(r"&(\w)", text)]
        assert len(letters) >= 12
        assert len(letters) == len(set(letters))

    def test_that_enter_exports_and_a_run_that_grows_is_told_to(self, copied, qtbot):
        dialog = ExportDialog(copied, grows=True)
        dialog.show()
        assert any("still being written" in label.text() for label in dialog.findChildren(QLabel))
        choose(dialog, **QUICK)
        qtbot.keyClick(dialog.name.line, Qt.Key.Key_Return)
        assert dialog._work is not None
        dialog.close()
        wait_for_exports()

    def test_that_it_fits_a_small_window(self, dialog):
        dialog.resize(900, 560)
        assert dialog.minimumSizeHint().width() <= 900
        assert dialog.minimumSizeHint().height() <= 560
