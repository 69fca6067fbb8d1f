"""The overview of many layers' gates, read back from what it has drawn."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from sparseviz.gui.views import GatesView
from sparseviz.gui.views.base import undecided
from sparseviz.gui.views.gates.counts import share_levels
from sparseviz.gui.views.gates.overview import FEW
from sparseviz.values.history import History
from tests.helpers import histories

pytestmark = pytest.mark.qt_log_level_fail("WARNING")
SIZES = [(330, 600), (900, 700)]


def many(shown, size=(480, 700)):
    view = shown(GatesView, size)
    view.draw(histories.deep(), 30)
    QApplication.processEvents()
    return view


def at(view, line, epoch, plot=0):
    canvas = view.overview.canvas
    return canvas.mapFromScene(view.overview.plots[plot].getViewBox().mapViewToScene(QPointF(epoch, line + 0.5)))


def test_that_few_layers_have_no_overview(shown, run):
    view = shown(GatesView)
    view.draw(run, 3)
    assert not view.overview.isVisible()
    deep = many(shown)
    assert deep.overview.isVisible()
    deep.bar.filter.setText("block3.fc3*")
    assert len(deep.list.shown()) > FEW
    assert deep.overview.isVisible()
    deep.bar.filter.setText("fc35")
    assert not deep.overview.isVisible()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("log", [True, False])
def test_that_every_line_is_as_bright_as_the_share_kept_and_undecided(shown, size, log):
    view, run = many(shown, size), histories.deep()
    view.bar.log.setChecked(log)
    kept, open_still = (image.image for image in view.overview.images)
    for column, position in ((0, 0), (-1, len(run) - 1)):
        layers = run[position].layers
        shares = np.array([layer.kept / layer.info.weights for layer in layers], dtype=np.float32)
        assert (kept[:, column] == share_levels(shares, log=log)).all()
        shares = np.array([undecided(layer) for layer in layers], dtype=np.float32)
        assert (open_still[:, column] == share_levels(shares, log=log)).all()
    assert ("(log)" if log else "(linear)") in view.overview.captions[0].texts[0]


def test_that_the_overview_of_a_growing_history_equals_that_of_the_whole(shown):
    growing, run = shown(GatesView), histories.deep(12, 150)
    history = History(run.parameters)
    for snapshot in run:
        history.append(snapshot)
        growing.draw(history, len(history) - 1)
    whole = shown(GatesView)
    whole.draw(run, len(run) - 1)
    for one, other in zip(growing.overview.images, whole.overview.images, strict=True):
        assert (one.image == other.image).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("plot", [0, 1])
def test_that_pointing_at_a_line_names_the_layer_and_its_shares_there(shown, qtbot, size, plot):
    view, run = many(shown, size), histories.deep()
    viewport = view.overview.canvas.viewport()
    qtbot.mouseMove(viewport, QPoint(5, 5))
    qtbot.wait(50)  # pyqtgraph leaves out moves that follow each other more quickly than it can draw
    qtbot.mouseMove(viewport, at(view, 50, 5.0, plot))
    QApplication.processEvents()
    pointed = view.overview.pointed
    assert abs(pointed - 50) <= 1
    layer = run[10].layers[pointed]
    said = view.overview.readout.texts[0]
    assert said.startswith(f"{layer.info.name} · {100 * layer.kept / layer.info.weights:.1f} % kept")
    assert f"{100 * undecided(layer):.1f} % undecided" in said
    assert said.endswith("epoch 5")
    assert view.overview.readout.text() in view.overview.readout.texts
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    assert view.overview.pointed is None


def test_that_a_click_goes_to_the_layer_and_a_double_click_shows_it_large(shown, qtbot):
    view = many(shown, (900, 900))
    viewport = view.overview.canvas.viewport()
    place = at(view, 70, 5.0)
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    number = view.list.current
    assert abs(number - 70) <= 1
    assert view.rows[number].hasFocus()
    assert number in view.list.in_sight()
    assert not view.rows[number].stale
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place)
    assert view.is_large()
    assert view.large.number == number


def test_that_the_lines_in_sight_in_the_list_are_marked(shown):
    view = many(shown)
    for number in (0, 99):
        view.list.go(number)
        QApplication.processEvents()
        seen = view.list.in_sight()
        assert view.overview.sights[0].getRegion() == (seen[0], seen[-1] + 1)


def test_that_the_keys_walk_the_lines_and_enter_shows_the_layer_large(shown, qtbot):
    view = many(shown)
    view.overview.setFocus()
    steps = ((Qt.Key.Key_Down, 0), (Qt.Key.Key_Down, 1), (Qt.Key.Key_PageDown, 11), (Qt.Key.Key_Up, 10))
    for key, line in (*steps, (Qt.Key.Key_End, 99), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Up, 0)):
        qtbot.keyClick(view.overview, key)
        assert view.overview.pointed == line
        assert view.overview.readout.texts[0].startswith(histories.deep()[30].layers[line].info.name)
    qtbot.keyClick(view.overview, Qt.Key.Key_Return)
    assert view.is_large()
    assert view.large.number == 0


def test_that_lines_are_those_of_the_filter_and_time_is_that_of_the_strips(shown):
    view = many(shown)
    view.bar.filter.setText("block1*")
    view.set_time_range(2.0, 8.0)
    image = view.overview.images[0]
    assert image.image.shape[0] == 10
    assert view.overview.plots[0].viewRange()[0] == pytest.approx([2.0, 8.0])
    layers = histories.deep()[4].layers[10:20]
    shares = np.array([layer.kept / layer.info.weights for layer in layers], dtype=np.float32)
    assert (image.image[:, 0] == share_levels(shares, log=True)).all()
