"""What the measurement of heatmaps compares: widgets of one size, and frames that end when they are painted."""

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from sparseviz.gui.views import VIEWS
from tests.bench import pictures

ARRAYS = [np.random.default_rng(seed).standard_normal((60, 90)).astype(np.float32) for seed in range(2)]


@pytest.fixture(params=[*pictures.PEERS, *pictures.FLOORS, "ours"])
def picture(request, qtbot, run):
    if request.param.startswith("silx"):
        pytest.importorskip("silx")
    if request.param == "ours":
        view = VIEWS["weights"]()
        made = pictures.ours(view, lambda number: view.draw(run, 20 + number))
    else:
        made = (pictures.PEERS | pictures.FLOORS)[request.param](ARRAYS)
    qtbot.addWidget(made.widget)
    return made


def test_that_every_change_is_painted_within_its_frame(picture):
    for change in (lambda: picture.renew(0), lambda: picture.zoom(0.5), lambda: picture.move(0.1, 0.1), picture.reset):
        before = picture.painted.count
        picture.frame(change)
        assert picture.painted.count > before


def test_that_every_picture_has_one_size_and_shows_other_weights_when_asked(picture, request):
    painted = picture.painted.parent()
    while isinstance(painted, QWidget) and painted.size() != pictures.SIZE:
        painted = painted.parent()
    assert painted is not None
    picture.frame(picture.renew, 0)
    picture.reset()
    picture.settle()
    before = picture.widget.grab().toImage()
    picture.renew(1)
    picture.settle()
    is_floor = any(name in request.node.name for name in pictures.FLOORS)
    assert (picture.widget.grab().toImage() == before) == is_floor


def test_that_a_frame_waits_for_a_painting_that_comes_late_and_not_for_ever(qtbot, monkeypatch):
    late = pictures.empty_widget([])
    qtbot.addWidget(late.widget)
    before = late.painted.count
    late.frame(lambda: QTimer.singleShot(50, late.widget.update))
    assert late.painted.count == before + 1
    monkeypatch.setattr(pictures, "WAIT_S", 0.05)
    with pytest.raises(TimeoutError, match="not painted"):
        late.frame(lambda: None)
