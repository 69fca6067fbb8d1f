"""Open Recent, and files that are dropped on the window."""

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QGraphicsView, QWidget

from sparseviz.config import RunConfig
from sparseviz.gui.main_window import MainWindow
from tests.helpers.gui.mouse import drop

WAIT_MS = 20_000


@pytest.fixture
def runs(tmp_path, gated):
    """A dozen runs, one of them with a name that a menu could misread."""
    made = [tmp_path / f"run-{number}.h5" for number in range(11)] + [tmp_path / "this & that.h5"]
    for path in made:
        path.hardlink_to(gated.path)
    return made


def names(menu):
    """What is offered, without the folders."""
    menu.aboutToShow.emit()
    return [action.text().partition(" — ")[0] for action in menu.actions() if not action.isSeparator()]


def test_that_the_menu_says_what_will_be_in_it_while_it_is_empty(window):
    menu = window.ui.recent
    assert names(menu) == ["Runs that are opened will be here"]
    assert not menu.actions()[0].isEnabled()


def test_that_the_ten_runs_opened_last_are_offered_under_their_numbers(window, runs):
    for path in (*runs, runs[3]):
        window.open_run(path)
    offered = names(window.ui.recent)
    assert offered[:3] == ["&1  run-3.h5", "&2  this && that.h5", "&3  run-10.h5"]
    assert offered[9:] == ["1&0  run-2.h5", "&Clear This List"]
    assert window.ui.recent.paths == [runs[3], runs[11], *runs[10:3:-1], runs[2]]
    told = QAccessible.queryAccessibleInterface(window.ui.recent)
    assert window.ui.recent.actions()[0].text().endswith(f" — {runs[3].parent.name}")
    assert "run-3.h5" in told.child(0).text(QAccessible.Text.Name)
    assert window.ui.recent.actions()[0].toolTip() == str(runs[3])


def test_that_a_number_opens_its_run(window, runs, qtbot):
    for path in runs[:3]:
        window.open_run(path)
    menu = window.ui.recent
    menu.popup(QPoint(0, 0))
    qtbot.keyClick(menu, Qt.Key.Key_3)
    assert window.run.path == runs[0]
    assert names(menu)[0] == "&1  run-0.h5"


def test_that_the_list_outlives_the_window_and_is_shared_with_others(window, runs, qtbot):
    window.open_run(runs[0])
    other = MainWindow()
    qtbot.addWidget(other)
    other.open_run(runs[1])
    assert names(window.ui.recent)[:2] == ["&1  run-1.h5", "&2  run-0.h5"]
    other.close()
    window.close()
    later = MainWindow()
    qtbot.addWidget(later)
    assert names(later.ui.recent)[:2] == ["&1  run-1.h5", "&2  run-0.h5"]
    names(later.ui.recent)
    later.ui.recent.actions()[-1].trigger()
    assert names(later.ui.recent) == ["Runs that are opened will be here"]
    later.close()


def test_that_a_run_that_is_gone_is_told_and_taken_off(window, runs):
    for path in runs[:2]:
        window.open_run(path)
    runs[0].unlink()
    names(window.ui.recent)
    window.ui.recent.actions()[1].trigger()
    assert f"{runs[0]} is not there any more" in window.messages.shown.text()
    assert window.run.path == runs[1]
    assert names(window.ui.recent)[0] == "&1  run-1.h5"
    assert len(window.ui.recent.paths) == 1
    window.messages.shown.close()


def test_that_what_cannot_be_opened_is_not_remembered(window, tmp_path):
    (tmp_path / "text.h5").write_text("no run")
    window.open_run(tmp_path / "text.h5")
    assert window.ui.recent.paths == []
    window.messages.shown.close()


def test_that_a_run_that_is_dropped_on_any_view_or_the_list_is_opened(opened, runs):
    layout = opened.ui
    for target, path in zip((*layout.views.values(), layout.runs.sheet.viewport()), runs, strict=False):
        assert drop(target, [path])
        assert opened.run.path == path
    takers = [widget for widget in opened.findChildren(QWidget) if widget.acceptDrops()]
    assert not [widget for widget in takers if isinstance(widget, QGraphicsView)]
    assert not [widget for widget in takers if isinstance(widget.parentWidget(), QGraphicsView)]


def test_that_of_several_files_the_first_is_opened_and_that_is_said(window, runs):
    assert drop(window, runs[:3])
    assert window.run.path == runs[0]
    assert "run-0.h5 was opened, the first of 3" in window.ui.status.currentMessage()


def test_that_a_folder_that_is_dropped_is_listed(window, runs, tmp_path, qtbot):
    assert drop(window, [tmp_path])
    qtbot.waitUntil(lambda: len(window.ui.runs.model.rows) == 12, timeout=WAIT_MS)
    assert window.ui.runs.isVisible()


def test_that_a_configuration_that_is_dropped_is_opened_unless_a_run_trains(window, tmp_path):
    (tmp_path / "mine.toml").write_text(RunConfig().changed({"seed": 77}).as_toml(), encoding="utf-8")
    assert drop(window, [tmp_path / "mine.toml"])
    assert window.ui.steering.config.seed == 77
    window.load_preset("lenet5-digits")
    window.menu.open_config.setEnabled(False)  # as while a run trains
    assert drop(window, [tmp_path / "mine.toml"])
    assert window.ui.steering.config.seed != 77
    assert "A run is training" in window.messages.shown.text()
    window.messages.shown.close()


def test_that_what_is_no_file_here_is_not_taken(window):
    assert not drop(window, [QUrl("https://example.org/run.h5")])
    assert not drop(window, [])
    assert window.run is None
