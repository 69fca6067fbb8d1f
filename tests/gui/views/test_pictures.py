"""Every view against its picture, dark and light, drawn from a run file of format 2 with matplotlib's own font.

A picture may differ in LEAST_SHARE of its pixels by more than LEAST_STEP of 255 levels: versions of Qt and FreeType
smooth edges differently. After a change that is meant, `pytest tests/gui/views/test_pictures.py --update-snapshots`;
look at what has changed.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PySide6.QtGui import QColor, QFont, QFontDatabase, QImage
from PySide6.QtWidgets import QApplication

from sparseviz.analysis.answers import Network, validation_examples
from sparseviz.analysis.receptive import receptive_picture
from sparseviz.gui.qt import appearance
from sparseviz.gui.views import VIEWS
from sparseviz.gui.views.examples.view import ExamplesView
from sparseviz.gui.views.prior.view import PriorView
from sparseviz.store import RunReader
from sparseviz.values.cells import Part, Pyramids
from sparseviz.values.prior import Prior
from tests.helpers.places import FORMATS

RUN = FORMATS / "format-2.h5"
PICTURES = Path(__file__).parent / "pictures"
FONT = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
SIZE = 640, 440
LEAST_STEP, LEAST_SHARE = 48, 0.01


@pytest.fixture(params=["dark", "light"])
def theme(request, qapp):
    """The program's own style and colours, and a font that every machine has."""
    style, palette, font = qapp.style().name(), qapp.palette(), qapp.font()
    number = QFontDatabase.addApplicationFont(str(FONT))
    shown = QFont(QFontDatabase.applicationFontFamilies(number)[0])
    shown.setPixelSize(13)
    qapp.setStyle("Fusion")
    qapp.setFont(shown)
    appearance.apply(qapp, dark=request.param == "dark")
    yield request.param
    qapp.setFont(font)
    qapp.setPalette(palette)
    qapp.setStyle(style)
    QFontDatabase.removeApplicationFont(number)


@pytest.fixture(scope="module")
def reader():
    with RunReader(RUN) as run:
        yield run


@pytest.fixture
def compare(request, theme):
    """Hold a widget against its picture, or take its picture anew."""

    def check(widget, name):
        QApplication.processEvents()
        shown, path = widget.grab().toImage(), PICTURES / f"{name}-{theme}.png"
        if request.config.getoption("--update-snapshots"):
            assert shown.save(str(path))
            return
        assert path.is_file(), f"{path} is missing; --update-snapshots makes it"
        share = differing(pixels(shown), pixels(QImage(str(path))))
        if share > LEAST_SHARE:
            shown.save(str(path.with_name(f"{path.stem}-differs.png")))
        assert share <= LEAST_SHARE, f"{100 * share:.1f} % of the pixels of {path.name} differ"

    return check


def pixels(image):
    """(height, width, 3) from 0 to 255."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).astype(int)


def differing(one, other):
    """Share of the pixels that differ by more than LEAST_STEP in some colour; 1 for another size."""
    return 1.0 if one.shape != other.shape else float((np.abs(one - other).max(axis=2) > LEAST_STEP).mean())


def drawn(view_class, reader, shown, position=8):
    view = shown(view_class, SIZE)
    view.draw(reader.history(), position)
    return view


@pytest.mark.parametrize("name", VIEWS)
def test_that_a_view_of_the_stored_run_looks_as_it_did(name, theme, reader, shown, compare):
    compare(drawn(VIEWS[name], reader, shown), name)


@pytest.mark.parametrize("name", VIEWS)
def test_that_an_empty_view_says_what_will_appear(name, theme, shown, compare):
    compare(shown(VIEWS[name], SIZE), f"{name}-empty")


@pytest.mark.parametrize("show", ["magnitude", "sign", "mask", "density", "quantity", "age"])
def test_that_true_weights_look_as_they_did(show, theme, reader, shown, compare):
    view = drawn(VIEWS["weights"], reader, shown)
    view.set_cells_available(True)
    view.choices.shows.setCurrentIndex(view.choices.shows.findData(show))
    view.show_cells(reader.cells(Part("fc1", slice(0, 12), slice(0, 784)), 209, Pyramids()))
    compare(view, f"weights-{show}")


def test_that_units_as_images_and_what_one_of_them_sees_look_as_they_did(theme, reader, shown, compare):
    view = shown(VIEWS["weights"], SIZE)
    view.set_input_shape(reader.input_shape)
    view.draw(reader.history(), 12)
    view.set_cells_available(True)
    view.choices.kinds.setCurrentIndex(view.choices.kinds.findData("images"))
    view.show_cells(reader.cells(Part("fc1", slice(0, 12), slice(0, 784)), 228, Pyramids()))
    view.choices.unit.click()
    picture = receptive_picture("tests.helpers.networks:small", reader.checkpoint(), "fc1", 0, reader.input_shape)
    view.show_unit("fc1", 0, picture)
    compare(view, "weights-images")


def test_that_the_values_of_weights_look_as_they_did(theme, reader, shown, compare):
    view = drawn(VIEWS["weights"], reader, shown)
    view.set_cells_available(True)
    view.choices.layers.setCurrentText("fc2")
    view.show_cells(reader.cells(Part("fc2", slice(0, 10), slice(0, 12)), 228, Pyramids()))
    view.heatmap.box.setRange(xRange=(0, 6), yRange=(0, 6), padding=0)
    compare(view, "weights-values")


def test_that_one_layer_s_gates_look_as_they_did(theme, reader, shown, compare):
    view = drawn(VIEWS["gates"], reader, shown)
    view.show_layer(0)
    compare(view, "gates-large")


def test_that_examples_look_as_they_did(theme, reader, shown, compare):
    view = shown(ExamplesView, SIZE)
    network = Network(reader.info, reader.checkpoint())
    view.show_answers(network.answers(validation_examples(reader.info)))
    compare(view, "examples")


def test_that_the_penalty_looks_as_it_did(theme, shown, compare):
    view = shown(PriorView, SIZE)
    view.draw_prior(Prior(1e-3, 5e-2, 0.75))
    compare(view, "prior")


def test_that_a_view_that_draws_something_else_is_caught(theme, reader, shown, request):
    if request.config.getoption("--update-snapshots"):
        pytest.skip("the pictures are being made")
    view = drawn(VIEWS["gates"], reader, shown, position=1)
    QApplication.processEvents()
    picture = pixels(QImage(str(PICTURES / f"gates-{theme}.png")))
    assert differing(pixels(view.grab().toImage()), picture) > LEAST_SHARE
    assert differing(picture, picture) == 0
    empty = QImage(*SIZE, QImage.Format.Format_RGB888)
    empty.fill(QColor("black"))
    assert differing(pixels(empty), picture) > LEAST_SHARE
