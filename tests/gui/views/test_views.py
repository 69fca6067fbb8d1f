"""What every view does, and the colours they share, read back from what is drawn."""

import re

import numpy as np
import pytest
from pyqtgraph import AxisItem, GraphicsView
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from sparseviz.gui.qt.theme import NONE_KEPT, count_colours, magnitude_colours, sign_colours, theme_of
from sparseviz.gui.views import VIEWS
from sparseviz.gui.views.prior.view import POINTS, PriorView
from sparseviz.values.history import History
from sparseviz.values.prior import Prior
from tests.helpers import histories
from tests.helpers.gui.pixels import dark_palette

pytestmark = pytest.mark.qt_log_level_fail("WARNING")


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_view_without_a_history_says_what_will_appear_and_how(shown, name):
    view = shown(VIEWS[name])
    assert view.is_empty()
    assert view.empty.isVisible()
    assert "Press Train" in view.empty.text()
    assert view.accessibleName() == view.title()


@pytest.mark.parametrize("name", VIEWS)
def test_that_an_empty_history_leaves_the_invitation_and_clear_brings_it_back(shown, run, name):
    view = shown(VIEWS[name])
    view.draw(History(10), 0)
    assert view.is_empty()
    view.draw(run, 3)
    assert not view.is_empty()
    view.clear()
    assert view.is_empty()
    view.draw(run, len(run) - 1)
    assert not view.is_empty()


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_view_takes_on_a_dark_palette_while_it_shows_a_run(shown, run, name):
    view = shown(VIEWS[name])
    view.draw(run, 5)
    view.setPalette(dark_palette())
    QApplication.processEvents()
    assert view.theme.dark
    middle = view.grab().toImage()
    corner = middle.pixelColor(middle.width() - 3, middle.height() // 2)
    assert corner.lightness() < 128


@pytest.mark.parametrize("name", VIEWS)
def test_that_another_run_with_other_layers_takes_the_place_of_the_first(shown, run, name):
    view = shown(VIEWS[name])
    view.draw(run, 5)
    other = histories.magnitude()
    view.draw(other, len(other) - 1)
    view.draw(run, 10**6)
    assert view.position == len(run) - 1
    view.draw(other, -1)
    assert view.position == 0


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_run_of_one_snapshot_is_drawn(shown, name):
    view = shown(VIEWS[name])
    view.draw(histories.lenet5(snapshots=1), 0)
    view.grab()
    assert not view.is_empty()


@pytest.mark.parametrize("dark", [True, False])
def test_that_the_smallest_kept_weight_stands_out_from_nothing_kept(qapp, dark):
    light = QPalette(QColor("#e8e8e8"), QColor("#f4f4f6"))
    theme = theme_of(dark_palette() if dark else light)
    assert theme.dark == dark
    tables = [magnitude_colours(theme), sign_colours(theme), count_colours(theme)]
    for colours, nothing in zip(tables, (NONE_KEPT, NONE_KEPT, 0), strict=True):
        least = np.abs(colours[nothing + 1].astype(int) - colours[nothing])
        assert least.sum() > 90
        assert QColor(*colours[nothing].tolist()) == theme.background
    negative, positive = sign_colours(theme)[[NONE_KEPT - 60, NONE_KEPT + 60]].astype(int)
    assert negative[2] > negative[0]
    assert positive[0] > positive[2]


@pytest.mark.parametrize("name", ["gates", "weights", "curves"])
def test_that_the_numbers_of_every_axis_stay_true_when_the_palette_changes(shown, run, name):
    view = shown(VIEWS[name])
    for position in (5, len(run) - 1):
        view.draw(run, position)
        view.setPalette(dark_palette())
        QApplication.processEvents()
    axes = [item for canvas in view.findChildren(GraphicsView) for item in canvas.items() if isinstance(item, AxisItem)]
    assert len(axes) >= 8
    assert all(axis.autoSIPrefixScale == 1.0 and not axis.autoSIPrefix for axis in axes)


PANES = VIEWS | {"prior": PriorView}


def filled(view, run):
    """The view with something to see."""
    if isinstance(view, PriorView):
        view.draw_prior(Prior(0.05, 0.029, 0.75))
    else:
        view.draw(run, 20)
    return view


@pytest.mark.parametrize("name", PANES)
def test_that_a_view_teaches_in_two_sentences_where_a_new_user_stops(shown, name):
    view = shown(PANES[name])
    assert view.whatsThis() == view.lesson()
    assert len(re.findall(r"\.(?= [A-Z]|$)", view.lesson())) == 2


@pytest.mark.parametrize("name", PANES)
def test_that_a_view_gives_its_values_with_headings_and_none_while_it_is_empty(shown, run, name):
    view = shown(PANES[name])
    assert view.table() == []
    heads, *rows = filled(view, run).table()
    assert all(isinstance(head, str) and head for head in heads)
    assert rows
    assert {len(row) for row in rows} == {len(heads)}
    assert {type(value) for row in rows for value in row} <= {str, int, float}


def test_that_the_values_given_are_the_historys_own(shown, run):
    now = run[20]
    tables = {name: filled(shown(kind), run).table() for name, kind in PANES.items()}
    counts = [row[4] for row in tables["gates"][1:] if row[0] == "fc1"]
    assert counts == now.layers[2].histogram.tolist()
    assert [row[0] for row in tables["curves"][1:]] == [run[at].step for at in range(len(run))]
    assert dict(zip(*tables["curves"][::21], strict=True))["parameters kept"] == now.scalars["parameters_kept"]
    assert [row[3] for row in tables["layers"][1:5]] == [layer.kept for layer in now.layers]
    assert tables["layers"][-1][2:4] == [430_500, sum(layer.kept for layer in now.layers)]
    assert [row[3] for row in tables["weights"][1:] if row[1] == "row"] == now.layers[2].row_kept.tolist()
    assert [row[3] for row in tables["weights"][1:] if row[1] == "column"] == now.layers[2].column_kept.tolist()
    middle = tables["prior"][1 + POINTS // 2]
    assert middle[1] == pytest.approx(0.05 * middle[0] * (1 - middle[0]) + 0.029 * middle[0])
