"""Thumbnails of the run list: the strip of a run's file, made for what is seen and for nothing else."""

import shutil

import h5py
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication

from sparseviz.gui.panels.run_list import thumbnails
from sparseviz.gui.panels.run_list.model import NAME, STRIP
from sparseviz.gui.panels.run_list.thumbnails import HEIGHT, WIDTH, make
from sparseviz.gui.qt import appearance
from sparseviz.store import RunReader
from sparseviz.store.header import read_header
from sparseviz.store.strip import StripReader
from tests.helpers.gui.run_list import WAIT_MS, column
from tests.helpers.gui.training import SHORT, begin, wait_for_end


@pytest.fixture
def folder(tmp_path, gated, dense):
    made = tmp_path / "list"
    made.mkdir()
    for source, name in ((gated.path, "gated"), (dense.path, "dense")):
        shutil.copy(source, made / f"{name}.h5")
    (made / "cut.h5").write_bytes(gated.path.read_bytes()[:3000])
    return made


@pytest.fixture
def panel(window, folder, qtbot):
    made = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    made.show_folder(folder)
    qtbot.waitUntil(lambda: made.model.rowCount() == 3, timeout=WAIT_MS)
    return made


def cell(panel, name):
    return panel.sorted.index(column(panel, NAME).index(name), STRIP)


def shown(panel, name):
    """What is drawn in the cell of a run."""
    panel.sheet.scrollTo(cell(panel, name))
    QApplication.processEvents()
    return panel.sheet.viewport().grab(panel.sheet.visualRect(cell(panel, name))).toImage()


def colours(picture):
    return {picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}


def test_that_a_strip_is_the_sum_of_the_layers_histograms_at_even_times(gated):
    with StripReader(gated.path) as run:
        strip, few = run.strip(WIDTH), run.strip(2)
        epochs = np.array([snapshot.epoch for snapshot in run.snapshots()])
    assert strip
    assert few
    sums = np.array([sum(layer.histogram for layer in snapshot.layers) for snapshot in gated.snapshots])
    times = np.linspace(epochs[0], epochs[-1], WIDTH)
    nearest = [int(np.abs(epochs - time).argmin()) for time in times]
    away = [not np.array_equal(one, sums[place]) for one, place in zip(strip.histograms, nearest, strict=True)]
    assert sum(away) <= 2  # a time just between two snapshots may be either's
    assert np.array_equal(few.histograms, sums[[0, -1]])
    assert strip.epochs == (epochs[0], epochs[-1])
    assert strip.quantity.is_gate


def test_that_a_picture_has_high_gates_on_top_and_shares_that_add_up(gated):
    made = make(gated.path)
    assert made
    assert made.levels.shape == (HEIGHT, WIDTH)
    total = sum(layer.histogram for layer in gated.snapshots[-1].layers)
    assert np.allclose(made.quarters, total.reshape(4, 16).sum(axis=1) / total.sum())
    assert np.array_equal(made.levels[:, -1] > 0, (total.reshape(HEIGHT, -1).sum(axis=1) > 0)[::-1])


def test_that_no_picture_is_made_of_what_cannot_be_read(folder, tmp_path):
    assert make(folder / "cut.h5") is None
    assert make(tmp_path / "nowhere.h5") is None


def test_that_a_picture_is_drawn_in_both_themes_and_told_in_words(panel, qtbot, qapp):
    for name in ("gated", "dense"):
        qtbot.waitUntil(lambda name=name: len(colours(shown(panel, name))) > 8, timeout=WAIT_MS)
    dark = colours(shown(panel, "gated"))
    appearance.apply(qapp, dark=panel.theme.dark is False)
    assert len(colours(shown(panel, "gated")) - dark) > 8
    words = cell(panel, "gated").data(Qt.ItemDataRole.ToolTipRole)
    assert words.startswith("Gate of all layers from 0 (below) to 1 (above), epochs 0 to 1 ")
    assert "in the highest quarter" in words
    assert cell(panel, "dense").data(Qt.ItemDataRole.ToolTipRole).startswith("|w| / std of all layers from 0")
    assert cell(panel, "cut").data(Qt.ItemDataRole.AccessibleTextRole) is None


def test_that_assistive_technology_hears_the_words_of_a_picture(panel, qtbot):
    def heard():
        table = QAccessible.queryAccessibleInterface(panel.sheet)
        return [table.child(number).text(QAccessible.Text.Name) for number in range(table.childCount())]

    qtbot.waitUntil(lambda: sum("of all layers" in text for text in heard()) == 2, timeout=WAIT_MS)


def test_that_only_rows_in_sight_are_read_and_each_once(window, tmp_path, gated, qtbot, monkeypatch):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(120):
        (folder / f"run-{number:03}.h5").hardlink_to(gated.path)
    made = []

    def make_known(path):
        made.append(path.stem)
        return make(path)

    monkeypatch.setattr(thumbnails, "make", make_known)
    panel = window.ui.runs
    panel.show_folder(folder)
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    qtbot.waitUntil(lambda: panel.model.rowCount() == 120, timeout=WAIT_MS)
    seen = visible(panel)
    assert 3 < len(seen) < 60
    qtbot.waitUntil(lambda: set(made) >= seen, timeout=WAIT_MS)
    wait_for_pictures(panel, qtbot)
    assert set(made) <= seen | visible(panel)
    panel.sheet.scrollToBottom()
    QApplication.processEvents()
    qtbot.waitUntil(lambda: set(made) >= visible(panel), timeout=WAIT_MS)
    panel.sheet.scrollToTop()
    wait_for_pictures(panel, qtbot)
    assert len(made) == len(set(made)) < 120


def wait_for_pictures(panel, qtbot):
    """Wait until all that the rows in sight wish for is there."""
    QApplication.processEvents()  # they wish when they are painted
    made = panel.thumbnails
    qtbot.waitUntil(lambda: not (made._wishes or made._inbox.is_waiting()), timeout=WAIT_MS)


def visible(panel):
    """The runs whose rows are in sight, be it in part."""
    inside = panel.sheet.viewport().rect()
    rows = [panel.sorted.index(row, NAME) for row in range(panel.sorted.rowCount())]
    return {index.data() for index in rows if panel.sheet.visualRect(index).intersects(inside)}


def test_that_a_run_that_has_grown_is_pictured_anew(panel, folder, gated, qtbot):
    header = read_header(folder / "gated.h5")
    qtbot.waitUntil(lambda: panel.thumbnails.known(header) is not None, timeout=WAIT_MS)
    with h5py.File(folder / "gated.h5", "r+") as file:
        file["snapshots/count"][0] = len(gated.snapshots) - 2
    shorter = read_header(folder / "gated.h5")
    assert panel.thumbnails.known(shorter) is None
    panel.refresh()
    qtbot.waitUntil(lambda: panel.thumbnails.known(shorter) is not None, timeout=WAIT_MS)
    with RunReader(folder / "gated.h5") as run:
        assert panel.thumbnails.known(shorter).epochs[1] == run.snapshots()[-1].epoch


def test_that_a_damaged_histogram_leaves_the_cell_empty_and_the_list_whole(panel, folder, qtbot):
    with h5py.File(folder / "dense.h5") as file:
        chunk = file["snapshots/histogram"].id.get_chunk_info(0)
    data = bytearray((folder / "dense.h5").read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    (folder / "hurt.h5").write_bytes(bytes(data))
    assert make(folder / "hurt.h5") is None
    qtbot.waitUntil(lambda: "hurt" in column(panel, NAME), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(colours(shown(panel, "gated"))) > 8, timeout=WAIT_MS)
    wait_for_pictures(panel, qtbot)
    assert len(colours(shown(panel, "hurt"))) < 3


def test_that_a_run_is_listed_and_pictured_again_and_again_while_it_trains_and_its_file_stays_whole(window, qtbot):
    panel = window.ui.runs
    next(dock for dock in window.ui.docks if dock.objectName() == "runs").raise_()
    begin(window, qtbot, SHORT | {"epochs": 400, "record.snapshots": 1000})
    path = window.run.path
    panel.show_folder(path.parent)
    seen = set()

    def pictured():
        panel.refresh()
        header = read_header(path)
        if panel.thumbnails.known(header) is not None:
            seen.add(header.epoch)
        panel.thumbnails.wish(header)
        return len(seen) > 4

    qtbot.waitUntil(pictured, timeout=3 * WAIT_MS)
    window.stop()
    wait_for_end(window, qtbot)
    window.open_run(path)
    assert window.run.status == "stopped"
    steps = [snapshot.step for snapshot in window.run.history]
    before_the_stop = steps[:-1] if steps[-1] == steps[-2] else steps  # a stop right after a snapshot adds one more
    assert before_the_stop == sorted(set(steps))
    assert len(steps) > 5
    with RunReader(path) as run:
        assert run.checkpoint().step == steps[-1]
