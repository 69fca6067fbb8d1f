"""The prior, read back from what is drawn of it."""

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views.prior.view import POINTS, PriorView
from sparseviz.gui.views.prior.words import MOST_ROWS, spots
from sparseviz.values.prior import Prior

pytestmark = pytest.mark.qt_log_level_fail("WARNING")

BOTH, DOWN, NONE = Prior(0.05, 0.029, 0.75), Prior(0.001, 0.05, 0.75), Prior(0.0, 0.0, 0.75)
PENALTY, PULL, DENSITY, COST = range(4)
SIZES = ((260, 240), (300, 330), (500, 400))


def palette(*, dark):
    window, base, text = ("#2b2e36", "#17181d", "#dcdfe4") if dark else ("#e8e8e8", "#ffffff", "#101010")
    made = QPalette(QColor(window), QColor(window))
    for role, colour in (("Base", base), ("Text", text), ("WindowText", text)):
        made.setColor(getattr(QPalette.ColorRole, role), QColor(colour))
    return made


def drawn(view, prior, choice=PENALTY):
    view.choice.setCurrentIndex(choice)
    view.draw_prior(prior)
    QApplication.processEvents()
    return view


def data(item):
    x, y = item.getOriginalDataset()
    return np.asarray(x if x is not None else []), np.asarray(y if y is not None else [])


def word(view, name):
    return view.words.items[name].toPlainText()


@pytest.mark.parametrize("prior", [BOTH, DOWN, NONE, Prior(0.1, 0.0, 0.3)])
def test_that_the_three_curves_are_the_penalty_and_its_parts_or_their_pulls(shown, prior):
    view = shown(PriorView, SIZES[1])
    for choice, formulas in (
        (PENALTY, (prior.penalty, prior.bimodal, prior.count)),
        (PULL, (prior.pull, prior.bimodal_pull, prior.count_pull)),
    ):
        drawn(view, prior, choice)
        for curve, formula in zip(view.curves, formulas, strict=True):
            x, y = data(curve)
            assert (x[0], x[-1], len(x)) == (0, 1, POINTS)
            assert (y == formula(x)).all()


def test_that_the_weights_priors_are_two_curves_and_the_spike_a_point_off_its_curve(shown):
    view, weights = shown(PriorView, SIZES[1]), BOTH.weights
    for choice, formulas, hole in (
        (DENSITY, (weights.density, weights.lasso_density), weights.slab),
        (COST, (weights.cost, weights.lasso_cost), weights.alpha),
    ):
        drawn(view, BOTH, choice)
        for curve, formula in zip(view.curves, formulas, strict=False):
            x, y = data(curve)
            assert 0 not in x
            assert (y == formula(x)).all()
        assert not len(data(view.curves[2])[0])
        assert [part.tolist() for part in data(view.dot)] == [[0], formulas[0](np.zeros(1)).tolist()]
        assert [part.tolist() for part in data(view.hole)] == [[0], [hole]]
        assert data(view.hole)[1] == pytest.approx(formulas[0](np.array([1e-9])))
        assert not any(line.isVisible() for line in view.words.lines.values())


def test_that_curves_differ_by_dash_and_are_named_with_the_same_dash(shown):
    view = drawn(shown(PriorView, SIZES[1]), BOTH)
    styles = [curve.opts["pen"].style() for curve in view.curves]
    assert styles == [Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine]
    for choice in range(view.choice.count()):
        view.choice.setCurrentIndex(choice)
        samples = view.legends.currentWidget().samples
        assert [sample.pen.style() for sample in samples] == styles[: len(samples)]
        assert len(samples) == sum(len(data(curve)[0]) > 0 for curve in view.curves)


@pytest.mark.parametrize(
    ("prior", "sentence"),
    [
        (BOTH, "Gates above 0.79 are pulled to 1, the rest to 0."),
        (Prior(0.1, 0.0, 0.5), "Gates above 0.50 are pulled to 1, the rest to 0."),
        (Prior(1.0, 0.999, 0.5), "Gates above 0.9995 are pulled to 1, the rest to 0."),
        (DOWN, "The penalty pulls every gate to 0: λ₂ is not below λ₁; only the loss holds gates up."),
        (
            Prior(0.1, 0.1, 0.5),
            "The penalty pulls every gate to 0: λ₂ is not below λ₁; only the loss holds gates up.",
        ),
        (NONE, "No penalty acts."),
    ],
)
def test_that_the_sentence_says_where_the_penalty_takes_gates(shown, prior, sentence):
    view = shown(PriorView, SIZES[1])
    for choice in (PENALTY, PULL):
        drawn(view, prior, choice)
        assert view.sentence.text() == sentence
        assert view.canvas.accessibleDescription().endswith(sentence)
        assert "threshold 0.5, " in view.canvas.accessibleDescription()


def test_that_threshold_turning_point_and_start_stand_where_they_are_and_say_so(shown):
    view = drawn(shown(PriorView, SIZES[1]), BOTH)
    at = {name: line.value() for name, line in view.words.lines.items() if line.isVisible()}
    assert at == {"threshold": 0.5, "turn": BOTH.turning_point, "start": 0.75}
    assert [word(view, name) for name in at] == ["threshold 0.5", "g* 0.79", "start 0.75 → 0"]
    assert [part.tolist() for part in data(view.dot)] == [[0.75], BOTH.penalty(np.array([0.75])).tolist()]
    drawn(view, DOWN)
    assert not view.words.lines["turn"].isVisible()
    assert not view.words.items["turn"].isVisible()


@pytest.mark.parametrize("choice", [PENALTY, PULL])
@pytest.mark.parametrize(
    ("start", "end"),
    [(0.75, "start 0.75 → 0"), (0.9, "start 0.9 → 1"), (1.0, "start 1, stays"), (0.0, "start 0, stays")],
)
def test_that_the_arrow_leads_from_the_start_along_the_curve_to_where_the_gate_goes(shown, choice, start, end):
    prior = Prior(0.05, 0.029, start)
    view = drawn(shown(PriorView, SIZES[1]), prior, choice)
    assert word(view, "start") == end
    goes = prior.pulled_to(start)
    assert view.arrow.isVisible() == (goes != start)
    if goes != start:
        tip = view.arrow.pos()
        formula = prior.penalty if choice == PENALTY else prior.pull
        assert min(start, goes) <= tip.x() <= max(start, goes)
        assert abs(tip.x() - start) > 0.02
        assert tip.y() == pytest.approx(formula(np.array([tip.x()]))[0], rel=1e-2)
        points_right = np.cos(np.radians(view.arrow.opts["angle"])) < 0  # at angle 0 it points left
        assert points_right == (goes > start)


def test_that_a_gate_on_which_nothing_pulls_has_no_arrow(shown):
    view = drawn(shown(PriorView, SIZES[1]), NONE)
    assert not view.arrow.isVisible()
    assert word(view, "start") == "start 0.75, stays"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("prior", [BOTH, DOWN, NONE, Prior(0.1, 0.0, 0.5), Prior(1e-7, 4e-8, 1.0), Prior(1, 0.2, 0.0)])
def test_that_every_word_is_shown_and_covers_neither_another_nor_a_curve(shown, size, prior):
    view = shown(PriorView, size)
    for choice in range(view.choice.count()):
        drawn(view, prior, choice)
        named = {place.name for place in view.picture.places}
        items = [item for name, item in view.words.items.items() if name in named]
        frames = [item.mapRectToScene(item.boundingRect()) for item in items]
        plot = view.plot.getViewBox()
        bounds = plot.sceneBoundingRect().adjusted(-1, -1, 1, 1)
        assert all(item.isVisible() for item in items)
        assert all(bounds.contains(frame) for frame in frames)
        assert not any(one.adjusted(1, 1, -1, -1).intersects(other) for one, other in combinations(frames, 2))
        for curve in view.curves:
            points = [plot.mapViewToScene(QPointF(x, y)) for x, y in zip(*data(curve), strict=True)]
            assert not any(frame.contains(point) for point in points for frame in frames)


@pytest.mark.parametrize("size", SIZES)
def test_that_no_name_of_a_curve_is_cut(shown, size):
    view = shown(PriorView, size)
    for choice in range(view.choice.count()):
        drawn(view, BOTH, choice)
        row = view.legends.currentWidget().layout()
        labels = [row.itemAt(number).widget() for number in range(1, row.count(), 2)]
        assert all(label.text() in label.texts for label in labels)


def test_that_a_word_without_room_in_any_row_is_left_out():
    assert spots([50], [20], [True], 40) == [None]
    crowd = spots([90] * (MOST_ROWS + 1), [50] * (MOST_ROWS + 1), [True] * (MOST_ROWS + 1), 100)
    assert [spot.row if spot else None for spot in crowd] == [*range(MOST_ROWS), None]


def test_that_the_view_draws_what_was_given_last_and_keeps_the_choice(shown):
    view = drawn(shown(PriorView, SIZES[1]), BOTH, PULL)
    drawn(view, DOWN, PULL)
    assert view.prior == DOWN
    assert view.choice.currentIndex() == PULL
    assert data(view.curves[0])[1][0] == pytest.approx(0.051)


def test_that_before_the_first_prior_the_view_says_what_will_appear(shown):
    view = shown(PriorView, SIZES[1])
    view.choice.setCurrentIndex(COST)
    assert "λ₁" in view.sentence.text()
    assert not len(data(view.curves[0])[0])
    assert not any(item.isVisible() for item in (*view.words.items.values(), view.arrow))


@pytest.mark.parametrize("dark", [True, False])
def test_that_the_view_takes_on_a_palette_while_it_shows_a_prior(shown, dark):
    view = drawn(shown(PriorView, SIZES[1]), BOTH)
    view.setPalette(palette(dark=not dark))
    view.setPalette(palette(dark=dark))
    QApplication.processEvents()
    assert view.theme.dark == dark
    picture = view.grab().toImage()
    corner = picture.pixelColor(picture.width() - 3, picture.height() // 2)
    assert (corner.lightness() < 128) == dark
    pens = [curve.opts["pen"].color() for curve in view.curves] + [item.color for item in view.words.items.values()]
    assert all(abs(colour.lightness() - view.theme.background.lightness()) > 60 for colour in pens)


def test_that_everything_a_reader_meets_has_a_name(shown):
    view = drawn(shown(PriorView, SIZES[1]), BOTH, DENSITY)
    assert all(widget.accessibleName() for widget in (view, view.choice, view.sentence, view.canvas))
    assert view.canvas.accessibleName() == "Prior on the weights"
    assert view.minimumSizeHint().width() <= 260
    assert view.minimumSizeHint().height() <= 240
