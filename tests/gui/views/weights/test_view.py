"""The weights view, read back from what it has drawn."""

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from sparseviz.gui.qt.theme import NONE_KEPT
from sparseviz.gui.views import WeightsView
from sparseviz.gui.views.weights.levels import pool
from sparseviz.gui.views.weights.view import MOST_CELLS
from sparseviz.values.history import History
from sparseviz.values.snapshot import Quantity
from tests.helpers import histories

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
FC1 = 2  # the layer's number


def cells_asked(qtbot, view):
    with qtbot.waitSignal(view.cells_wanted, timeout=2000) as asked:
        pass
    part = asked.args[0]
    return [part.layer, part.rows.start, part.rows.stop, part.columns.start, part.columns.stop]


def test_that_the_heatmap_is_the_preview_block_by_block_over_the_whole_matrix(shown, run):
    view = shown(WeightsView, (1400, 1200))  # a screen pixel for every cell
    view.draw(run, 20)
    assert view.layer() == "fc1"  # the largest comes first
    item, layer = view.heatmap.preview.item, run[20].layers[FC1]
    assert item.levels.dtype == np.uint8
    blocks = item.levels.reshape(125, 4, 115, 7)
    lit = blocks != NONE_KEPT
    assert (lit.any(axis=(1, 3)) == (layer.preview[1] > 0)).all()
    extreme = np.broadcast_to(layer.preview[0][:, None, :, None], blocks.shape)
    assert (blocks[lit] == extreme[lit]).all()
    assert lit[:, :, :-1].sum(axis=(1, 3)).tolist() == np.round(layer.preview[1][:, :-1] * (28 / 255)).tolist()
    extent = item.mapRectToParent(item.boundingRect())
    assert (extent.height(), extent.width()) == (125 * 4, 115 * 7)
    assert view.heatmap.box.yInverted()
    view.choices.shows.setCurrentIndex(view.choices.shows.findData("density"))
    assert ((item.levels > 0) == (run[20].layers[FC1].preview[1] > 0)).all()


def test_that_a_preview_from_an_earlier_snapshot_is_named_as_such(shown, run):
    layer = histories.Layer(histories.info("only", (8, 8), 8), 0)
    history = History(72)
    for number, preview in enumerate((True, False)):
        taken = (layer.snapshot(preview=preview),)
        history.append(type(run[0])(number, float(number), 0.0, "train", dict(run[0].scalars), taken))
    view = shown(WeightsView)
    view.draw(history, 1)
    assert "earlier snapshot" in view.captions.source.texts[0]
    view.draw(history, 0)
    assert "earlier" not in view.captions.source.texts[0]


def test_that_the_bars_count_rows_and_columns_and_empty_ones_are_told(shown, run):
    view = shown(WeightsView)
    view.draw(run, len(run) - 1)
    layer = run[len(run) - 1].layers[FC1]
    assert (view.heatmap.row_bars.kept.opts["width"] == layer.row_kept).all()
    assert (view.heatmap.column_bars.kept.opts["height"] == layer.column_kept).all()
    rows, columns = (layer.row_kept == 0).sum(), (layer.column_kept == 0).sum()
    assert view.captions.empties.texts[0] == f"empty: {rows} of 500 rows, {columns} of 800 columns"
    assert f"kept {layer.kept:,} of 400,000" in view.captions.header.texts[0]
    assert "500 × 800" in view.captions.header.texts[0]


def test_that_zooming_the_image_zooms_its_bars(shown, run):
    view = shown(WeightsView)
    view.draw(run, 20)
    view.heatmap.zoom(0.5)
    assert view.heatmap.row_plot.viewRange()[1] == pytest.approx(view.heatmap.plot.viewRange()[1], abs=2)
    assert view.heatmap.column_plot.viewRange()[0] == pytest.approx(view.heatmap.plot.viewRange()[0], abs=2)


def test_that_the_keys_zoom_move_and_reset(shown, run, qtbot):
    view = shown(WeightsView)
    view.draw(run, 20)
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    row0, row1, column0, column1 = view.heatmap.visible()
    assert (row1 - row0) * (column1 - column0) < 400_000
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.heatmap.visible()[2] > column0
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.heatmap.visible() == (0, 500, 0, 800)


def test_that_a_double_click_shows_all(shown, run, qtbot):
    view = shown(WeightsView)
    view.draw(run, 20)
    view.heatmap.zoom(0.3)
    canvas = view.heatmap.canvas
    place = canvas.mapFromScene(view.heatmap.box.sceneBoundingRect().center())
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert view.heatmap.visible() == (0, 500, 0, 800)


def test_that_cells_are_asked_for_only_where_they_are_available(shown, run, qtbot):
    view = shown(WeightsView)
    view.draw(run, 20)
    with qtbot.assertNotEmitted(view.cells_wanted, wait=250):
        view.heatmap.zoom(0.5)
    view.heatmap.reset()
    view.set_cells_available(True)
    assert cells_asked(qtbot, view) == ["fc1", 0, 500, 0, 800]
    view.heatmap.zoom(0.5)
    layer, row0, row1, column0, column1 = cells_asked(qtbot, view)
    assert layer == "fc1"
    assert 0 < row0 < row1 < 500
    assert 0 < column0 < column1 < 800


def test_that_never_more_than_a_million_cells_are_asked_for_and_more_come_in_blocks(shown, run, qtbot):
    info = histories.info("huge", (2000, 1000), 0)
    history = History(info.weights)
    taken = (histories.Layer(info, 0).snapshot(),)
    history.append(type(run[0])(0, 0.0, 0.0, "train", dict(run[0].scalars), taken))
    view = shown(WeightsView)
    view.draw(history, 0)
    view.set_cells_available(True)
    with qtbot.waitSignal(view.cells_wanted, timeout=2000) as asked:
        pass
    assert (asked.args[0].rows, asked.args[0].columns, asked.args[0].block) == (slice(0, 2000), slice(0, 1000), 2)
    view.heatmap.zoom(0.6)
    with qtbot.waitSignal(view.cells_wanted, timeout=2000) as asked:
        pass
    part = asked.args[0]
    assert part.block == 1
    assert 0 < (part.rows.stop - part.rows.start) * (part.columns.stop - part.columns.start) <= MOST_CELLS


def test_that_true_cells_lie_over_the_preview_until_another_snapshot_is_drawn(shown, run):
    view = shown(WeightsView)
    view.draw(run, 20)
    cells = histories.cells(run, FC1, 20, (100, 130, 200, 250))
    view.heatmap.box.setRange(xRange=(200, 250), yRange=(100, 130), padding=0)
    view.show_cells(cells)
    image = view.heatmap.cells.item.levels
    assert ((image != NONE_KEPT) == cells.kept).all()
    assert ((image > NONE_KEPT) == (cells.kept & (cells.weight >= 0))).all()
    assert view.captions.source.text() == f"true cells: live, step {run[20].step:,}"
    view.draw(run, 20)
    assert view.heatmap.cells.item.levels is not None
    view.draw(run, 21)
    assert view.heatmap.cells.item.levels is None
    assert "preview" in view.captions.source.text()


def test_that_true_cells_show_mask_and_decisive_quantity(shown, run):
    view = shown(WeightsView)
    view.set_cells_available(True)
    view.draw(run, 20)
    cells = histories.cells(run, FC1, 20, (100, 130, 200, 250), source="checkpoint")
    view.heatmap.box.setRange(xRange=(200, 250), yRange=(100, 130), padding=0)
    view.show_cells(cells)
    assert "checkpoint at step" in view.captions.source.text()
    view.choices.shows.setCurrentIndex(view.choices.shows.findData("density"))
    assert ((view.heatmap.cells.item.levels == 255) == cells.kept).all()
    view.choices.shows.setCurrentIndex(view.choices.shows.findData("quantity"))
    assert ((view.heatmap.cells.item.levels > 127) == (cells.quantity > 0.5)).all()
    view.set_cells_available(False)
    assert view.choices.shows.currentData() == "magnitude"


def test_that_cells_of_another_layer_come_too_late(shown, run):
    view = shown(WeightsView)
    view.draw(run, 20)
    view.show_cells(histories.cells(run, 1, 20, (0, 50, 0, 500)))
    assert view.heatmap.cells.item.levels is None


def test_that_the_pointer_reads_the_preview_and_then_the_true_cell(shown, run, qtbot):
    view = shown(WeightsView, (1000, 700))
    view.draw(run, 20)
    canvas = view.heatmap.canvas
    place = canvas.mapFromScene(view.heatmap.box.mapViewToScene(QPointF(231.5, 112.5)))
    qtbot.mouseMove(canvas.viewport(), QPoint(5, 5))
    qtbot.wait(50)  # pyqtgraph leaves out moves that follow each other more quickly than it can draw
    qtbot.mouseMove(canvas.viewport(), place)
    row, column = view._pointed
    assert abs(row - 112) <= 2
    assert abs(column - 231) <= 2
    density = run[20].layers[FC1].preview[1][row // 4, column // 7] / 255
    expected = f"{100 * density:.1f} % kept" if density else "nothing kept here"
    assert view.captions.hover.text().startswith(f"output {row}, input {column}")
    assert view.captions.hover.text().endswith(expected)
    cells = histories.cells(run, FC1, 20, (0, 500, 0, 800))
    view.show_cells(cells)
    _, weight, gate, state = view.captions.hover.text().split("   ")
    assert float(weight.removeprefix("w = ").replace("−", "-")) == pytest.approx(cells.weight[row, column], abs=6e-4)
    assert float(gate.removeprefix("g = ")) == pytest.approx(cells.quantity[row, column])
    cut_at = int(cells.cut_at[row, column])
    cut = f"cut at snapshot {cut_at + 1} (epoch {run[cut_at].epoch:.3g})"
    assert state == ("kept" if cells.kept[row, column] else cut)


def test_that_what_is_no_gate_of_the_paper_is_read_by_its_own_name(shown, run):
    view, cells = shown(WeightsView), histories.cells(run, FC1, 20, (0, 500, 0, 800))
    quantity = Quantity("P(open)", 0, 1, is_gate=True)
    info = dataclasses.replace(run[20].layers[FC1].info, quantity=quantity)
    assert f"P(open) = {cells.quantity[3, 5]:.3f}" in view.captions._true_cell(cells, (3, 5), info, (3, 5), run)


def test_that_a_cell_of_a_convolution_is_named_by_input_and_place(shown, run):
    view = shown(WeightsView)
    view.draw(run, 0)
    view.choices.layers.setCurrentIndex(1)
    view.heatmap.pointed.emit(7, 3 * 25 + 1 * 5 + 4)
    assert view.captions.hover.text().startswith("output 7, input 3 at (1, 4)")


def test_that_pooling_keeps_every_kept_cell():
    levels = np.full((7, 9), NONE_KEPT, np.uint8)
    levels[6, 8], levels[0, 0], levels[0, 1] = 1, 140, 120
    pooled = pool(levels, 3, 4, NONE_KEPT)
    assert pooled.shape == (3, 4)
    assert pooled[2, 3] == 1
    assert pooled[0, 0] == 140
    assert (pooled != NONE_KEPT).sum() == 2


@pytest.mark.parametrize("rest", [0, NONE_KEPT])
def test_that_pooling_to_any_size_takes_from_each_block_the_level_farthest_from_nothing(rest):
    levels = np.random.default_rng(0).integers(0, 256, (31, 47)).astype(np.uint8)
    height, width = 13, 29
    rows, columns = np.arange(height + 1) * 31 // height, np.arange(width + 1) * 47 // width
    for row, column in np.ndindex(height, width):
        block = levels[rows[row] : rows[row + 1], columns[column] : columns[column + 1]].astype(int)
        farthest = np.abs(block - rest).max()
        assert abs(int(pool(levels, height, width, rest)[row, column]) - rest) == farthest


def test_that_of_two_levels_the_farther_from_none_is_taken_and_of_equals_the_positive_one():
    pairs = np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=-1).reshape(-1, 2).astype(np.uint8)
    low, high = pairs.min(axis=1).astype(int), pairs.max(axis=1).astype(int)
    expected = np.where(high - NONE_KEPT >= NONE_KEPT - low, high, low)
    assert (pool(pairs, len(pairs), 1, NONE_KEPT)[:, 0] == expected).all()


def test_that_the_whole_of_a_layer_is_asked_for_after_every_move_and_drawn_cell_by_cell(shown, run, qtbot):
    view = shown(WeightsView, (1400, 1200))
    view.set_cells_available(True)
    for position in (20, 25):
        view.draw(run, position)
        assert cells_asked(qtbot, view) == ["fc1", 0, 500, 0, 800]
        cells = histories.cells(run, FC1, position, (0, 500, 0, 800))
        view.show_cells(cells)
        assert ((view.heatmap.cells.item.levels != NONE_KEPT) == cells.kept).all()


def test_that_all_cells_of_a_checkpoint_give_way_to_a_preview_that_is_nearer_to_now(shown, run):
    view = shown(WeightsView)
    view.draw(run, len(run) - 1)
    old = histories.cells(run, FC1, 5, (0, 500, 0, 800), source="checkpoint")
    view.show_cells(old)
    assert view.heatmap.cells.item.levels is None
    assert view.captions.source.texts[0].startswith("preview")
    view.show_cells(histories.cells(run, FC1, 5, (0, 50, 0, 80), source="checkpoint"))
    assert view.captions.source.texts[0].startswith("true cells: checkpoint")


@pytest.mark.parametrize("size", [(368, 300), (480, 330), (868, 500)])
def test_that_the_bars_take_less_than_a_fifth_and_no_caption_is_cut(shown, run, size):
    view = shown(WeightsView, size)
    view.draw(run, 20)
    QApplication.processEvents()
    heatmap, captions = view.heatmap, view.captions
    assert heatmap.row_plot.size().width() <= 0.18 * heatmap.width()
    assert heatmap.column_plot.size().height() <= max(0.18 * heatmap.height(), 42)
    for label in (captions.header, captions.hover, captions.source, captions.empties):
        assert label.text() in label.texts
