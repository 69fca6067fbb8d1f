"""Widgets die in Qt's thread, whichever thread leaves the garbage."""

import gc
import threading
import weakref

from PySide6.QtWidgets import QDialog, QLabel

from sparseviz.gui.qt.garbage import GarbageCollector


class Cycle(QDialog):
    """A dialog that nothing but itself holds."""

    def __init__(self, died_in):
        super().__init__()
        self.itself = self
        QLabel("inside", self)
        weakref.finalize(self, lambda: died_in.append(threading.current_thread()))


def allocate(kept):
    """Enough for Python to collect many times, were it allowed to."""
    kept += [[kept] for _ in range(50_000)]


def test_that_a_forgotten_dialog_dies_in_qt_s_thread_though_another_makes_the_garbage(qtbot):
    died_in: list[threading.Thread] = []
    Cycle(died_in)
    kept: list[object] = []
    other = threading.Thread(target=allocate, args=(kept,))
    other.start()
    other.join()
    assert died_in == []
    qtbot.waitUntil(lambda: len(died_in) == 1, timeout=20_000)
    assert died_in == [threading.main_thread()]


def test_that_python_collects_by_itself_again_when_it_has_stopped(qapp):
    assert not gc.isenabled()
    once_more = GarbageCollector()
    once_more.stop()
    assert gc.isenabled()
    gc.disable()  # as the tests of the window have it


def test_that_nothing_is_left_for_python_to_find_in_a_destructor_when_it_stops(qapp):
    died_in: list[threading.Thread] = []
    once_more = GarbageCollector()
    Cycle(died_in)
    assert died_in == []
    once_more.stop()
    assert died_in == [threading.main_thread()]
    gc.disable()
