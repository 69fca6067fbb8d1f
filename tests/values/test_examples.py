"""Examples: their order, and how a drawing becomes an image like those of a data set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparseviz.config.parts import DataConfig
from sparseviz.data import load_data
from sparseviz.values.examples import Answers, framed, longer_side, shrunk
from tests.helpers.data.splits import images_of


def answers(probabilities, labels):
    found = np.array(probabilities, np.float32)
    images = np.zeros((len(found), 1, 4, 4), np.float32)
    known = None if labels is None else np.array(labels)
    return Answers(images, known, found, tuple("01"), step=7, source="live", box=3)


def test_that_the_misread_come_first_and_then_the_least_confident():
    # right with 0.9, misread with 0.6, right with 0.7, misread with 0.8
    some = answers([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]], [0, 0, 1, 1])
    assert some.misread.tolist() == [False, True, False, True]
    assert some.order.tolist() == [3, 1, 2, 0]
    assert some.confidence.tolist() == pytest.approx([0.9, 0.6, 0.7, 0.8])


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), max_size=30))
def test_that_the_order_holds_every_image_once_and_never_a_misread_one_after_another(pairs):
    some = answers(np.array([[p, 1 - p] for p, _ in pairs]).reshape(-1, 2), [label for _, label in pairs])
    assert sorted(some.order) == list(range(len(pairs)))
    misread = some.misread[some.order].tolist()
    assert misread == sorted(misread, reverse=True)
    rest = some.confidence[some.order][sum(misread) :]
    assert (np.diff(rest) >= 0).all()


def test_that_nothing_is_misread_where_nobody_knows_the_labels():
    some = answers([[0.9, 0.1], [0.4, 0.6]], None)
    assert not some.misread.any()


def test_that_answers_cannot_be_changed():
    some = answers([[0.9, 0.1]], [0])
    with pytest.raises(ValueError, match="read-only"):
        some.probabilities[0] = 0


def stroke(height, width, top, left, shape=(280, 280)):
    ink = np.zeros(shape, np.float32)
    ink[top : top + height, left : left + width] = 1
    return ink


@pytest.mark.parametrize(("height", "width"), [(120, 30), (30, 120), (100, 100)])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (150, 150), (77, 3)])
def test_that_a_drawing_fills_the_box_with_its_mass_in_the_middle_wherever_it_was_drawn(height, width, top, left):
    image = framed(stroke(height, width, top, left), 28, 20)
    assert image is not None
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert min(np.ptp(rows), np.ptp(columns)) + 1 == round(20 * min(height, width) / max(height, width))
    for axis in (0, 1):
        centre = (np.arange(28) + 0.5) @ image.sum(axis=1 - axis) / image.sum()
        assert centre == pytest.approx(14, abs=0.5)
    assert image.max() == pytest.approx(1)


def test_that_a_heavy_side_is_drawn_to_the_middle_as_mnist_does():
    ink = stroke(200, 20, 10, 10) + stroke(60, 200, 150, 30)
    image = framed(ink.clip(0, 1), 28, 20)
    assert image is not None
    assert (np.arange(28) + 0.5) @ image.sum(axis=1) / image.sum() == pytest.approx(14, abs=0.5)
    rows = np.flatnonzero(image.any(axis=1))
    assert (rows[0] + rows[-1] + 1) / 2 < 13  # the box itself lies higher


def test_that_nothing_drawn_is_no_image_and_a_dot_is_one():
    assert framed(np.zeros((280, 280), np.float32), 28, 20) is None
    dot = framed(stroke(3, 3, 277, 0), 28, 20)
    assert dot is not None
    assert dot.shape == (28, 28)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_that_shrinking_keeps_the_mean(height, width, new_height, new_width):
    ink = np.random.default_rng(height * 41 + width).random((height, width)).astype(np.float32)
    small = shrunk(ink, new_height, new_width)
    assert small.shape == (new_height, new_width)
    assert small.mean() == pytest.approx(ink.mean(), rel=1e-4)


def test_that_the_box_is_measured_in_the_data_s_own_images():
    data = load_data(DataConfig())
    pixels = images_of(data.validation).numpy() * data.std + data.mean
    assert longer_side(pixels.astype(np.float32)) == 28  # scikit-learn's digits fill their frame
    inside = np.zeros((3, 1, 28, 28), np.float32)
    inside[:, 0, 5:20, 10:14] = 1
    assert longer_side(inside) == 15
    assert longer_side(np.zeros((2, 1, 28, 28), np.float32)) == 20  # nothing to measure: as MNIST
