"""Files that a person asks for: views as PNG, SVG and CSV, and configurations."""

import csv
import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from sparseviz.config import RunConfig
from sparseviz.gui.dialogs.view_file import ViewFileError, save_view
from sparseviz.gui.qt.focus_guide import FocusFrame

VIEWS = ("weights", "curves", "gates", "layers", "prior")
SVG = "{http://www.w3.org/2000/svg}"


def pane(window, name):
    return window.ui.prior if name == "prior" else window.ui.views[name]


def answer(monkeypatch, path, form=""):
    """Let the next file dialog be answered so; a modal question would wait for a person."""
    asked = []

    def reply(*question):
        asked.append(question)
        return str(path), form

    for name in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, name, reply)
    return asked


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_view_is_saved_as_a_picture_of_the_size_asked_for(opened, tmp_path, name):
    view = pane(opened, name)
    save_view(view, tmp_path / "view.png", 2)
    picture = QImage(str(tmp_path / "view.png"))
    assert picture.size() == 2 * view.size()
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 5) for y in range(0, picture.height(), 5)}
    assert len(colours) > 5
    assert [path.name for path in tmp_path.glob("*view*")] == ["view.png"]


@pytest.mark.parametrize("name", VIEWS)
def test_that_an_svg_has_lines_and_its_text_as_text(opened, tmp_path, name):
    view = pane(opened, name)
    save_view(view, tmp_path / "view.svg")
    root = ET.parse(tmp_path / "view.svg").getroot()  # written a line above
    assert root.findtext(f"{SVG}title") == view.title()
    words = {"".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")}
    expected = {"weights": "output unit", "curves": "epoch", "gates": "0.5", "layers": "Kept", "prior": "gate g"}
    assert any(expected[name] in word for word in words)
    if name in ("curves", "prior"):
        assert len(list(root.iter(f"{SVG}polyline"))) + len(list(root.iter(f"{SVG}path"))) > 10
        assert all(int(image.get("height", "999")) < 40 for image in root.iter(f"{SVG}image"))  # buttons at most


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_csv_has_the_values_of_the_view_with_all_their_digits(opened, tmp_path, name):
    view = pane(opened, name)
    save_view(view, tmp_path / "view.csv")
    with (tmp_path / "view.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    table = [list(row) for row in view.table()]
    assert len(rows) == len(table) > 1
    for row, values in zip(rows, table, strict=True):
        told = [type(value)(text) if text else None for text, value in zip(row, values, strict=True)]
        assert told == [None if value != value or value == "" else value for value in values]  # noqa: PLR0124  # NaN


def test_that_the_frame_of_the_focus_is_not_in_the_picture(opened, tmp_path):
    view = pane(opened, "curves")
    save_view(view, tmp_path / "before.png")
    view.setFocus()
    QApplication.processEvents()
    frame = view.findChild(FocusFrame)
    assert frame is not None
    assert frame.isVisible()
    save_view(view, tmp_path / "after.png")
    assert frame.isVisible()
    assert QImage(str(tmp_path / "before.png")) == QImage(str(tmp_path / "after.png"))


def test_that_ctrl_s_saves_the_view_with_the_focus_under_a_name_of_run_and_view(opened, qtbot, monkeypatch, tmp_path):
    asked = answer(monkeypatch, tmp_path / "mine.csv")
    pane(opened, "gates").setFocus()
    qtbot.keyClick(opened.focusWidget(), Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert Path(asked[0][2]).name == f"{opened.run.path.stem}-gates"
    assert (tmp_path / "mine.csv").read_text(encoding="utf-8").startswith("layer,quantity,")


def test_that_without_a_view_in_focus_it_says_how_to_choose_one(opened, qtbot):
    opened.ui.steering.fields["seed"].line.setFocus()
    opened.menu.save_view.trigger()
    assert "Alt and its number" in opened.ui.status.currentMessage()


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_views_title_bar_and_its_context_menu_save_it_too(opened, qtbot, monkeypatch, tmp_path, name):
    view = pane(opened, name)
    asked = answer(monkeypatch, "")
    bar = next(bar for bar in opened.ui.bars if bar.body is view)
    qtbot.mouseClick(bar.save, Qt.MouseButton.LeftButton)
    assert view.title() in asked[0][1]
    place = view.rect().center()
    deepest = view.childAt(place) or view
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, deepest.mapFrom(view, place), view.mapToGlobal(place))
    chosen = []

    def choose():
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        chosen.append(next(action for action in menu.actions() if action.text() == "&Save View…"))
        chosen[0].trigger()
        menu.close()

    QTimer.singleShot(100, choose)
    QApplication.sendEvent(deepest, event)  # some menus hold on until they are closed
    qtbot.waitUntil(lambda: len(chosen) == 1)
    assert len(asked) == 2


@pytest.mark.parametrize(("typed", "saved"), [("a.svg", "a.svg"), ("a", "a.csv")])
def test_that_the_name_says_the_form_and_the_chosen_form_ends_a_name_without(
    opened, monkeypatch, tmp_path, typed, saved
):
    answer(monkeypatch, tmp_path / typed, "CSV, the values (*.csv)")
    opened.files.choose_view(pane(opened, "layers"))
    assert b"svg" in (tmp_path / saved).read_bytes() or saved.endswith("csv")
    assert [path.name for path in tmp_path.glob("a.*")] == [saved]


def test_that_a_file_is_not_overwritten_under_a_name_that_was_not_typed(opened, monkeypatch, tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    answer(monkeypatch, tmp_path / "a", "CSV, the values (*.csv)")
    opened.files.choose_view(pane(opened, "layers"))
    assert "exists already" in opened.messages.shown.text()
    assert (tmp_path / "a.csv").read_text() == "mine"


def test_that_a_wrong_ending_and_an_empty_view_are_told(window, opened, tmp_path):
    with pytest.raises(ViewFileError, match=r"\.png or \.svg or \.csv"):
        save_view(pane(opened, "layers"), tmp_path / "view.jpg")
    opened.ui.clear()
    with pytest.raises(ViewFileError, match="still empty: train"):
        save_view(pane(opened, "layers"), tmp_path / "view.csv")
    assert not list(tmp_path.glob("view*"))


@pytest.mark.parametrize("name", ["view.png", "view.svg", "view.csv"])
def test_that_a_folder_that_is_not_there_or_read_only_is_told_and_nothing_is_left(opened, monkeypatch, tmp_path, name):
    answer(monkeypatch, tmp_path / "nowhere" / name)
    opened.files.choose_view(pane(opened, "layers"))
    assert "nowhere" in opened.messages.shown.text()
    assert "cannot be written" in opened.messages.shown.text()
    if sys.platform != "win32" and os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(ViewFileError, match="Permission denied"):
            save_view(pane(opened, "layers"), tmp_path / "closed" / name)
        assert not list((tmp_path / "closed").iterdir())


def test_that_a_configuration_is_saved_and_opened_again_and_undo_takes_it_back(window, monkeypatch, tmp_path):
    panel = window.ui.steering
    mine = RunConfig().changed({"seed": 11, "gate.start_by_layer": {"fc*": 0.6}, "penalty.lambda2": 1 / 3})
    panel.set_config(mine)
    answer(monkeypatch, tmp_path / "mine")
    window.menu.save_config.trigger()
    assert RunConfig.load(tmp_path / "mine.toml") == mine
    panel.set_config(RunConfig())
    answer(monkeypatch, tmp_path / "mine.toml")
    window.menu.open_config.trigger()
    assert panel.config == mine
    assert window.menu.undo.text() == "&Undo open mine.toml"
    window.menu.undo.trigger()
    assert panel.config == RunConfig()


def test_that_a_file_that_is_no_configuration_is_told_and_the_panel_stays(window, monkeypatch, tmp_path):
    before = window.ui.steering.config
    (tmp_path / "bad.toml").write_text("penalty.lambda9 = 1")
    answer(monkeypatch, tmp_path / "bad.toml")
    window.menu.open_config.trigger()
    assert "penalty.lambda9: no such setting" in window.messages.shown.text()
    assert window.ui.steering.config == before
