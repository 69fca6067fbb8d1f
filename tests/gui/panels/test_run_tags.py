"""Tags and notes of the run list: kept beside the runs, found by the filter, and bound to the run they were given."""

import json
import shutil

import h5py
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from sparseviz.gui.panels.run_list.annotations import (
    Annotation,
    AnnotationError,
    annotate,
    annotation_of,
    carry_over,
    read_annotations,
    tags_of,
)
from sparseviz.gui.panels.run_list.model import NAME, NOTE, RUN_ROLE, TAGS
from sparseviz.store.header import RunHeader
from tests.helpers.gui.run_list import WAIT_MS, column, edit, kept


@pytest.fixture
def folder(tmp_path, gated):
    made = tmp_path / "list"
    made.mkdir()
    for name in ("one", "two"):
        shutil.copy(gated.path, made / f"{name}.h5")
    return made


@pytest.fixture
def panel(window, folder, qtbot):
    made = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    made.show_folder(folder)
    qtbot.waitUntil(lambda: made.model.rowCount() == 2, timeout=WAIT_MS)
    return made


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("best paper", ("best", "paper")),
        ("#best, #paper", ("best", "paper")),
        ("  ## , ", ()),
        ("Best best BEST", ("BEST",)),
        ("λ₂ größer", ("λ₂", "größer")),
    ],
)
def test_that_tags_are_words_apart_by_blanks_or_commas_each_once(text, tags):
    assert tags_of(text) == tags


def test_that_notes_of_the_first_kind_are_read_and_kept(tmp_path):
    (tmp_path / "notes.json").write_text(json.dumps({"a.h5": "as it was", "b.h5": "another"}), encoding="utf-8")
    run = RunHeader(tmp_path / "a.h5", created="2026-01-01T00:00:00")
    assert annotation_of(run, read_annotations(tmp_path)) == Annotation("as it was")
    annotate(tmp_path, "b.h5", Annotation("another", ("best",)))
    assert kept(tmp_path) == {"a.h5": ("as it was", []), "b.h5": ("another", ["best"])}
    annotate(tmp_path, "a.h5", Annotation())
    assert list(kept(tmp_path)) == ["b.h5"]


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"a.h5": 3}', '{"a.h5": {"tags": 4}}', "\0"])
def test_that_a_damaged_file_of_notes_is_told_and_never_overwritten(tmp_path, text):
    (tmp_path / "notes.json").write_text(text, encoding="utf-8")
    assert read_annotations(tmp_path) == {}
    for change in (
        lambda: annotate(tmp_path, "a.h5", Annotation("new")),
        lambda: carry_over(tmp_path, "a.h5", "b.h5"),
    ):
        with pytest.raises(AnnotationError, match=r"notes\.json is damaged"):
            change()
    assert (tmp_path / "notes.json").read_text(encoding="utf-8") == text


def test_that_a_later_run_of_the_same_name_does_not_inherit_what_was_written(tmp_path):
    annotate(tmp_path, "a.h5", Annotation("mine", ("best",), "2026-01-01T00:00:00"))
    found = read_annotations(tmp_path)
    assert annotation_of(RunHeader(tmp_path / "a.h5", created="2026-01-01T00:00:00"), found).note == "mine"
    assert annotation_of(RunHeader(tmp_path / "a.h5", created="2026-02-02T00:00:00"), found) == Annotation()


def test_that_tags_are_edited_in_their_cell_by_keys_alone(panel, folder, qtbot):
    sheet = panel.sheet
    sheet.setCurrentIndex(panel.sorted.index(column(panel, NAME).index("one"), NAME))
    sheet.setFocus()
    while sheet.currentIndex().column() != TAGS:
        qtbot.keyClick(sheet, Qt.Key.Key_Right)
    qtbot.keyClick(sheet, Qt.Key.Key_F2)
    editor = sheet.findChild(QLineEdit)
    qtbot.keyClicks(editor, "best #paper")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "#best #paper" in column(panel, TAGS), timeout=WAIT_MS)
    assert kept(folder) == {"one.h5": ("", ["best", "paper"])}
    for sought, found in (("#paper", ["one"]), ("BEST", ["one"]), ("#best lenet300", ["one"]), ("#best lenet5", [])):
        panel.filter.setText(sought)
        assert column(panel, NAME) == found


def test_that_the_context_menu_edits_the_cells_of_the_chosen_run(panel, folder, qtbot):
    acts = {action.text().replace("&", ""): action for action in panel.actions()}
    assert not any(acts[name].isEnabled() for name in ("Open", "Rename", "Edit Tags", "Edit Note", "Move to Bin…"))
    panel.sheet.setCurrentIndex(panel.sorted.index(column(panel, NAME).index("two"), NAME))
    for name, number, text in (("Edit Tags", TAGS, "slow"), ("Edit Note", NOTE, "too slow")):
        acts[name].trigger()
        editor = panel.sheet.findChild(QLineEdit)
        qtbot.keyClicks(editor, text)
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda number=number, text=text: any(text in cell for cell in column(panel, number)))
        QApplication.processEvents()
    assert kept(folder) == {"two.h5": ("too slow", ["slow"])}
    acts["Rename"].trigger()
    assert panel.sheet.is_editing()
    assert panel.sheet.currentIndex().column() == NAME


def test_that_tags_go_with_a_rename_and_come_back_from_the_bin(panel, folder, qtbot):
    edit(panel, "one", TAGS, "best")
    edit(panel, "one", NAME, "winner")
    qtbot.waitUntil(lambda: "winner" in column(panel, NAME), timeout=WAIT_MS)
    assert column(panel, TAGS)[column(panel, NAME).index("winner")] == "#best"
    (folder / "winner.h5").rename(folder.parent / "winner.h5")  # as the bin does
    qtbot.waitUntil(lambda: column(panel, NAME) == ["two"], timeout=WAIT_MS)
    edit(panel, "two", TAGS, "other")  # which leaves what is in the bin alone
    (folder.parent / "winner.h5").rename(folder / "winner.h5")
    qtbot.waitUntil(lambda: len(column(panel, NAME)) == 2, timeout=WAIT_MS)
    assert dict(zip(column(panel, NAME), column(panel, TAGS), strict=True)) == {"winner": "#best", "two": "#other"}


def test_that_a_rename_that_fails_leaves_the_tags_where_they_are(panel, folder, qtbot, monkeypatch):
    edit(panel, "one", TAGS, "best")
    (folder / "one.h5").unlink()  # by another program; the list does not know yet
    with qtbot.waitSignal(panel.complained, timeout=WAIT_MS) as complained:
        edit(panel, "one", NAME, "winner")
    assert "cannot be changed" in complained.args[0]
    assert list(kept(folder)) == ["one.h5"]


def test_that_a_reading_of_the_folder_keeps_the_choice_and_waits_for_an_edit(panel, folder, gated, qtbot):
    sheet = panel.sheet
    cell = panel.sorted.index(column(panel, NAME).index("one"), TAGS)
    flags = QItemSelectionModel.SelectionFlag
    sheet.selectionModel().setCurrentIndex(cell, flags.ClearAndSelect | flags.Rows)
    sheet.edit(cell)
    editor = sheet.findChild(QLineEdit)
    qtbot.keyClicks(editor, "half")
    shutil.copy(gated.path, folder / "three.h5")
    for _ in range(2):  # the folder has settled, and is not read; and once more
        qtbot.waitSignal(panel._settle.timeout, timeout=WAIT_MS).wait()
    assert sheet.is_editing()
    qtbot.keyClicks(editor, "way")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "three" in column(panel, NAME), timeout=WAIT_MS)
    assert column(panel, TAGS)[column(panel, NAME).index("one")] == "#halfway"
    assert [run.path.stem for run in sheet.chosen()] == ["one"]
    assert sheet.currentIndex().data(RUN_ROLE).path.stem == "one"
    assert sheet.currentIndex().column() == TAGS


def test_that_chips_are_drawn_and_cut_where_the_column_is_narrow(panel, qtbot):
    edit(panel, "one", TAGS, "best paper")
    sheet, cell = panel.sheet, panel.sorted.index(column(panel, NAME).index("one"), TAGS)
    sheet.resizeColumnToContents(TAGS)
    wide = sheet.columnWidth(TAGS)
    sheet.scrollTo(cell)
    QApplication.processEvents()

    def chips():
        area = sheet.visualRect(panel.sorted.index(cell.row(), TAGS))
        return sheet.viewport().grab(area).toImage()

    ground = panel.theme.grid.rgb()
    full = count(chips(), ground)
    assert full > 100
    sheet.setColumnWidth(TAGS, wide // 2)
    QApplication.processEvents()
    assert 0 < count(chips(), ground) < full


def count(picture, colour):
    return sum(picture.pixel(x, y) == colour for x in range(picture.width()) for y in range(picture.height()))


def test_that_a_file_is_not_touched_by_its_tags(panel, folder):
    before = (folder / "one.h5").read_bytes()
    edit(panel, "one", TAGS, "best")
    assert (folder / "one.h5").read_bytes() == before
    with h5py.File(folder / "one.h5", locking=False) as file:  # as the panel, which may still read it
        assert "tags" not in file.attrs
