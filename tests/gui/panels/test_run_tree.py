"""The run list as a tree: branches below the runs from which they come, whatever a folder holds."""

import json
import shutil
from pathlib import Path

import h5py
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from sparseviz.gui.panels.run_list.family import parents_of
from sparseviz.gui.panels.run_list.model import ERROR, NAME, NETWORK, PARENT, RUN_ROLE
from sparseviz.store.files.hdf5 import seal
from sparseviz.store.format import Parent
from sparseviz.store.header import RunHeader, read_header
from tests.helpers.gui.run_list import WAIT_MS


def run(name, id_="", parent=""):
    """A head; a parent is written as id:name."""
    of, _, called = parent.partition(":")
    return RunHeader(Path(f"{name}.h5"), id=id_, parent=Parent(of, called, 5) if parent else None)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "list"
    made.mkdir()
    return made


@pytest.fixture
def make(folder, gated):
    """Make a run file: a copy, with another id and parent."""

    def make(name, id_, parent=None, error=None):
        shutil.copy(gated.path, folder / f"{name}.h5")
        with h5py.File(folder / f"{name}.h5", "r+") as file:
            file.attrs["id"] = id_
            file.attrs["parent"] = json.dumps(parent and {"id": parent[0], "name": parent[1], "step": parent[2]})
            seal(file)
            if error is not None:
                file["errors"][0] = (error, error, error)
        return folder / f"{name}.h5"

    return make


@pytest.fixture
def family(make, folder):
    """Two runs, two branches of the first, a branch of a branch, and one whose parent is elsewhere."""
    make("root", "a", error=3)
    make("alone", "b", error=1)
    make("near", "c", ("a", "root", 4), error=2)
    make("far", "d", ("a", "root", 8), error=9)
    make("deep", "e", ("c", "near", 6), error=7)
    make("stray", "f", ("z", "gone", 2), error=5)
    return folder


@pytest.fixture
def panel(window, family, qtbot):
    made = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    made.show_folder(family)
    qtbot.waitUntil(lambda: len(made.model.rows) == 6, timeout=WAIT_MS)
    return made


def tree(panel):
    """The names as they stand, a dot for each level above."""

    def depth(index):
        return 0 if not index.parent().isValid() else 1 + depth(index.parent())

    return ["." * depth(index) + index.data() for index in panel.sheet.rows()]


def cell(panel, name, column):
    return next(index for index in panel.sheet.rows() if index.data() == name).siblingAtColumn(column)


@pytest.mark.parametrize(
    ("runs", "parents"),
    [
        ([run("a", "1"), run("b", "2", "1:a")], [-1, 0]),
        ([run("b", "2", "1:a"), run("a", "1")], [1, -1]),
        ([run("a", "1"), run("b", "2", "9:away")], [-1, -1]),
        ([run("old"), run("b", "2", ":old")], [-1, -1]),  # a file before format 4 has no id
        ([run("a-1", "1"), run("a-2", "1"), run("b", "2", "1:a-2")], [-1, -1, 1]),  # a resume: one run, two files
        ([run("x", "1"), run("y", "1"), run("b", "2", "1:a-2")], [-1, -1, 0]),  # both renamed
        ([run("a", "1", "1:a")], [-1]),
        ([run("a", "1", "1:a"), run("copy", "1", "1:a")], [-1, -1]),
        ([run("a", "1", "2:b"), run("b", "2", "1:a")], [-1, 0]),
        ([run("a", "1", "3:c"), run("b", "2", "1:a"), run("c", "3", "2:b"), run("d", "4", "3:c")], [-1, 0, 1, 2]),
    ],
)
def test_that_parents_are_found_by_id_and_no_run_is_its_own_forebear(runs, parents):
    assert parents_of(runs) == parents


def test_that_branches_stand_below_their_runs_with_name_and_step(panel):
    assert sorted(line for line in tree(panel) if "." not in line) == ["alone", "root", "stray"]
    lines = tree(panel)
    assert lines[lines.index(".near") + 1] == "..deep"
    told = {name: cell(panel, name, PARENT).data() for name in ("root", "near", "deep", "stray")}
    assert told == {"root": "", "near": "root, step 4", "deep": "near, step 6", "stray": "gone, step 2"}
    assert panel.sheet.rootIsDecorated()


def test_that_a_renamed_parent_is_told_by_its_name_now(panel, family, qtbot):
    panel.sorted.setData(cell(panel, "root", NAME), "stem")
    qtbot.waitUntil(lambda: "stem" in tree(panel), timeout=WAIT_MS)
    assert cell(panel, "near", PARENT).data() == "stem, step 4"
    assert ".near" in tree(panel)


def test_that_runs_are_sorted_beside_their_likes_and_all_together_without_the_tree(panel, qtbot):
    panel.sheet.sortByColumn(ERROR, Qt.SortOrder.AscendingOrder)
    assert tree(panel) == ["alone", "root", ".near", "..deep", ".far", "stray"]
    panel.sheet.setCurrentIndex(cell(panel, "deep", NAME))
    qtbot.keyClick(panel.nested, Qt.Key.Key_Space)
    assert tree(panel) == ["alone", "near", "root", "stray", "deep", "far"]
    assert [chosen.path.stem for chosen in panel.sheet.chosen()] == ["deep"]
    assert not panel.sheet.rootIsDecorated()
    qtbot.keyClick(panel.nested, Qt.Key.Key_Space)
    assert tree(panel)[1:4] == ["root", ".near", "..deep"]


def test_that_the_filter_shows_what_is_above_a_match_even_when_it_was_folded(panel):
    panel.sheet.collapse(cell(panel, "root", NAME))
    panel.filter.setText("deep")
    assert tree(panel) == ["root", ".near", "..deep"]
    assert panel.sheet.visualRect(cell(panel, "deep", NAME)).height() > 0
    assert panel.count.texts[0].startswith("3 of 6 runs")
    panel.filter.clear()
    assert not panel.sheet.isExpanded(cell(panel, "root", NAME))
    panel.filter.setText("nothing like it")
    assert tree(panel) == []


def test_that_what_was_folded_stays_so_when_the_folder_is_read_again(panel, make, qtbot):
    panel.sheet.collapse(cell(panel, "near", NAME))
    make("later", "g", ("c", "near", 6))
    qtbot.waitUntil(lambda: "..later" in tree(panel), timeout=WAIT_MS)
    assert not panel.sheet.isExpanded(cell(panel, "near", NAME))
    assert panel.sheet.isExpanded(cell(panel, "root", NAME))


def test_that_keys_fold_unfold_go_from_cell_to_cell_and_open_a_branch(panel, window, qtbot):
    sheet = panel.sheet
    sheet.setCurrentIndex(cell(panel, "near", NAME))
    sheet.setFocus()
    qtbot.keyClick(sheet, Qt.Key.Key_Left)
    assert not sheet.isExpanded(cell(panel, "near", NAME))
    qtbot.keyClick(sheet, Qt.Key.Key_Right)
    assert sheet.isExpanded(cell(panel, "near", NAME))
    qtbot.keyClick(sheet, Qt.Key.Key_Right)
    assert sheet.currentIndex().column() == NAME + 1
    sheet.setColumnHidden(NAME + 2, True)
    qtbot.keyClick(sheet, Qt.Key.Key_Right)
    assert sheet.currentIndex().column() == NAME + 3
    for _ in range(40):  # to the last column, and no further
        qtbot.keyClick(sheet, Qt.Key.Key_Right)
    assert sheet.currentIndex().column() == panel.model.columnCount() - 1
    for _ in range(40):  # to the first, then up to the run above
        qtbot.keyClick(sheet, Qt.Key.Key_Left)
    assert sheet.currentIndex().data() == "root"
    qtbot.keyClick(sheet, Qt.Key.Key_Right)
    qtbot.keyClick(sheet, Qt.Key.Key_Down)
    name = sheet.currentIndex().siblingAtColumn(NAME).data()
    assert name in ("near", "far")
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.run is not None, timeout=WAIT_MS)
    assert window.run.path.stem == name


def test_that_damaged_ancestry_is_shown_flat_and_hangs_nothing(panel, make, qtbot):
    make("root", "a", ("e", "deep", 1))  # root -> near -> deep -> root
    assert read_header(make("broken", "h", ("x", "y", "no number"))).problem
    qtbot.waitUntil(lambda: len(panel.model.rows) == 7, timeout=WAIT_MS)
    assert sorted(line.strip(".") for line in tree(panel)) == [
        "alone", "broken", "deep", "far", "near", "root", "stray"
    ]  # fmt: skip


def test_that_a_list_without_branches_has_no_room_for_folding(window, make, folder, qtbot):
    make("one", "a")
    make("copy", "a")
    panel = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    panel.show_folder(folder)
    qtbot.waitUntil(lambda: len(panel.model.rows) == 2, timeout=WAIT_MS)
    assert not panel.sheet.rootIsDecorated()
    assert sorted(tree(panel)) == ["copy", "one"]


def test_that_the_model_holds_what_qt_asks_of_a_tree(panel):
    """Qt's own tester complains by a warning, which fails the test."""
    tester = QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    panel.model.set_nested(False)
    panel.model.set_nested(True)
    panel.filter.setText("e")
    for index in panel.sheet.rows():
        source = panel.sorted.mapToSource(index)
        assert panel.model.run(source) is index.data(RUN_ROLE)
        assert panel.model.parent(source.siblingAtColumn(NETWORK)) == panel.model.parent(source)
    assert not panel.model.parent(QModelIndex()).isValid()
    QApplication.processEvents()
    del tester


def test_that_the_values_are_those_of_all_runs_in_their_order(panel):
    panel.sheet.sortByColumn(ERROR, Qt.SortOrder.AscendingOrder)
    titles, *rows = panel.table()
    assert [row[0] for row in rows] == ["alone", "root", "near", "deep", "far", "stray"]
    assert [row[titles.index("Validation error %")] for row in rows] == [1, 3, 2, 7, 9, 5]
    assert rows[3][titles.index("Branched from")] == "near, step 6"
    assert "Gates over time" not in titles
