"""How a layer's weights lie in the weights view: kernels, images, sorted rows; ages, values and units."""

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from sparseviz.gui.qt.theme import NONE_KEPT
from sparseviz.gui.views import WeightsView
from sparseviz.gui.views.weights.placement import arrange, kinds_for
from sparseviz.values.cells import Part, answer
from tests.helpers import histories

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
CONV1, CONV2, FC1 = range(3)


def plain(layer, kind, input_shape=(), *, rows=False, columns=False):
    return arrange(kind, layer, input_shape, sort_rows=rows, sort_columns=columns)


def choose(box, key):
    box.setCurrentIndex(box.findData(key))


@pytest.fixture
def view(shown, run):
    made = shown(WeightsView, (1100, 800))
    made.set_cells_available(True)
    made.draw(run, 20)
    return made


def give_cells(view, run, layer, position=20):
    """Answer what the view would ask for when all is in sight."""
    arrangement = view._picture.arrangement
    part = arrangement.part(view.layer(), view.heatmap.visible(), 10**9)
    source = histories.planes(run[position].layers[layer])
    view.show_cells(answer(part, run[position].step, "live", source(part.true_rows(), part.true_columns())))
    QApplication.processEvents()


def test_that_kernels_lie_output_by_output_and_input_by_input(run):
    layer = run[20].layers[CONV2]  # (50, 20, 5, 5)
    arrangement = plain(layer, "kernels")
    assert (arrangement.shape, arrangement.tile) == ((250, 100), (5, 5))
    weights = np.random.default_rng(0).normal(size=(50, 20, 5, 5)).astype(np.float32)
    spread = arrangement.spread(weights.reshape(50, 500), 0)
    for output, unit, y, x in ((0, 0, 0, 0), (3, 19, 4, 0), (49, 7, 2, 3)):
        assert spread[5 * output + y, 5 * unit + x] == weights[output, unit, y, x]
        assert arrangement.at(5 * output + y, 5 * unit + x) == (output, 25 * unit + 5 * y + x)
    rows, columns = arrangement.bars(layer)
    assert (rows.kept == layer.row_kept).all()
    assert columns.kept.sum() == layer.kept
    assert (rows.width, columns.width) == (5, 5)


def test_that_filters_of_one_input_stand_in_rows_with_blanks_at_the_end(run):
    arrangement = plain(run[20].layers[CONV1], "kernels")
    assert arrangement.shape == (20, 25)  # 4 rows of 5 filters
    assert arrangement.of_unit(7) == (5, 10, 5, 5)
    assert arrangement.at(6, 12) == (7, 7)
    assert arrangement.bars(run[20].layers[CONV1]) is None
    three = histories.Layer(histories.info("rgb", (7, 3, 4, 4), 7), 0).snapshot()
    blank = plain(three, "kernels")
    assert blank.at(blank.shape[0] - 1, blank.shape[1] - 1) is None
    spread = blank.spread(np.ones((7, 48), np.float32), 0)
    assert spread.sum() == 7 * 48


def test_that_a_first_layer_s_units_become_images_of_the_input():
    layer = histories.Layer(histories.info("fc1", (300, 784), 300), 0).snapshot()
    assert kinds_for(layer.info, (1, 28, 28)) == ("matrix", "images")
    assert kinds_for(layer.info, ()) == ("matrix",)
    arrangement = plain(layer, "images", (1, 28, 28))
    assert arrangement.tile == (28, 28)
    row, column, height, width = arrangement.of_unit(20)
    weights = np.random.default_rng(0).normal(size=(300, 784)).astype(np.float32)
    tile = arrangement.spread(weights, 0)[row : row + height, column : column + width]
    assert (tile == weights[20].reshape(28, 28)).all()


def test_that_sorted_rows_and_columns_begin_with_the_fullest(run):
    layer = run[20].layers[FC1]
    arrangement = plain(layer, "matrix", rows=True, columns=True)
    rows, columns = arrangement.bars(layer)
    assert (np.diff(rows.kept) <= 0).all()
    assert (np.diff(columns.kept) <= 0).all()
    row, column = arrangement.at(0, 0)
    assert (layer.row_kept[row], layer.column_kept[column]) == (layer.row_kept.max(), layer.column_kept.max())
    assert arrangement.of_unit(row)[0] == 0


def test_that_a_part_has_room_around_it_and_whole_blocks(run):
    arrangement = plain(run[20].layers[FC1], "matrix")
    assert arrangement.part("fc1", (100, 140, 200, 300), 10_000) == Part("fc1", slice(90, 150), slice(175, 325))
    assert arrangement.part("fc1", (0, 500, 0, 800), 10_000) == Part("fc1", slice(0, 500), slice(0, 800), 8)
    assert arrangement.part("fc1", (99, 499, 7, 807), 400 * 100).block == 4
    assert arrangement.part("fc1", (99, 499, 7, 800), 400 * 100).rows == slice(96, 500)


def test_that_the_view_draws_kernels_and_names_what_is_under_the_pointer(view, run):
    view.choices.layers.setCurrentIndex(CONV2)
    choose(view.choices.kinds, "kernels")
    assert "being read" in view.captions.source.texts[0]
    give_cells(view, run, CONV2)
    kept = histories.planes(run[20].layers[CONV2])(slice(0, 50), slice(0, 500)).kept > 0
    drawn = view.heatmap.cells._picture.values
    assert (drawn != NONE_KEPT).sum() == kept.sum()
    view.heatmap.pointed.emit(5 * 7 + 1, 5 * 3 + 4)
    assert view.captions.hover.text().startswith("output 7, input 3 at (1, 4)   w = ")
    assert view.heatmap.marks.tile == (5, 5)


def test_that_sorting_waits_for_true_cells_in_that_order(view, run, qtbot):
    view.choices.sort_rows.setChecked(True)
    with qtbot.waitSignal(view.cells_wanted, timeout=2000) as asked:
        pass
    assert (asked.args[0].row_order == np.argsort(-run[20].layers[FC1].row_kept, kind="stable")).all()
    view.show_cells(histories.cells(run, FC1, 20, (0, 500, 0, 800)))  # unsorted: too late
    assert view.heatmap.cells.is_empty()
    give_cells(view, run, FC1)
    kept = view._picture.cells.cells.kept.sum(axis=1)
    assert (np.diff(kept) <= 0).all()
    assert (view.heatmap.row_bars.kept.opts["width"] == kept).all()


def test_that_what_needs_true_cells_is_offered_only_where_they_come(view):
    view.choices.layers.setCurrentIndex(CONV2)
    choose(view.choices.shows, "age")
    choose(view.choices.kinds, "kernels")
    view.set_cells_available(False)
    assert (view.choices.show_key(), view.choices.kind()) == ("magnitude", "matrix")
    for box, key in ((view.choices.shows, "age"), (view.choices.shows, "quantity"), (view.choices.kinds, "kernels")):
        item = box.model().item(box.findData(key))
        assert not item.isEnabled()
        assert "paused or stored" in item.toolTip()
    assert not view.choices.order.isEnabled()


def test_that_age_tells_at_which_snapshot_a_weight_was_cut(view, run):
    choose(view.choices.shows, "age")
    give_cells(view, run, FC1)
    cells, drawn = view._picture.cells.cells, view.heatmap.cells._picture.values
    assert (drawn[cells.kept] == 0).all()
    assert (np.diff(drawn[~cells.kept][np.argsort(cells.cut_at[~cells.kept])].astype(int)) >= 0).all()
    row, column = np.argwhere(~cells.kept & (cells.cut_at == 5))[0]
    view.heatmap.pointed.emit(int(row), int(column))
    assert view.captions.hover.text().endswith(f"cut at snapshot 6 (epoch {run[5].epoch:.3g})")
    assert view._picture.cells.text("age", row, column) == "6"


def test_that_density_shows_the_share_of_what_falls_into_a_pixel(view, run):
    choose(view.choices.shows, "density")
    give_cells(view, run, FC1)
    shares = view.heatmap.cells._picture.fitted(50, 80)[0] / 255
    kept = view._picture.cells.cells.kept.reshape(50, 10, 80, 10).mean(axis=(1, 3))
    densest = view.heatmap.cells._picture.fitted(50, 80)[1]
    assert densest == pytest.approx(kept.max())
    assert (np.abs(shares * densest - kept) <= 1 / 255).all()
    assert ((shares > 0) == (kept > 0)).all()
    top = view.heatmap.scale_plot.viewRange()[1][1]
    assert top == pytest.approx(100 * view.heatmap.densest())


def test_that_each_weight_s_value_is_written_once_it_has_room(view, run):
    view.choices.layers.setCurrentIndex(3)  # fc2, 10 x 500
    give_cells(view, run, 3)
    view.grab()
    assert view.heatmap.marks.written == 0
    view.heatmap.box.setRange(xRange=(0, 8), yRange=(0, 8), padding=0)
    view.grab()
    kept = int(view._picture.cells.cells.kept[:8, :8].sum())
    assert view.heatmap.marks.written == kept > 0
    choose(view.choices.shows, "quantity")
    view.grab()
    assert view.heatmap.marks.written == 64
    shown = view._picture.cells
    assert shown.text("quantity", 4, 3) == f"{shown.cells.quantity[4, 3]:.3f}"


def test_that_dead_rows_and_columns_are_marked_on_the_other_side_of_zero(view, run):
    view.draw(run, len(run) - 1)
    layer = run[len(run) - 1].layers[FC1]
    rows, columns = view.heatmap.row_bars.dead.opts, view.heatmap.column_bars.dead.opts
    assert marked(rows["y0"], rows["height"]) == np.flatnonzero(layer.row_kept == 0).tolist()
    assert marked(columns["x0"], columns["width"]) == np.flatnonzero(layer.column_kept == 0).tolist()
    assert rows["width"] < 0
    assert columns["height"] < 0


def test_that_the_mark_of_a_dead_column_fills_it_and_no_other(view, run):
    view.draw(run, len(run) - 1)
    kept = run[len(run) - 1].layers[FC1].column_kept
    view.heatmap.box.setRange(xRange=(300, 340), padding=0)
    QApplication.processEvents()
    image, box = view.heatmap.canvas.grab().toImage(), view.heatmap.column_plot.getViewBox()
    for column, part in itertools.product(range(300, 340), (0.2, 0.5, 0.8)):
        at = box.mapViewToScene(QPointF(column + part, -0.03 * kept.max())).toPoint()
        assert (image.pixelColor(at) == view.theme.warning) == (kept[column] == 0)


def marked(begins, lengths):
    """The rows or columns under marks; no two marks touch."""
    assert (begins[1:] > (begins + lengths)[:-1]).all()
    return [int(place) for begin, length in zip(begins, lengths, strict=True) for place in begin + np.arange(length)]


@pytest.fixture
def wide(shown, run):
    """A layer with more columns than a screen has, drawn, and how many weights each of them keeps."""
    info = histories.info("wide", (4, 9000), 4)
    history = type(run)(info.weights)
    taken = (histories.Layer(info, 0).snapshot(),)
    history.append(type(run[0])(0, 0.0, 0.0, "train", dict(run[0].scalars), taken))
    view = shown(WeightsView)
    view.draw(history, 0)
    return view, taken[0].column_kept


def test_that_more_bars_than_pixels_become_the_longest_of_their_neighbours(wide):
    view, kept = wide
    bars, together = view.heatmap.column_bars.kept.opts, int(9000 / view.heatmap.box.width())
    assert together > 8
    assert bars["width"] == together
    assert (bars["height"] == np.maximum.reduceat(kept, np.arange(0, 9000, together))).all()
    view.heatmap.box.setRange(xRange=(100, 200), padding=0)
    assert view.heatmap.column_bars.kept.opts["width"] == 1


def test_that_panning_draws_bars_anew_only_beyond_what_is_drawn(wide):
    view, kept = wide
    view.heatmap.box.setRange(xRange=(300, 400), padding=0)
    drawn = view.heatmap.column_bars.kept.opts["x0"]
    view.heatmap.move_by(0.2, 0)
    assert view.heatmap.column_bars.kept.opts["x0"] is drawn
    view.heatmap.move_by(0.2, 0)
    bars = view.heatmap.column_bars.kept.opts
    assert bars["x0"] is not drawn
    assert (bars["height"] == kept[bars["x0"]]).all()
    low, high = view.heatmap.box.viewRange()[0]
    assert bars["x0"].min() <= low
    assert high <= bars["x0"].max() + 1


def test_that_a_unit_is_chosen_by_click_and_keys_and_its_picture_asked_for(view, run, qtbot):
    asked = []
    view.picture_wanted.connect(lambda *unit: asked.append(unit))
    qtbot.keyClick(view, Qt.Key.Key_U)
    assert view.unit.isVisible()
    assert asked == [("fc1", 0)]
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert asked[-1] == ("fc1", 2)
    QApplication.processEvents()
    canvas = view.heatmap.canvas
    place = canvas.mapFromScene(view.heatmap.box.mapViewToScene(QPointF(400.5, 250.5)))
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    unit = asked[-1][1]
    assert abs(unit - 250) <= 2
    assert view.heatmap.marks.chosen.top() == unit
    picture = np.zeros((1, 28, 28), np.float32)
    picture[0, 3:9, 4] = 0.5
    view.show_unit("fc1", unit, picture)
    assert (view.unit.image.image > 0).sum() == 6
    assert view.unit.captions[1].text() == "sees 6 of 784 pixels"
    view.show_unit("fc1", unit + 1, picture * 0)  # too late: another unit is shown
    assert view.unit.captions[1].text() == "sees 6 of 784 pixels"
    view.show_unit("fc1", unit, picture * 0)
    assert "dead" in view.unit.captions[1].text()


def test_that_the_table_has_the_cells_in_sight_or_else_the_counts(view, run):
    table = view.table()
    assert table[0] == ["layer", "side", "number", "kept"]
    assert len(table) == 1 + 500 + 800
    cells = histories.cells(run, FC1, 20, (100, 110, 200, 220))
    view.show_cells(cells)
    table = view.table()
    assert table[0] == ["layer", "output", "column", "w", "gate", "kept", "cut at snapshot"]
    assert len(table) == 1 + 200
    assert table[21][:4] == ["fc1", 101, 200, float(cells.weight[1, 0])]
    view.clear()
    assert view.table() == []
