"""The run list: real files in a real folder."""

import shutil
import time

import h5py
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMessageBox

from sparseviz.gui.panels.run_list.model import COMPRESSION, ERROR, KEPT, NAME, NOTE, STATUS
from sparseviz.store.files.lock import WriterLock
from sparseviz.store.header import read_header, read_headers
from tests.helpers.gui.run_list import WAIT_MS, column, kept
from tests.helpers.places import FORMATS


@pytest.fixture
def folder(tmp_path, gated, dense):
    """Two runs of this program, one of its first format, and two files that are none."""
    made = tmp_path / "list"
    made.mkdir()
    for source, name in ((gated.path, "gated"), (dense.path, "dense"), (FORMATS / "format-1.h5", "old")):
        shutil.copy(source, made / f"{name}.h5")
    (made / "text.h5").write_text("no HDF5")
    (made / "cut.h5").write_bytes(gated.path.read_bytes()[:3000])
    return made


@pytest.fixture
def panel(window, folder, qtbot):
    made = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    QApplication.processEvents()
    made.show_folder(folder)
    qtbot.waitUntil(lambda: made.model.rowCount() == 5, timeout=WAIT_MS)
    return made


def choose(panel, name):
    panel.sheet.setCurrentIndex(panel.sorted.index(column(panel, NAME).index(name), NAME))
    panel.sheet.setFocus()


def test_that_a_header_says_what_the_whole_file_says(gated):
    header, last = read_header(gated.path), gated.snapshots[-1]
    assert (header.network, header.data, header.method, header.status) == ("lenet300", "digits", "gated", "finished")
    assert header.parameters_kept == last.scalars["parameters_kept"]
    assert header.epoch == last.epoch
    assert header.created == gated.info.created
    assert header.compression == gated.info.parameters / last.scalars["parameters_kept"]


def test_that_files_that_are_no_runs_are_named_and_a_missing_folder_is_empty(folder, tmp_path):
    found = {header.path.name: header for header in read_headers(folder)}
    assert "no HDF5" in found["text.h5"].problem
    assert "cut.h5" in found["cut.h5"].problem
    dates = [header.created for header in found.values() if not header.problem]
    assert len(dates) == 3
    assert dates == sorted(dates, reverse=True)
    assert read_headers(tmp_path / "nowhere") == []


def test_that_the_list_shows_the_runs_sorts_and_filters_them(panel):
    assert sorted(column(panel, NAME)) == ["cut", "dense", "gated", "old", "text"]
    row = column(panel, NAME).index("old")
    cells = [panel.sorted.index(row, number).data() for number in (ERROR, KEPT, COMPRESSION, STATUS)]
    assert cells == ["8.75", "1,881", "5.1×", "finished"]
    panel.sheet.sortByColumn(COMPRESSION, Qt.SortOrder.DescendingOrder)
    shown = [float(text[:-1]) for text in column(panel, COMPRESSION) if text]
    assert shown == sorted(shown, reverse=True)  # by number, not by text
    assert len(shown) == 3
    panel.filter.setText("LENET300")
    assert sorted(column(panel, NAME)) == ["dense", "gated"]
    assert panel.count.texts[0].startswith("2 of 5 runs")
    assert len(panel.table()) == 3


def test_that_enter_opens_a_run(panel, window, qtbot):
    choose(panel, "old")
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.run is not None, timeout=WAIT_MS)
    assert window.run.path.name == "old.h5"


def test_that_a_run_is_renamed_and_its_note_goes_with_it(panel, folder, qtbot):
    row = column(panel, NAME).index("gated")
    panel.sorted.setData(panel.sorted.index(row, NOTE), "the #best so far")
    qtbot.waitUntil(lambda: "the #best so far" in column(panel, NOTE), timeout=WAIT_MS)
    row = column(panel, NAME).index("gated")
    panel.sorted.setData(panel.sorted.index(row, NAME), "winner")
    qtbot.waitUntil(lambda: "winner" in column(panel, NAME), timeout=WAIT_MS)
    assert (folder / "winner.h5").is_file()
    assert not (folder / "gated.h5").exists()
    assert kept(folder) == {"winner.h5": ("the #best so far", [])}
    panel.filter.setText("#best")
    assert column(panel, NAME) == ["winner"]


@pytest.mark.parametrize(("name", "told"), [("dense", "exists already"), ("a/b", "no name for a file")])
def test_that_a_bad_name_is_refused_and_nothing_is_lost(panel, folder, qtbot, name, told):
    row = column(panel, NAME).index("gated")
    with qtbot.waitSignal(panel.complained, timeout=WAIT_MS) as complained:
        panel.sorted.setData(panel.sorted.index(row, NAME), name)
    assert told in complained.args[0]
    assert {"gated.h5", "dense.h5"} <= {path.name for path in folder.iterdir()}


def test_that_delete_asks_and_moves_to_the_bin(panel, folder, qtbot, monkeypatch, tmp_path):
    (tmp_path / "share").mkdir()  # where the bin is made
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    choose(panel, "dense")
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Delete)
    assert (folder / "dense.h5").exists()
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "dense" not in column(panel, NAME), timeout=WAIT_MS)
    assert not (folder / "dense.h5").exists()
    assert list((tmp_path / "share").rglob("dense.h5"))  # in the bin


def test_that_a_run_that_is_written_is_neither_renamed_nor_thrown_away(panel, folder, qtbot):
    lock = WriterLock(folder / "gated.h5")
    choose(panel, "gated")
    with qtbot.waitSignal(panel.complained, timeout=WAIT_MS) as complained:
        qtbot.keyClick(panel.sheet, Qt.Key.Key_Delete)
    assert "gated.h5 is being trained by process" in complained.args[0]
    row = column(panel, NAME).index("gated")
    with qtbot.waitSignal(panel.complained, timeout=WAIT_MS):
        panel.sorted.setData(panel.sorted.index(row, NAME), "other")
    assert (folder / "gated.h5").is_file()
    lock.release()


def test_that_a_run_whose_writer_is_gone_is_told_as_interrupted(folder):
    with h5py.File(folder / "gated.h5", "r+") as file:
        file["status"][0] = b"training"
    assert read_header(folder / "gated.h5").status == "interrupted"
    lock = WriterLock(folder / "gated.h5")
    assert read_header(folder / "gated.h5").status == "training"
    lock.release()


def test_that_a_new_file_in_the_folder_appears(panel, folder, gated, qtbot):
    shutil.copy(gated.path, folder / "later.h5")
    qtbot.waitUntil(lambda: "later" in column(panel, NAME), timeout=WAIT_MS)


def test_that_a_list_out_of_sight_reads_nothing_until_it_is_seen(window, folder, qtbot):
    panel = window.ui.runs
    panel.show_folder(folder)
    QApplication.processEvents()
    assert not panel._inbox.is_waiting()
    assert panel.model.rowCount() == 0
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    qtbot.waitUntil(lambda: panel.model.rowCount() == 5, timeout=WAIT_MS)


def test_that_a_dragged_row_is_a_file_for_another_program(panel, folder):
    index = panel.sorted.index(column(panel, NAME).index("old"), NAME)
    urls = panel.sorted.mimeData([index]).urls()
    assert [url.toLocalFile() for url in urls] == [str(folder / "old.h5")]


@pytest.mark.slow
def test_that_500_runs_are_listed_in_under_a_second(tmp_path):
    """On an idle machine; one file under 500 names."""
    for number in range(500):
        (tmp_path / f"run-{number:03}.h5").hardlink_to(FORMATS / "format-2.h5")
    began = time.perf_counter()
    assert not any(header.problem for header in read_headers(tmp_path))
    took = time.perf_counter() - began
    print(f"\n500 heads in {took:.2f} s")
    assert took < 1
