"""A run on a folder of images in the window: workers beside Qt, colours, stop and close."""

import multiprocessing
import time

import numpy as np
import pytest

from sparseviz.config import RunConfig, own_code, paths
from sparseviz.gui.views.examples.grey import picture
from tests.helpers.data.folders import train_and_val

SETTINGS = {
    "network": "tests.helpers.networks:coloured",
    "epochs": 2,
    "batch_size": 8,
    "threads": 1,
    "data.name": "folder",
    "data.size": 20,
    "data.augment": True,
    "data.workers": 1,
    "record.snapshots": 6,
}


@pytest.fixture
def ready(window, tmp_path, monkeypatch):
    """The window, about to train on a folder with a file that cannot be read."""
    own_code.trust(own_code.find("tests.helpers.networks:coloured"), remember=False)
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path / "cache")
    folder = train_and_val(tmp_path / "set", 16, 6)
    (folder / "train" / "red" / "bad.png").write_bytes(b"none")

    def start(**changes):
        named = {name.replace("__", "."): value for name, value in changes.items()}
        window.ui.steering.set_config(RunConfig().changed(SETTINGS | {"data.folder": str(folder)} | named))
        window.train()

    window.start = start
    yield window
    assert multiprocessing.active_children() == []


WAIT_MS = 60_000


def test_that_it_trains_to_its_end_and_shows_its_images_in_colour(ready, qtbot):
    ready.start()
    qtbot.waitUntil(lambda: not ready.is_training(), timeout=WAIT_MS)
    assert ready.run.status == "finished"
    assert ready.run.info.data_note.startswith("1 of 67 images cannot be read and are left out: train/red/bad.png (")
    layout = ready.ui
    layout.go_to(layout.examples)
    ready.examples.look(ready.ui.time.value() if hasattr(ready.ui.time, "value") else 0)
    qtbot.waitUntil(lambda: layout.examples.answers is not None, timeout=WAIT_MS)
    assert layout.examples.answers.images.shape == (4, 3, 20, 20)
    layout.examples.tabs.setCurrentIndex(1)
    assert not layout.examples.pad.isEnabled()
    assert not layout.examples.take.isEnabled()


@pytest.mark.parametrize("way", ["stop", "close"])
def test_that_a_stop_and_a_closed_window_end_it_soon_and_leave_no_process(ready, qtbot, way):
    ready.start(epochs=10_000)
    qtbot.waitUntil(lambda: len(getattr(ready.run, "history", ())) > 0, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: ready.run.trainer.step > 5, timeout=WAIT_MS)
    assert len(multiprocessing.active_children()) == 1
    began = time.monotonic()
    if way == "stop":
        ready.menu.stop.trigger()
        qtbot.waitUntil(lambda: not ready.is_training(), timeout=WAIT_MS)
    else:
        ready.close()
    assert time.monotonic() - began < 20  # seconds; a busy machine is slow


def test_that_three_channels_keep_their_colours_and_one_is_ink():
    colours = [level << 8 for level in range(256)]
    pixels = np.zeros((3, 2, 5), np.float32)
    pixels[0, 1, 4], pixels[2, 0, 0] = 1, 0.5
    image = picture(pixels, colours)
    assert (image.width(), image.height()) == (5, 2)
    assert image.pixelColor(4, 1).getRgb() == (255, 0, 0, 255)
    assert image.pixelColor(0, 0).getRgb() == (0, 0, 128, 255)
    assert picture(pixels[:1], colours).pixel(4, 1) & 0xFFFFFF == 255 << 8
