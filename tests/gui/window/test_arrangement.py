"""How the window is arranged: at first, as it was left, and back again."""

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QScrollArea, QToolButton, QWidget

from sparseviz.config import paths
from sparseviz.gui.main_window import MainWindow

SIZES = ((1100, 700), (1600, 1000), (3840, 2160))


def new_window(qtbot, size=None):
    window = MainWindow()
    qtbot.addWidget(window)
    if size:
        window.resize(*size)
    window.show()
    QApplication.processEvents()
    return window


def dock(window, name):
    return next(dock for dock in window.ui.docks if dock.objectName() == name)


def file():
    return paths.settings_folder() / "window.ini"


def test_that_a_window_comes_back_as_it_was_left(qtbot):
    first = new_window(qtbot, (798, 740))  # the screen in memory is 800 pixels wide and high
    first.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock(first, "gates"))
    dock(first, "prior").close()
    first.ui.splitter.setSizes([500, 150])
    QApplication.processEvents()
    shares = first.ui.splitter.sizes()
    first.close()
    size = first.width(), first.height()
    again = new_window(qtbot)
    assert (again.width(), again.height()) == size
    assert size[1] == 740
    assert again.dockWidgetArea(dock(again, "gates")) == Qt.DockWidgetArea.LeftDockWidgetArea
    assert dock(again, "prior").isHidden()
    assert again.ui.splitter.sizes() == pytest.approx(shares, abs=3)


def test_that_reset_layout_puts_every_dock_back(qtbot):
    window = new_window(qtbot, (1300, 850))
    before = {each.objectName(): each.geometry() for each in window.ui.docks}
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock(window, "gates"))
    dock(window, "prior").close()
    dock(window, "layers").setFloating(True)
    QApplication.processEvents()
    window.menu.reset_layout.trigger()
    QApplication.processEvents()
    for each in window.ui.docks:
        was, now = before[each.objectName()], each.geometry()
        assert not each.isFloating()
        if was.y() < 0:
            assert now.y() < 0  # still behind another's tab, where its place means nothing
            continue
        assert [now.x(), now.y(), now.width(), now.height()] == pytest.approx(
            [was.x(), was.y(), was.width(), was.height()], abs=4
        )


DAMAGED = (b"", b"\x00\xff\x13 not an ini [[[", b"[window]\ngeometry=12\ndocks=hello\ncentre=@")


@pytest.mark.parametrize("content", DAMAGED)
def test_that_what_cannot_be_read_gives_the_default(qtbot, content):
    whole = {each.objectName(): each.geometry() for each in new_window(qtbot, (1300, 850)).ui.docks}
    file().parent.mkdir(parents=True, exist_ok=True)
    file().write_bytes(content)
    window = new_window(qtbot, (1300, 850))
    assert {each.objectName(): each.geometry() for each in window.ui.docks} == whole


def test_that_a_state_cut_short_or_of_another_version_gives_the_default(qtbot):
    first = new_window(qtbot, (1300, 850))
    whole = {each.objectName(): each.geometry() for each in first.ui.docks}
    settings = QSettings(str(file()), QSettings.Format.IniFormat)
    settings.setValue("window/docks", first.saveState(99))
    settings.setValue("window/geometry", first.saveGeometry().left(20))
    settings.sync()
    window = new_window(qtbot, (1300, 850))
    assert {each.objectName(): each.geometry() for each in window.ui.docks} == whole


def test_that_a_folder_that_cannot_be_written_does_not_hinder_closing(qtbot, tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("a file, not a folder")
    monkeypatch.setenv("SPARSEVIZ_SETTINGS", str(tmp_path / "taken" / "settings"))
    window = new_window(qtbot)
    assert window.close()
    assert window.messages.shown is None


@pytest.mark.parametrize("size", SIZES)
def test_that_nothing_is_cut_off_at_any_size(qtbot, gated, size):
    window = new_window(qtbot, size)
    window.open_run(gated.path)
    qtbot.waitUntil(lambda: not window.ui.weights.is_empty(), timeout=20_000)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    for view in (*window.ui.views.values(), window.ui.prior):
        place = view.mapTo(window, view.rect().topLeft())
        assert window.rect().contains(view.rect().translated(place))
        assert view.width() >= view.minimumSizeHint().width()
        assert view.height() >= view.minimumSizeHint().height()
    for widget in window.findChildren(QWidget):
        if (
            isinstance(widget, QLabel | QToolButton)
            and widget.isVisible()
            and not (in_scroll(widget) or behind(widget))
        ):
            inner = widget.visibleRegion().boundingRect()
            assert inner.size() == widget.size(), (widget, widget.accessibleName())


def behind(widget):
    """Whether its dock stands behind another's tab: Qt moves such a dock away, but does not call it hidden."""
    parent = widget.parentWidget()
    if isinstance(parent, QDockWidget):
        return parent.visibleRegion().isEmpty()
    return parent is not None and behind(parent)


def in_scroll(widget):
    """Whether it can be brought into sight by scrolling."""
    parent = widget.parentWidget()
    return parent is not None and (isinstance(parent, QScrollArea) or in_scroll(parent))


def test_that_f11_fills_the_screen_and_gives_it_back(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not window.isFullScreen()
