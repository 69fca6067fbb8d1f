"""What a run will need, told below the settings before it starts."""

import re

import pytest

from sparseviz.config import RunConfig
from sparseviz.gui.panels.steering.cost_note import CostNote
from sparseviz.training.memory import memory_of

pytestmark = pytest.mark.qt_log_level_fail("WARNING")


@pytest.fixture
def note(qtbot):
    note = CostNote()
    qtbot.addWidget(note)
    note.show()
    return note


def test_that_disk_is_told_at_once_and_memory_after_a_moment(note, qtbot):
    note.show_cost(RunConfig())
    assert note.text() == "Checkpoints: 6 of 14.2 MB, 85 MB in all"
    qtbot.waitUntil(lambda: "Memory" in note.text(), timeout=20_000)
    needed, free = map(float, re.findall(r"([\d.]+) GB", note.text()))
    memory = memory_of(RunConfig(), (1, 28, 28), 10)
    assert memory is not None
    assert needed == pytest.approx(memory.needed / 1e9, abs=0.06)
    assert free > 0


def test_that_what_does_not_fit_is_told_with_what_to_reduce(note, qtbot):
    config = {"network": "vgg16", "data.name": "folder", "batch_size": 4096, "device": "cpu"}
    note.show_cost(RunConfig().changed(config))
    qtbot.waitUntil(lambda: "Memory" in note.text(), timeout=20_000)
    assert "⚠" in note.text()
    assert "lower batch_size" in note.text()


def test_that_only_the_newest_settings_are_told_of(note, qtbot):
    note.show_cost(RunConfig())
    note.show_cost(RunConfig().changed({"network": "lenet300"}))
    qtbot.waitUntil(lambda: "Memory" in note.text(), timeout=20_000)
    assert note.text().startswith("Checkpoints: 6 of 8.8 MB")


@pytest.mark.parametrize("changed", [{"network": "a.b:make"}, {"data.name": "npz"}, {"network": "vgg16"}])
def test_that_nothing_is_said_of_memory_where_it_is_not_known(note, qtbot, changed):
    note.show_cost(RunConfig().changed(changed))
    qtbot.waitUntil(lambda: note._thread is not None and not note._inbox.is_waiting(), timeout=20_000)
    assert "Memory" not in note.text()
    assert note.text().startswith("Checkpoints")
