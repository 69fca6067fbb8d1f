"""The layers view, read back from its table."""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views import LayersView
from sparseviz.values.history import History
from tests.helpers import histories

pytestmark = pytest.mark.qt_log_level_fail("WARNING")


def test_that_the_rows_of_the_table_add_up_to_the_total(shown, run):
    view = shown(LayersView)
    for position in (0, 20, len(run) - 1):
        view.draw(run, position)
        *parts, total = view.model.rows
        assert total.total
        assert sum(row.before for row in parts) == total.before == run.parameters
        assert sum(row.kept for row in parts) == total.kept == run[position].scalars["parameters_kept"]
    assert [row.texts[0] for row in view.model.rows] == ["conv1", "conv2", "fc1", "fc2", "biases", "Total"]


def test_that_parameters_that_are_neither_weights_nor_biases_get_a_row(shown, run):
    history = History(run.parameters + 40)
    last = run[20]
    scalars = dict(last.scalars) | {"parameters_kept": last.scalars["parameters_kept"] + 30}
    history.append(type(last)(0, 0.0, 0.0, "train", scalars, last.layers))
    view = shown(LayersView)
    view.draw(history, 0)
    assert view.model.rows[5].texts[:4] == ("other", "", "40", "30")


def test_that_the_total_shows_both_compressions(shown, run):
    view = shown(LayersView)
    view.draw(run, 20)
    scalars = run[20].scalars
    total = view.model.rows[-1]
    assert f"{431_080 / scalars['parameters_kept']:.1f}×" in total.texts[5]
    assert f"{430_500 / scalars['weights_kept']:.1f}× by weights" in total.texts[5]
    assert "By weights alone" in total.notes[5]
    font = view.model.index(5, 0).data(Qt.ItemDataRole.FontRole)
    assert isinstance(font, QFont)
    assert font.bold()


def test_that_shapes_are_written_in_full_and_numbers_stand_right(shown, run):
    view = shown(LayersView)
    view.draw(run, 20)
    assert view.model.index(0, 1).data() == "20×1×5×5"
    assert view.sheet.columnWidth(1) > view.sheet.fontMetrics().horizontalAdvance("50×20×5×5")
    assert view.model.index(2, 2).data() == "400,000"
    assert view.model.index(2, 3).data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    for column in range(view.model.columnCount()):
        assert view.model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole).endswith(".")


def test_that_ctrl_c_copies_the_selection_as_tab_separated_text(shown, run, qtbot):
    view = shown(LayersView)
    view.draw(run, 20)
    view.sheet.selectRow(2)
    qtbot.keyClick(view.sheet, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    heading, line = QGuiApplication.clipboard().text().split("\n")
    assert heading.split("\t")[:3] == ["Layer", "Shape", "Before"]
    assert line.split("\t")[:3] == ["fc1", "500×800", "400,000"]
    view.sheet.clearSelection()
    assert len(view.sheet.selected()) == 1 + 6


@pytest.mark.parametrize(
    ("name", "heading", "line"),
    [
        ("CSV", "Layer,Shape,Before,Kept", "fc1,500×800,400000,"),
        ("Markdown", "| Layer | Shape | Before | Kept", "| fc1 | 500×800 | 400,000 |"),
        ("LaTeX", "Layer & Shape & Before & Kept", r"fc1 & 500$\times$800 & 400,000 &"),
    ],
)
def test_that_the_context_menu_copies_in_other_forms(shown, run, name, heading, line):
    view = shown(LayersView)
    view.draw(run, 20)
    menu = view.sheet.menu()
    (action,) = [action for action in menu.actions() if action.text().replace("&", "") == f"Copy as {name}"]
    action.trigger()
    menu.close()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert any(text.startswith(heading) for text in lines)
    assert any(text.startswith(line) for text in lines)
    if name == "LaTeX":
        assert lines[0] == r"\begin{tabular}{llrrrrrrr}"
        assert all(text.endswith(r"\\") for text in lines if " & " in text)
        assert not any(re.search(r"(?<!\\)%", text) for text in lines)


def test_that_a_heading_sorts_the_layers_above_the_total_in_every_snapshot(shown, run):
    view = shown(LayersView)
    view.draw(run, 20)
    names = [row.texts[0] for row in view.model.rows]
    for order, reverse in ((Qt.SortOrder.AscendingOrder, False), (Qt.SortOrder.DescendingOrder, True)):
        view.sheet.sortByColumn(3, order)
        for position in (20, 30):
            view.draw(run, position)
            kept = [row.kept for row in view.model.rows[:4]]
            assert kept == sorted(kept, reverse=reverse)
            assert [row.texts[0] for row in view.model.rows[4:]] == names[4:]
    view.sheet.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert [row.texts[0] for row in view.model.rows] == names


def test_that_multiply_adds_are_those_of_the_kept_weights(shown, run):
    view = shown(LayersView, (1000, 300))
    view.draw(run, 20)
    for row, layer in zip(view.model.rows, run[20].layers, strict=False):
        assert int(row.texts[8].replace(",", "")) == layer.kept * layer.info.multiply_adds // layer.info.weights
        assert f"{layer.info.multiply_adds:,}" in row.notes[8]


def test_that_a_method_without_gates_has_no_undecided_share(shown):
    view, run = shown(LayersView), histories.magnitude()
    view.draw(run, 4)
    assert view.model.rows[0].texts[6] == "–"


def test_that_a_narrow_table_shows_what_matters_in_full_and_both_compressions_below(shown, run):
    view = shown(LayersView, (340, 200))
    view.draw(run, 20)
    QApplication.processEvents()
    table = view.sheet
    shown_columns = [column for column in range(view.model.columnCount()) if not table.isColumnHidden(column)]
    names = [view.model.columns[column][0] for column in shown_columns]
    assert names == ["Layer", "Shape", "Before", "Kept", "Sparsity", "Dead"]
    assert sum(map(table.columnWidth, shown_columns)) == table.viewport().width()
    assert not table.horizontalScrollBar().isVisible()
    for column in shown_columns:
        longest = max(table.fontMetrics().horizontalAdvance(row.texts[column]) for row in view.model.rows)
        assert table.columnWidth(column) > longest
    assert view.compressions.isVisible()
    assert view.compressions.text() in view.compressions.texts


def test_that_a_wide_table_shows_every_column_and_a_narrow_one_again_fewer(shown, run):
    view = shown(LayersView, (800, 300))
    view.draw(run, 20)
    QApplication.processEvents()
    assert not any(map(view.sheet.isColumnHidden, range(view.model.columnCount())))
    assert not view.compressions.isVisible()
    view.resize(340, 300)
    QApplication.processEvents()
    assert view.sheet.isColumnHidden(5)
    view.resize(800, 300)
    QApplication.processEvents()
    assert not view.sheet.isColumnHidden(5)


def test_that_only_cells_that_changed_are_told_and_the_rest_is_as_if_drawn_anew(shown, run):
    view, other, told, resets = shown(LayersView), shown(LayersView), [], []
    view.draw(run, 20)
    view.model.dataChanged.connect(lambda first, last: told.append((first.row(), first.column(), last.column())))
    view.model.modelReset.connect(lambda: resets.append(1))
    view.draw(run, 20)
    assert told == []
    view.sheet.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    for position in (21, 5, 39):
        before = [row.texts for row in view.model.rows]
        told.clear()
        view.draw(run, position)
        after = [row.texts for row in view.model.rows]
        changed = {
            (row, column)
            for row, texts in enumerate(after)
            for column in range(9)
            if texts != before[row] and texts[column] != before[row][column]
        }
        covered = {(row, column) for row, first, last in told for column in range(first, last + 1)}
        assert changed
        assert changed <= covered
        assert len(covered) < len(after) * 9
    assert not resets
    other.sheet.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    other.draw(run, 39)
    QApplication.processEvents()
    assert [row.texts for row in other.model.rows] == [row.texts for row in view.model.rows]
    assert view.grab().toImage() == other.grab().toImage()
