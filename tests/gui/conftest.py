"""Windows of the tests are drawn in memory; set before Qt loads."""

import os
from pathlib import Path

import pytest

FONTS = Path("/usr/share/fonts/truetype/dejavu")  # the offscreen platform finds none by itself

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if FONTS.is_dir():
    os.environ.setdefault("QT_QPA_FONTDIR", str(FONTS))


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    """No test reads or writes how the person left the window."""
    monkeypatch.setenv("SPARSEVIZ_SETTINGS", str(tmp_path / "settings"))


@pytest.fixture(scope="package", autouse=True)
def collector(qapp):
    """As in the program: no window of an earlier test dies in the thread of a later one."""
    from sparseviz.gui.qt.garbage import GarbageCollector

    collector = GarbageCollector()
    yield
    collector.stop()


@pytest.fixture(autouse=True)
def same_colours(qapp):
    """Every test begins with the same palette, whatever the one before tried."""
    before = qapp.palette()
    yield
    if qapp.palette() != before:
        qapp.setPalette(before)


@pytest.fixture(scope="session")
def run():
    """A finished run on LeNet-5."""
    from tests.helpers import histories

    return histories.lenet5()


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch):
    """The window, without a run."""
    from sparseviz.gui.main_window import MainWindow

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    window = MainWindow()
    qtbot.addWidget(window)
    window.resize(1300, 850)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    return window


@pytest.fixture
def opened(window, gated, qtbot):
    """The window, with a stored run that it has drawn."""
    window.open_run(gated.path)
    qtbot.waitUntil(lambda: not any(view.is_empty() for view in window.ui.views.values()), timeout=20_000)
    return window


@pytest.fixture
def shown(qtbot):
    """Make a view of a class, laid out and on the (invisible) screen."""
    from PySide6.QtWidgets import QApplication

    def make(view_class, size=(800, 560)):
        view = view_class()
        qtbot.addWidget(view)
        view.resize(*size)
        view.show()
        QApplication.processEvents()
        return view

    return make


@pytest.fixture
def comparing(qtbot):
    """The window of many runs, empty."""
    from sparseviz.gui.compare.window import CompareWindow

    made = CompareWindow()
    qtbot.addWidget(made)
    made.resize(1300, 850)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    return made


@pytest.fixture
def compared(comparing, qtbot, gated, magnitude, dense, conv):  # noqa: PLR0917  # fixtures
    """The same with three methods on LeNet-300, and LeNet-5."""
    from tests.helpers.gui.compare_steps import add

    add(comparing, qtbot, gated.path, magnitude.path, dense.path, conv.path)
    return comparing
