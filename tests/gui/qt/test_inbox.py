"""Answers of other threads come in Qt's thread, once each, and to nobody who is gone."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from sparseviz.config.own_code import Code, Untrusted
from sparseviz.gui.qt.inbox import Inbox

WAIT_MS = 10_000


@pytest.fixture
def inbox(qapp):
    parent = QObject()
    yield Inbox(parent)
    shiboken6.delete(parent)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as made:
        yield made


def settle(inbox, qtbot):
    qtbot.waitUntil(lambda: not inbox.is_waiting(), timeout=WAIT_MS)


def test_that_what_another_thread_answers_is_taken_in_qt_s_thread(inbox, pool, qtbot):
    taken: list[Any] = []
    inbox.ask(pool.submit(threading.current_thread), lambda thread: taken.append((thread, threading.current_thread())))
    settle(inbox, qtbot)
    assert taken[0][0] is not threading.main_thread()
    assert taken[0][1] is threading.main_thread()


def test_that_what_is_answered_already_is_taken_later_not_at_once(inbox, qtbot):
    taken: list[int] = []
    done: Future[int] = Future()
    done.set_result(3)
    inbox.ask(done, taken.append)
    assert not taken
    settle(inbox, qtbot)
    assert taken == [3]


def test_that_thousands_of_answers_are_taken_once_each_though_inboxes_die_meanwhile(qapp, pool, qtbot):
    taken: list[tuple[int, int]] = []

    def take(key, _):
        taken.append(key)

    parents = [QObject() for _ in range(60)]
    for number, parent in enumerate(parents):
        inbox = Inbox(parent)
        for part in range(20):
            inbox.ask(pool.submit(pow, 7, 3000), partial(take, (number, part)))
        if number % 2:
            shiboken6.delete(parent)
            QApplication.processEvents()
    wanted = {(number, part) for number in range(0, 60, 2) for part in range(20)}
    qtbot.waitUntil(lambda: wanted <= set(taken), timeout=WAIT_MS)
    assert len(taken) == len(set(taken))


def test_that_an_error_goes_to_who_asked_and_a_question_of_trust_to_its_own(inbox, pool, tmp_path, qtbot):
    def fail(error):
        raise error

    untrusted, wrong = Untrusted(Code("own:make", tmp_path / "own.py", "0" * 64, b"")), ValueError("wrong")
    failed: list[Exception] = []
    asked: list[Untrusted] = []
    inbox.ask(pool.submit(fail, wrong), failed.append, failed.append, untrusted=asked.append)
    inbox.ask(pool.submit(fail, untrusted), failed.append, failed.append, untrusted=asked.append)
    settle(inbox, qtbot)
    assert (failed, asked) == ([wrong], [untrusted])
    inbox.ask(pool.submit(fail, untrusted), failed.append, failed.append)
    settle(inbox, qtbot)
    assert failed == [wrong, untrusted]


def test_that_an_error_that_nobody_expects_is_raised_and_holds_no_other_answer_back(inbox, pool, qtbot):
    taken: list[Any] = []
    with qtbot.captureExceptions() as raised:
        inbox.ask(pool.submit(int, "x"), taken.append)
        inbox.ask(pool.submit(int, "4"), taken.append)
        settle(inbox, qtbot)
    assert taken == [4]
    assert [kind for kind, _, _ in raised] == [ValueError]


def test_that_what_is_cancelled_is_told_alone_to_who_wants_to_know(inbox, qtbot):
    told: list[Any] = []
    futures: list[Future[str]] = [Future(), Future()]
    inbox.ask(futures[0], told.append, told.append)
    inbox.ask(futures[1], told.append, told.append, cancelled=lambda: told.append("cancelled"))
    for future in futures:
        future.cancel()
    settle(inbox, qtbot)
    assert told == ["cancelled"]


def test_that_what_is_forgotten_is_cancelled_and_taken_by_nobody(inbox, qtbot):
    told: list[Any] = []
    future: Future[str] = Future()
    other: Future[str] = Future()
    inbox.ask(future, told.append, told.append, cancelled=lambda: told.append("cancelled"))
    inbox.forget()
    assert future.cancelled()
    assert not inbox.is_waiting()
    inbox.ask(other, told.append)
    other.set_result("other")
    settle(inbox, qtbot)
    assert told == ["other"]
