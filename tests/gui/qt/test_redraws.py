"""Redraws: one thing a turn of the event loop, and a rest by what all of it cost this thread."""

import time

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QLabel

from sparseviz.gui.qt.redraws import DRAW_SHARE, WAITS_MS, Redraws


@pytest.fixture
def redraws(qapp):
    parent = QObject()
    made = Redraws(parent)
    yield made
    made.stop()
    parent.deleteLater()


def compute(ms):
    """Use processor time, as drawing does."""
    end = time.thread_time() + ms / 1000
    while time.thread_time() < end:
        pass


def test_that_the_event_loop_turns_between_two_jobs(redraws, qtbot):
    order = []

    def first():
        order.append("first")
        QTimer.singleShot(0, lambda: order.append("a key"))

    redraws.begin([first, lambda: None, lambda: order.append("last")], together=False, again=False)
    assert not order
    qtbot.waitUntil(lambda: len(order) == 3)
    assert order == ["first", "a key", "last"]


def test_that_jobs_are_done_at_once_where_that_is_asked_for(redraws):
    done = []
    redraws.begin([lambda: done.append(1), lambda: done.append(2)], together=True, again=False)
    assert done == [1, 2]


def test_that_newer_jobs_take_the_place_of_those_that_are_left(redraws, qtbot):
    done = []
    redraws.begin([lambda: done.append("old")], together=False, again=False)
    redraws.begin([lambda: done.append("new")], together=False, again=True)
    with qtbot.waitSignal(redraws.due, timeout=5000):
        pass
    assert done == ["new"]


def test_that_nothing_is_due_again_unless_it_is_asked_for_nor_after_a_stop(redraws, qtbot):
    for again in (False, True):
        redraws.begin([], together=False, again=again)
        if again:
            redraws.stop()
        with qtbot.assertNotEmitted(redraws.due, wait=2 * WAITS_MS[0]):
            pass


def test_that_the_rest_counts_drawing_and_painting_but_no_time_spent_waiting(redraws, qtbot):
    class Slow(QLabel):
        def paintEvent(self, event):  # noqa: ARG002, N802
            compute(10)

    label = Slow()
    qtbot.addWidget(label)
    label.show()
    qtbot.waitExposed(label)
    rests = []
    for job in (lambda: time.sleep(0.2), lambda: (compute(10), label.update())):
        with qtbot.waitSignal(redraws.due, timeout=10_000):
            redraws.begin([job], together=False, again=True)
        rests.append(redraws._waiting.interval())
    assert WAITS_MS[0] <= rests[0] < 20 * (DRAW_SHARE - 1)  # slept: 200 ms would give the longest rest
    assert rests[1] >= 20 * (DRAW_SHARE - 1)  # drawn and painted, 10 ms each
