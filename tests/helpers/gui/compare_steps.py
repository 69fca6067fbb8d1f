"""What a person does in the window of many runs, in steps that several tests take."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

WAIT_MS = 20_000
CURVES, ERRORS, LAYERS, DISTRIBUTIONS, MASKS, RUNS = range(6)


def add(window, qtbot, *paths):
    before = window.list.sheet.count()
    window.add(paths)
    qtbot.waitUntil(lambda: window.list.sheet.count() == before + len(paths), timeout=WAIT_MS)


def go(window, number):
    window.go_to(number)
    QApplication.processEvents()
    return window.views[number]


def answered(window, qtbot):
    view = go(window, MASKS)
    qtbot.waitUntil(lambda: view.answer is not None and view.answer.question is view.question, timeout=WAIT_MS)
    return view


def hide(window, number):
    window.list.sheet.item(number - 1).setCheckState(Qt.CheckState.Unchecked)
