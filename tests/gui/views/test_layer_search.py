"""Finding a layer among many by its name."""

import pytest
from PySide6.QtCore import Qt

from sparseviz.gui.views import LayersView, WeightsView
from sparseviz.gui.views.layer_filter import MANY
from tests.helpers import histories

pytestmark = [pytest.mark.qt_log_level_fail("WARNING"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def deep_table(shown):
    view = shown(LayersView)
    view.draw(histories.deep(), 39)
    return view


def names(view):
    return [row.texts[0] for row in view.model.rows]


class TestTable:
    def test_that_a_table_of_few_layers_has_no_filter_until_it_is_asked_for(self, shown, run, qtbot):
        view = shown(LayersView)
        view.draw(run, 20)
        assert view.finder.isHidden()
        view.sheet.setFocus()
        qtbot.keyClick(view.sheet, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        assert not view.finder.isHidden()
        qtbot.keyClicks(view.filter, "FC")
        assert names(view) == ["fc1", "fc2", "biases", "Total"]
        view.draw(run, 21)
        assert names(view) == ["fc1", "fc2", "biases", "Total"]
        qtbot.keyClick(view.filter, Qt.Key.Key_Escape)
        assert names(view) == ["conv1", "conv2", "fc1", "fc2", "biases", "Total"]

    def test_that_the_sums_stay_those_of_all_layers_and_the_number_found_is_told(self, deep_table, qtbot):
        assert not deep_table.finder.isHidden()
        total = deep_table.model.rows[-1]
        qtbot.keyClicks(deep_table.filter, "block3.*")
        assert len(names(deep_table)) == 10 + 2
        assert deep_table.model.rows[-1] == total
        assert deep_table.found.text() in {"10 of 100 layers", "10 of 100"}

    def test_that_what_is_found_is_sorted_as_the_table_is(self, deep_table, qtbot):
        deep_table.model.sort(0, Qt.SortOrder.DescendingOrder)
        qtbot.keyClicks(deep_table.filter, "conv2")
        assert names(deep_table)[:1] == ["block2.conv20"]
        qtbot.keyClicks(deep_table.filter, "x")
        assert names(deep_table) == ["biases", "Total"]
        deep_table.model.sort(-1)
        deep_table.filter.clear()
        assert len(names(deep_table)) == 100 + 2


class TestBox:
    def test_that_a_part_of_a_name_finds_a_layer_of_many(self, shown, qtbot):
        view = shown(WeightsView)
        view.draw(histories.deep(), 39)
        box = view.choices.layers
        assert box.isEditable()
        first = view.layer()
        line, completer = box.lineEdit(), box.completer()
        line.selectAll()
        qtbot.keyClicks(line, "4.fc43")
        assert view.layer() == first  # until one is chosen
        completer.setCompletionPrefix("4.fc43")
        found = [completer.completionModel().index(row, 0).data() for row in range(completer.completionCount())]
        assert found == ["block4.fc43"]
        qtbot.keyClick(completer.popup(), Qt.Key.Key_Down)
        qtbot.keyClick(completer.popup(), Qt.Key.Key_Return)
        assert view.layer() == "block4.fc43"

    def test_that_a_text_that_is_no_layers_name_gives_way_to_the_layer_shown(self, shown, qtbot):
        view = shown(WeightsView)
        view.draw(histories.deep(), 39)
        line, first = view.choices.layers.lineEdit(), view.layer()
        line.selectAll()
        qtbot.keyClicks(line, "nothing")
        qtbot.keyClick(line, Qt.Key.Key_Return)
        assert line.text() == view.layer() == first
        assert view.choices.layers.count() == 100

    def test_that_few_layers_are_a_plain_list_again(self, shown, run):
        view = shown(WeightsView)
        view.draw(histories.deep(), 39)
        view.draw(run, 20)
        assert not view.choices.layers.isEditable()
        assert view.choices.layers.count() == 4 < MANY
