"""The drawing pad, with real strokes of the mouse."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sparseviz.gui.views.examples.drawing_pad import CANVAS, DrawingPad
from tests.helpers.gui.mouse import PLAIN, at, stroke

pytestmark = pytest.mark.qt_log_level_fail("WARNING")


@pytest.fixture
def pad(shown):
    return shown(DrawingPad, (300, 200))


def test_that_a_stroke_is_drawn_with_soft_edges_and_told_at_every_move(pad, qtbot):
    told = []
    pad.changed.connect(lambda: told.append(pad.ink().sum()))
    stroke(pad, (0.2, 0.5), (0.5, 0.5), (0.8, 0.5))
    assert len(told) == 3
    assert told == sorted(told)
    ink = pad.ink()
    assert ink.shape == (CANVAS, CANVAS)
    assert ink[CANVAS // 2, CANVAS // 4 : 3 * CANVAS // 4].min() == 1
    assert ink[: CANVAS // 4].max() == 0
    assert ((ink > 0.1) & (ink < 0.9)).sum() > 20


@pytest.mark.parametrize("size", [(300, 200), (120, 240)])
def test_that_the_pen_draws_where_the_mouse_is_whatever_the_shape_of_the_pad(shown, size):
    pad = shown(DrawingPad, size)
    stroke(pad, (0.25, 0.75), (0.26, 0.75))
    rows, columns = np.nonzero(pad.ink() > 0.5)
    assert rows.mean() == pytest.approx(0.75 * CANVAS, abs=6)
    assert columns.mean() == pytest.approx(0.25 * CANVAS, abs=6)


def test_that_the_drawing_is_framed_as_the_data_are_and_the_same_wherever_it_was_drawn(pad):
    stroke(pad, (0.1, 0.1), (0.1, 0.5), (0.3, 0.5))
    first = pad.pixels(28, 20)
    pad.clear()
    stroke(pad, (0.6, 0.4), (0.6, 0.8), (0.8, 0.8))
    second = pad.pixels(28, 20)
    assert first.shape == (28, 28)
    assert max(np.ptp(axis) + 1 for axis in np.nonzero(first)) == 20
    assert np.abs(first - second).mean() < 0.02


def test_that_delete_clears_and_ctrl_z_takes_back_one_stroke_after_another(pad, qtbot):
    stroke(pad, (0.2, 0.2), (0.2, 0.8))
    one = pad.ink()
    stroke(pad, (0.2, 0.8), (0.8, 0.8))
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(pad.ink(), one)
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert pad.is_empty()
    assert pad.pixels(28, 20) is None
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # nothing is left to take back
    stroke(pad, (0.2, 0.2), (0.2, 0.8))
    qtbot.keyClick(pad, Qt.Key.Key_Delete)
    assert pad.is_empty()
    assert pad.ink().max() == 0


def test_that_an_image_that_was_taken_is_given_as_it_is_and_can_be_drawn_on(pad, qtbot):
    image = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    pad.take(image)
    np.testing.assert_array_equal(pad.pixels(28, 20), image)
    stroke(pad, (0.5, 0.5), (0.5, 0.6))
    drawn = pad.pixels(28, 20)
    assert (drawn >= image).all()
    assert drawn[15, 14] == pytest.approx(1)
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(pad.pixels(28, 20), image)
    qtbot.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert pad.is_empty()


def test_that_other_buttons_of_the_mouse_draw_nothing(pad):
    QTest.mousePress(pad, Qt.MouseButton.RightButton, PLAIN, at(pad, 0.5, 0.5))
    QTest.mouseRelease(pad, Qt.MouseButton.RightButton, PLAIN, at(pad, 0.5, 0.5))
    assert pad.is_empty()


def test_that_an_empty_pad_says_what_to_do_and_a_drawing_covers_it(pad):
    before = pad.grab().toImage()
    stroke(pad, (0.5, 0.2), (0.5, 0.8))
    after = pad.grab().toImage()
    middle = at(pad, 0.5, 0.5)
    assert after.pixelColor(middle) == pad.theme.text
    paper = {before.pixelColor(at(pad, x / 100, y / 100)).name() for x in range(10, 90) for y in range(30, 70)}
    assert len(paper) > 3  # words, not blank paper
