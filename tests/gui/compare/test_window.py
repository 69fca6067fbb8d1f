"""Runs laid over each other: real short runs of several methods and networks, in the real window."""

import csv
import dataclasses
import io
import math
import re
import shutil
import time

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QComboBox, QFileDialog, QWidget

from sparseviz.gui.compare.reading import read_run
from sparseviz.gui.compare.views.curves import CurvesTab
from sparseviz.gui.compare.views.subject import sign_of
from sparseviz.gui.dialogs import view_file
from sparseviz.gui.qt import appearance
from sparseviz.gui.qt.theme import theme_of
from sparseviz.gui.views.base import Pane
from sparseviz.gui.views.layers.copy_table import as_latex, as_markdown
from sparseviz.runs.study.plan import Study
from sparseviz.values.history import History
from sparseviz.values.snapshot import Errors
from tests.helpers.gui.compare_steps import CURVES, ERRORS, LAYERS, RUNS, WAIT_MS, add, answered, go, hide
from tests.helpers.processes import WRITE, lines, process
from tests.helpers.runs import short

# Runs come and go.


def test_that_an_empty_window_invites_and_every_view_says_what_will_appear(comparing):
    assert comparing.list.empty.isVisible()
    for number in range(6):
        view = go(comparing, number)
        assert view.is_empty()
        assert len(view.empty.text()) > 40
        assert len(re.findall(r"\.(?= [A-Z]|$)", view.lesson())) == 2
        assert view.table() == []


def test_that_runs_are_read_in_another_thread_and_numbered(comparing, qtbot, gated, magnitude):
    comparing.add([gated.path, magnitude.path, gated.path])
    assert comparing.list.sheet.count() == 0  # not read here
    assert "gated.h5" in comparing.statusBar().currentMessage()
    qtbot.waitUntil(lambda: comparing.list.sheet.count() == 2, timeout=WAIT_MS)
    assert [(run.number, run.name, run.method) for run in comparing.list.runs()] == [
        (1, "gated", "gated"),
        (2, "magnitude", "magnitude"),
    ]
    assert "lenet300 · digits" in comparing.list.sheet.item(1).text()
    comparing.add([gated.path])
    assert not comparing.statusBar().currentMessage()


def test_that_two_files_of_one_name_are_told_apart_by_their_folders(comparing, qtbot, gated, tmp_path):
    other = tmp_path / "second"
    other.mkdir()
    shutil.copy(gated.path, other / gated.path.name)
    add(comparing, qtbot, gated.path, other / gated.path.name)
    assert [run.name for run in comparing.list.runs()] == ["gated", "second/gated"]


def test_that_a_file_that_is_no_run_is_named_and_the_others_stay(comparing, qtbot, gated, tmp_path):
    bad = tmp_path / "bad.h5"
    bad.write_text("no HDF5")
    comparing.add([bad, gated.path])
    qtbot.waitUntil(lambda: comparing.messages.shown is not None, timeout=WAIT_MS)
    assert "bad.h5 is no HDF5 file" in comparing.messages.shown.text()
    qtbot.waitUntil(lambda: comparing.list.sheet.count() == 1, timeout=WAIT_MS)
    comparing.messages.shown.close()


def test_that_runs_are_hidden_removed_and_moved_with_keys_and_keep_their_numbers(compared, qtbot):
    sheet = compared.list.sheet
    sheet.setFocus()
    sheet.setCurrentRow(0)
    qtbot.keyClick(sheet, Qt.Key.Key_Space)
    assert [run.number for run in compared.list.runs()] == [2, 3, 4]
    qtbot.keyClick(sheet, Qt.Key.Key_Space)
    qtbot.keyClick(sheet, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert [run.number for run in compared.list.runs()] == [2, 1, 3, 4]
    assert [run.number for run in compared.view().runs] == [2, 1, 3, 4]
    sheet.clearSelection()
    sheet.setCurrentRow(0)
    qtbot.keyClick(sheet, Qt.Key.Key_Delete)
    assert [run.number for run in compared.list.runs()] == [1, 3, 4]
    assert [run.number for run in compared.view().runs] == [1, 3, 4]


def test_that_a_freed_number_is_given_again(compared, qtbot, magnitude):
    compared.list.sheet.clearSelection()
    compared.list.sheet.setCurrentRow(1)
    compared.list.remove_chosen()
    add(compared, qtbot, magnitude.path)
    assert [run.number for run in compared.list.runs()] == [1, 3, 4, 2]


def test_that_a_run_that_is_trained_elsewhere_grows_in_sight(comparing, qtbot, gated, tmp_path):
    written = tmp_path / "written.h5"
    with process(WRITE, gated.path, written) as child:
        lines(child, 3)
        add(comparing, qtbot, written)
        (run,) = comparing.list.runs()
        assert run.status == "training"
        view = go(comparing, LAYERS)
        qtbot.waitUntil(lambda: len(comparing.list.runs()[0].history) > len(run.history), timeout=WAIT_MS)
        assert view.runs == comparing.list.runs()
        assert [other.number for other in view.runs] == [1]


def test_that_a_run_that_cannot_be_read_again_is_told_of_in_passing(comparing, qtbot, gated, tmp_path):
    gone = tmp_path / "gone.h5"
    shutil.copy(gated.path, gone)
    add(comparing, qtbot, gone)
    run = dataclasses.replace(comparing.list.runs()[0], status="training")
    comparing.list.replace(gone, run)
    gone.unlink()
    qtbot.waitUntil(lambda: "gone.h5: no such file" in comparing.statusBar().currentMessage(), timeout=WAIT_MS)
    assert comparing.messages.shown is None
    assert comparing.list.runs() == (run,)


def test_that_a_hidden_run_says_so(compared):
    hide(compared, 2)
    item = compared.list.sheet.item(1)
    assert item.text() == "2 magnitude\nhidden: magnitude · lenet300 · digits"
    item.setCheckState(Qt.CheckState.Checked)
    assert item.text() == "2 magnitude\nmagnitude · lenet300 · digits"


def test_that_dropped_files_are_added(comparing, qtbot, gated, dense):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (gated.path, dense.path)])
    buttons = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(40, 300), Qt.DropAction.CopyAction, data, *buttons)
    comparing.dragEnterEvent(enter)
    assert enter.isAccepted()
    comparing.dropEvent(QDropEvent(QPointF(40, 300), Qt.DropAction.CopyAction, data, *buttons))
    qtbot.waitUntil(lambda: comparing.list.sheet.count() == 2, timeout=WAIT_MS)


def test_that_files_are_chosen(comparing, qtbot, gated, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(gated.path)], ""))
    qtbot.keyClick(comparing, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: comparing.list.sheet.count() == 1, timeout=WAIT_MS)


@pytest.mark.parametrize("dark", [True, False])
def test_that_no_two_runs_have_one_sign(qapp, dark):
    appearance.apply(qapp, dark=dark)
    theme = theme_of(qapp.palette())
    signs = [sign_of(number, theme) for number in range(1, 281)]
    assert len({(sign.colour.name(), sign.dash, sign.symbol) for sign in signs}) == 280
    assert len({(sign.dash, sign.symbol) for sign in signs[:35]}) == 35  # without colours


# The main window.


def test_that_the_main_window_compares_its_run_and_the_runs_chosen_in_the_list(opened, gated, magnitude, qtbot):
    comparing = opened.files.comparing
    opened.menu.compare.trigger()
    window = comparing.window
    qtbot.waitUntil(lambda: window.list.sheet.count() == 1, timeout=WAIT_MS)
    opened.ui.runs.compare_asked.emit([gated.path, magnitude.path])
    assert comparing.window is window
    qtbot.waitUntil(lambda: window.list.sheet.count() == 2, timeout=WAIT_MS)
    with qtbot.waitSignal(opened.files.run_chosen, timeout=WAIT_MS) as chosen:
        window.list.sheet.itemActivated.emit(window.list.sheet.item(1))
    assert chosen.args == [magnitude.path]
    opened.close()
    assert not window.isVisible()


def test_that_enter_in_the_run_list_compares_several_and_opens_one(window, gated, dense, qtbot, tmp_path):
    folder = tmp_path / "list"
    folder.mkdir()
    for run in (gated, dense):
        shutil.copy(run.path, folder)
    runs = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    QApplication.processEvents()
    runs.show_folder(folder)
    qtbot.waitUntil(lambda: len(runs.table()) == 3, timeout=WAIT_MS)
    runs.sheet.selectAll()
    runs.sheet.setFocus()
    with qtbot.waitSignal(runs.compare_asked, timeout=WAIT_MS) as asked:
        qtbot.keyClick(runs.sheet, Qt.Key.Key_Return)
    assert sorted(path.name for path in asked.args[0]) == ["dense.h5", "gated.h5"]
    qtbot.waitUntil(lambda: window.files.comparing.window.list.sheet.count() == 2, timeout=WAIT_MS)
    window.files.comparing.window.close()
    window.menu.compare.trigger()  # the focus is in the list
    qtbot.waitUntil(lambda: window.files.comparing.window.list.sheet.count() == 2, timeout=WAIT_MS)


def test_that_a_run_that_trains_in_the_main_window_is_followed_to_its_end(window, qtbot):
    config = short({"epochs": 12, "record.snapshots": 60, "threads": 1})
    window.ui.steering.set_config(config)
    window.train()
    qtbot.waitUntil(lambda: window.run is not None and len(window.run.history) > 0, timeout=WAIT_MS)
    window.menu.pause.setChecked(True)
    window.menu.compare.trigger()
    runs = window.files.comparing.window.list.runs
    qtbot.waitUntil(lambda: len(runs()) == 1, timeout=WAIT_MS)
    first = runs()[0]
    assert first.status == "training"
    window.menu.pause.setChecked(False)
    qtbot.waitUntil(lambda: not window.is_training(), timeout=60_000)
    qtbot.waitUntil(lambda: runs()[0].status == "finished", timeout=WAIT_MS)
    assert len(runs()[0].history) == len(window.run.history) > len(first.history)


# Curves.


def test_that_every_run_is_a_line_with_its_values(compared):
    view = go(compared, CURVES)
    assert [line.run.number for line in view.picture.lines] == [1, 2, 3, 4]
    for line in view.picture.lines:
        history = line.run.history
        read = [s for s in history if s.scalars["validation_error"] > 0]
        assert line.x.tolist() == [s.epoch for s in read]
        assert line.y.tolist() == [s.scalars["validation_error"] for s in read]
        assert line.star == (history[-1].epoch, line.run.errors.test)
        drawn = view.picture.items[line.run.number].getData()
        np.testing.assert_allclose(10 ** drawn[1], line.y)


def test_that_other_scalars_and_axes_are_chosen_and_the_values_are_a_table(compared):
    view = go(compared, CURVES)
    view.choice.setCurrentIndex(view.choice.findData("loss"))
    view.axis.setCurrentIndex(view.axis.findData("parameters_kept"))
    line = view.picture.lines[0]
    there = [s for s in line.run.history if math.isfinite(s.scalars["loss"])]
    assert line.x.tolist() == [s.scalars["parameters_kept"] for s in there]
    assert line.star is None  # the test error is no loss
    head, *rows = view.table()
    assert head == ["run", "name", "parameters kept", "train loss"]
    assert len(rows) == sum(len(line.x) for line in view.picture.lines)
    assert rows[0] == [1, "gated", line.x[0], line.y[0]]


def test_that_the_crosshair_reads_every_run_with_keys(compared, qtbot):
    view = go(compared, CURVES)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.picture.crosshair.isVisible()
    told = view.readout.texts[0]
    assert told.startswith("epoch 1")
    for line in view.picture.lines:
        assert f"{line.run.number}: {line.y[-1]:,.4g}" in told
        assert f"{line.run.errors.test:.2f} %" in told


def test_that_gate_rates_are_offered_only_where_a_run_has_gates(compared):
    view = go(compared, CURVES)
    assert view.choice.findData("gate_rate") >= 0
    hide(compared, 1)
    hide(compared, 4)
    assert view.choice.findData("gate_rate") < 0
    texts = [view.choice.itemText(at) for at in range(view.choice.count())]
    assert len(texts) > 5
    assert not [text for text in texts if "gate" in text.lower()]


# Error against what is kept.


def test_that_test_and_validation_errors_are_told_apart(compared):
    view = go(compared, ERRORS)
    ends = {(p.number, p.kind): (p.kept, p.error) for p in view.points}
    for run in view.runs:
        kept = run.history[-1].scalars["parameters_kept"]
        assert ends[run.number, "test"] == (kept, run.errors.test)
        assert ends[run.number, "validation"] == (kept, run.history[-1].scalars["validation_error"])
    assert len(ends) == 8
    assert "No published network is known for lenet300, digits; lenet5, digits." in view.caption.text()


def test_that_the_published_networks_of_the_same_data_are_anchors(comparing, qtbot, gated):
    run = dataclasses.replace(read_run(gated.path, 1, "as if on MNIST"), data="mnist")
    from sparseviz.config import RunConfig
    from sparseviz.gui.sources.references import anchors

    mnist = RunConfig.load("lenet300-mnist-best")
    told = anchors(mnist, 266_200)
    published = Study.load("frontier300").published
    assert [(one.name, one.error_percent) for one in told] == [(one.name, one.error) for one in published]
    assert told[0].parameters_kept == 266_200 / published[0].compression
    assert told[3].parameters_kept == 22_000  # as printed
    assert not anchors(mnist.changed({"data.name": "digits"}), 266_200)
    lenet5 = anchors(RunConfig.load("lenet5-mnist-best"), 430_500)
    assert len(lenet5) > 7
    assert len({(one.error_percent, one.parameters_kept) for one in lenet5}) == len(lenet5)
    view = go(comparing, ERRORS)
    view.show_runs([dataclasses.replace(run, anchors=told)])
    found = [(p.name, p.kept, p.error) for p in view.points if not p.number]
    assert found == [(one.name, one.parameters_kept, one.error_percent) for one in told]
    assert len(view.anchors.points()) == len(told)
    assert not set(view.names.hidden()) & {one.name for one in told}
    assert "without biases" in view.caption.text()
    view.axis.setCurrentIndex(view.axis.findData("weights_kept"))
    assert "without biases" not in view.caption.text()
    assert view.points[0].kept == run.history[-1].scalars["weights_kept"]


def test_that_a_run_whose_test_images_were_not_read_has_no_test_error(comparing, gated):
    run = dataclasses.replace(read_run(gated.path, 1, "x"), errors=Errors())
    view = go(comparing, ERRORS)
    view.show_runs([run])
    assert [point.kind for point in view.points] == ["validation"]
    assert "The test images were not read by 1." in view.caption.text()


# Tables.


def test_that_layers_stand_in_columns_and_a_missing_one_is_absent(compared):
    view = go(compared, LAYERS)
    head, *rows = view.table()
    assert head[:6] == ["Layer", "Shape", "Weights", "1 kept", "1 sparsity %", "1 compression"]
    assert [row[:2] for row in rows[:7]] == [
        ["fc1", "300×784"],
        ["fc2", "100×300"],
        ["fc3", "10×100"],
        ["conv1", "20×1×5×5"],
        ["conv2", "50×20×5×5"],
        ["fc1", "500×800"],
        ["fc2", "10×500"],
    ]
    runs = view.runs
    for column, run in enumerate(runs):
        layer = run.layer("fc1", len(run.history) - 1)
        row = rows[0] if run.network == "lenet300" else rows[5]
        cells = row[3 + 3 * column : 6 + 3 * column]
        assert cells == [layer.kept, 100 * (1 - layer.kept / layer.info.weights), layer.info.weights / layer.kept]
        assert rows[-1][3 + 3 * column] == run.totals().parameters_kept
        assert rows[-2][3 + 3 * column] == run.totals().weights_kept
    assert rows[3][3] == ""  # LeNet-300 has no conv1
    assert view.model.rows[3][3][0] == "–"


def test_that_the_layer_table_is_copied_in_other_forms(compared, qtbot):
    view = go(compared, LAYERS)
    view.sheet.setFocus()
    qtbot.keyClick(view.sheet, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    assert text.splitlines()[0].startswith("Layer\tShape\tWeights\t1 kept")
    view.sheet.copy(as_markdown)
    assert QGuiApplication.clipboard().text().startswith("| Layer | Shape |")
    view.sheet.copy(as_latex)
    assert r"\toprule" in QGuiApplication.clipboard().text()


def test_that_only_settings_that_differ_are_listed(compared, qtbot):
    view = go(compared, RUNS)
    names = [row[0] for row in view.table()]
    assert "method" in names
    assert "gate.start" in names  # two of the four have gates
    assert "seed" not in names  # the same in all
    hide(compared, 1)
    hide(compared, 4)
    names = [row[0] for row in view.table()]
    assert not [cell for row in view.table() for cell in row if "gate" in str(cell)]
    assert names[-1] == "compression by weights"  # magnitude and dense were trained alike


# All views.


def test_that_every_view_is_saved_in_every_form(compared, qtbot, tmp_path):
    compared.pairing.choose(1, 2)
    answered(compared, qtbot)
    for number, view in enumerate(compared.views):
        go(compared, number)
        for suffix in (".png", ".svg", ".csv"):
            path = tmp_path / f"{number}{suffix}"
            view_file.save_view(view, path)
            assert path.stat().st_size > 100
        rows = list(csv.reader(io.StringIO((tmp_path / f"{number}.csv").read_text())))
        assert len(rows) > 5
        assert len({len(row) for row in rows}) == 1


def test_that_ctrl_s_asks_where_the_view_in_sight_goes(opened, qtbot, gated, monkeypatch, tmp_path):
    opened.menu.compare.trigger()
    window = opened.files.comparing.window
    qtbot.waitUntil(lambda: window.list.sheet.count() == 1, timeout=WAIT_MS)
    asked = []

    def answer(parent, *question):
        asked.append((parent, *question))
        return str(tmp_path / "curves.csv"), "CSV, the values (*.csv)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert asked[0][0] is window
    assert "comparison-curves-of-all-runs" in asked[0][2]
    assert (tmp_path / "curves.csv").read_text().startswith("run,name,epoch,validation error %")


def test_that_every_control_has_a_name(compared, qtbot):
    compared.pairing.choose(1, 2)
    controls = (QAbstractButton, QAbstractSlider, QComboBox, Pane)
    asked = []
    for number in range(6):
        go(compared, number)
        asked += [
            widget
            for widget in compared.findChildren(QWidget)
            if (isinstance(widget, controls) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
            and widget.isVisible()
            and not widget.objectName().startswith("qt_")
            and not widget.inherits("QScrollBar")
            and not widget.inherits("QTabBar")
            and widget.focusProxy() is None
        ]
    assert len(asked) > 60
    assert [w for w in asked if not QAccessible.queryAccessibleInterface(w).text(QAccessible.Text.Name).strip()] == []


def test_that_views_follow_the_palette_and_stay_readable_in_a_narrow_window(compared, qtbot, qapp):
    compared.pairing.choose(1, 2)
    for dark in (True, False):
        appearance.apply(qapp, dark=dark)
        compared.resize(720, 520)
        for number in range(6):
            view = go(compared, number)
            assert view.theme.dark is dark
            assert view.width() <= 720
            legend = getattr(view, "legend", None)
            assert legend is None or legend.geometry().right() <= view.width()
    assert compared.width() == 720


def ten_long_runs(gated):
    """Ten runs of 300 snapshots."""
    first = read_run(gated.path, 1, "a")
    runs = []
    for number in range(1, 11):
        history = History(first.history.parameters)
        for at in range(300):
            source = first.history[at % len(first.history)]
            scalars = dict(source.scalars) | {"validation_error": 1 + number + 90 / (1 + at)}
            scalars["parameters_kept"] = 266_610 / (1 + at * number / 10)
            history.append(dataclasses.replace(source, step=at * 10, epoch=at / 10, scalars=scalars))
        runs.append(dataclasses.replace(first, number=number, name=f"run {number}", history=history))
    return runs


@pytest.mark.slow
def test_that_ten_runs_of_300_snapshots_are_drawn_in_50_ms_of_computing(gated, shown, qtbot):
    view = shown(CurvesTab, (1000, 700))
    runs = ten_long_runs(gated)
    view.show_runs(runs)  # reads them once
    view.grab()
    times = []
    for _ in range(10):
        begin = time.process_time()
        view.show_runs(runs)
        view.grab()
        times.append(time.process_time() - begin)
    print(f"ten runs of 300 snapshots: {1000 * np.median(times):.1f} ms")
    assert np.median(times) < 0.05


def test_that_only_the_view_in_sight_is_drawn(compared, monkeypatch):
    drawn = []
    for number, view in enumerate(compared.views):
        monkeypatch.setattr(view, "show_runs", lambda _, number=number: drawn.append(number))
    hide(compared, 1)
    assert drawn == [CURVES]
    go(compared, LAYERS)
    go(compared, LAYERS)
    assert drawn == [CURVES, LAYERS]
