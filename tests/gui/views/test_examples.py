"""The examples view, read back from what it shows of given answers."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views.examples.view import ExamplesView
from sparseviz.values.examples import Answers, NetworkFacts
from tests.helpers.gui.mouse import stroke
from tests.helpers.gui.pixels import dark_palette

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
CLASSES = tuple("0123456789")
FACTS = NetworkFacts("", 1580, "checkpoint", 0.016, float("nan"), CLASSES, (1, 28, 28))


def answers(number=60, *, seed=0, step=1580, source="checkpoint"):
    """Random images and probabilities; about a sixth is misread."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(10, 0.2), number).astype(np.float32)
    labels = probabilities.argmax(axis=1)
    wrong = random.random(number) < 1 / 6
    labels[wrong] = (labels[wrong] + 1) % 10
    images = random.random((number, 1, 28, 28)).astype(np.float32)
    return Answers(images, labels, probabilities, CLASSES, step, source, box=20)


@pytest.fixture
def view(shown):
    view = shown(ExamplesView, (900, 500))
    view.asks = []
    view.asked.connect(view.asks.append)
    view.show_network(FACTS)
    view.show_answers(answers())
    return view


def cells(view):
    model = view.grid.examples
    return [model.index(row).data() for row in range(model.rowCount())]


def choose(view, text):
    view.shown.setCurrentIndex(view.shown.findText(text))


def test_that_an_empty_view_says_what_will_appear_and_how(shown):
    view = shown(ExamplesView)
    assert view.is_empty()
    assert "Press Train" in view.empty.text()
    assert view.table() == []


def test_that_the_misread_stand_first_with_a_sign_their_label_and_the_answer(view):
    given = view.answers
    misread = int(given.misread.sum())
    texts = cells(view)
    assert len(texts) == 60
    assert misread > 4
    assert all(text.startswith("✗") for text in texts[:misread])
    assert all(text.startswith("✓") for text in texts[misread:])
    first = given.order[0]
    assert texts[0].startswith(f"✗ {given.labels[first]} → {given.answer[first]} ")
    confidence = [given.confidence[row] for row in given.order[misread:]]
    assert confidence == sorted(confidence)


def test_that_the_counts_and_the_step_are_told(view):
    misread = int(view.answers.misread.sum())
    assert view.counts.text() == f"{misread} of 60 misread, {100 * misread / 60:.2f} % validation error"
    assert view.place.text() == "step 1,580, nearest checkpoint"
    view.show_answers(answers(step=7, source="live"))
    assert view.place.text() == "step 7, live"


def test_that_only_the_misread_or_one_class_are_shown_when_asked_for(view):
    choose(view, "only misread")
    assert len(cells(view)) == view.answers.misread.sum()
    assert all("→" in text for text in cells(view))
    choose(view, "label 3")
    model = view.grid.examples
    assert len(model.rows) == (view.answers.labels == 3).sum() > 0
    assert set(view.answers.labels[model.rows]) == {3}
    choose(view, "all images")
    assert len(cells(view)) == 60


def test_that_new_answers_keep_the_filter_the_chosen_image_and_the_place(view):
    choose(view, "all images")
    view.grid.setCurrentIndex(view.grid.examples.index(40))
    chosen, bar = view.grid.image(), view.grid.verticalScrollBar()
    assert bar.maximum() > 0
    bar.setValue(bar.maximum() // 2)
    place = bar.value()
    view.show_answers(answers(seed=0, step=1600))
    assert view.grid.image() == chosen
    assert bar.value() == place
    choose(view, "only misread")
    view.show_answers(answers(seed=1, step=1700))
    assert len(cells(view)) == view.answers.misread.sum()
    assert view.shown.currentText() == "only misread"


def test_that_the_arrow_keys_choose_an_image_and_both_networks_are_asked_for_it(view, qtbot):
    view.grid.setFocus()
    before = view.grid.image()
    qtbot.keyClick(view.grid, Qt.Key.Key_Right)
    assert view.grid.image() == view.answers.order[1] != before
    np.testing.assert_array_equal(view.asks[-1], view.answers.images[view.answers.order[1]])
    assert f"image {view.grid.image()}, label" in view.comparison.name.text()


def test_that_the_answers_to_an_image_stand_side_by_side_with_all_probabilities(view):
    image = view.grid.image()
    label, sparse = int(view.answers.labels[image]), view.answers.probabilities[image]
    dense = np.full(10, 0.05, np.float32)
    dense[label] = 0.55
    view.comparison.dense.show_network(FACTS)
    view.show_comparison(sparse, dense)
    assert view.comparison.sparse.answer.texts[0].startswith(f"✗ answer {sparse.argmax()} · ")
    assert view.comparison.dense.answer.texts[0] == f"✓ answer {label} · 55.0 %"
    assert view.comparison.dense.bars.text().startswith(f"{label}: 55.0 %, ")
    assert view.comparison.dense.bars.text().count("5.0 %") == 10
    assert view.comparison.sparse.bars.label == label


def test_that_without_a_dense_run_its_place_says_how_to_get_one(view):
    column = view.comparison.dense
    assert column.invitation.isVisible()
    assert "choose one, or train one" in column.invitation.text()
    assert not column.bars.isVisible()
    assert view.comparison.sparse.bars.isVisible()


def test_that_the_bars_are_as_long_as_the_probabilities(view):
    bars = view.comparison.sparse.bars
    probabilities = np.array([0.5, 0.25] + [0.25 / 8] * 8, np.float32)
    view.show_comparison(probabilities, None)
    QApplication.processEvents()
    image = bars.grab().toImage()
    height = bars.height() / 10 if bars.height() < 240 else 24
    background = image.pixelColor(image.width() - 1, image.height() - 1)
    lengths = []
    for row in (0, 1):
        y = round(row * height + 2.5)  # above the number
        lengths.append(sum(image.pixelColor(x, y) != background for x in range(image.width())))
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=4)
    assert lengths[1] > 20


def test_that_a_drawing_is_asked_for_while_it_is_drawn(view):
    view.tabs.setCurrentIndex(1)
    assert len(view.asks) > 0
    assert view.subject() is None
    assert "Draw a digit" in view.comparison.name.text()
    QApplication.processEvents()
    stroke(view.pad, (0.5, 0.2), (0.5, 0.5), (0.5, 0.8))
    drawn = [each for each in view.asks if each is not None and each.shape == (1, 28, 28)]
    assert len(drawn) >= 3
    np.testing.assert_array_equal(view.asks[-1][0], view.pad.pixels(28, 20))
    np.testing.assert_array_equal(view.comparison.picture.pixels, view.asks[-1])
    view.clear_pad.click()
    assert view.asks[-1] is None


def test_that_enter_on_an_image_takes_it_as_the_drawing(view, qtbot):
    view.grid.setFocus()
    image = view.grid.image()
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    assert view.is_drawing()
    np.testing.assert_array_equal(view.asks[-1], view.answers.images[image])
    view.pad.clear()
    view.take.click()
    np.testing.assert_array_equal(view.asks[-1], view.answers.images[image])


def test_that_missing_data_are_told_and_drawing_goes_on(view):
    view.show_problem("/nowhere lacks train-images-idx3-ubyte")
    assert view.problem.isVisible()
    assert "/nowhere lacks" in view.problem.text()
    assert not view.take.isEnabled()
    assert view.table() == []
    view.tabs.setCurrentIndex(1)
    QApplication.processEvents()
    stroke(view.pad, (0.5, 0.2), (0.5, 0.8))
    assert view.asks[-1].shape == (1, 28, 28)
    view.tabs.setCurrentIndex(0)
    view.show_answers(answers())
    assert not view.problem.isVisible()


def test_that_the_table_has_a_row_for_every_image_shown(view):
    head, *rows = view.table()
    assert head == ["image", "label", "answer", "confidence (%)", "misread"]
    assert len(rows) == 60
    given, image = view.answers, int(view.answers.order[0])
    confidence = 100 * given.confidence[image]
    expected = [image, str(given.labels[image]), str(given.answer[image]), pytest.approx(confidence, abs=1e-3), "yes"]
    assert rows[0] == expected
    choose(view, "only misread")
    assert {row[4] for row in view.table()[1:]} == {"yes"}


def test_that_the_lesson_is_two_sentences(view):
    assert view.lesson().count(". ") == 1
    assert view.lesson().endswith(".")


def test_that_a_cell_is_told_in_words_to_who_cannot_see_it(view):
    index = view.grid.examples.index(0)
    told = index.data(Qt.ItemDataRole.AccessibleTextRole)
    image = int(view.answers.order[0])
    assert told.startswith(f"image {image}: label {view.answers.labels[image]}, answer {view.answers.answer[image]}")
    assert told.endswith("misread")


def test_that_every_control_has_an_accessible_name(view):
    comparison = view.comparison
    named = (view.grid, view.pad, view.shown, view.tabs, view.splitter, view.take, view.undo, view.clear_pad)
    for widget in (*named, comparison.choose, comparison.train, comparison.progress, comparison.sparse.bars):
        assert widget.accessibleName() or widget.text(), widget


def test_that_the_view_takes_on_a_dark_palette_and_any_shape(view):
    view.setPalette(dark_palette())
    for size in ((900, 500), (340, 160), (300, 700)):
        view.resize(*size)
        QApplication.processEvents()
        view.grab()
    assert view.theme.dark
    assert view.pad.theme.dark
    assert view.splitter.orientation() == Qt.Orientation.Vertical
    image = view.grid.viewport().grab().toImage()
    assert image.pixelColor(image.width() - 2, image.height() - 2).lightness() < 128


def test_that_a_message_is_scrolled_to_where_there_is_little_room(view):
    view.resize(400, 170)
    QApplication.processEvents()
    view.comparison.show_message("The dense run failed: no room")
    QApplication.processEvents()
    QApplication.processEvents()
    assert not view.comparison.message.visibleRegion().isEmpty()


def test_that_clear_brings_the_invitation_back(view):
    view.clear()
    assert view.is_empty()
    assert view.table() == []
    assert view.asks[-1] is None


def test_that_the_filter_stays_when_another_run_with_the_same_classes_comes(view):
    choose(view, "only misread")
    view.clear()
    view.show_network(FACTS)
    view.show_answers(answers(seed=3))
    assert view.shown.currentText() == "only misread"
    assert len(cells(view)) == view.answers.misread.sum()


def test_that_thousands_of_images_are_shown_at_once(view, qtbot):
    many = answers(5000)
    view.show_answers(many)
    view.grab()
    assert view.grid.examples.rowCount() == 5000
    qtbot.keyClick(view.grid, Qt.Key.Key_End)
    assert view.grid.image() == many.order[-1]
