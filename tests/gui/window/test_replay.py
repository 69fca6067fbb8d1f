"""Replay: the time bar plays a stored run, and the run is saved as an animated GIF."""

import itertools
from time import perf_counter

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QMessageBox

from sparseviz.gui.dialogs.animation import MOST_FRAMES, AnimationDialog, least_stride, positions
from sparseviz.gui.dialogs.gif_file import GifFile
from sparseviz.gui.dialogs.view_file import ViewFileError, picture
from sparseviz.gui.window.playback import SPEEDS

WAIT_MS = 20_000


@pytest.fixture
def time(opened):
    return opened.ui.time


@pytest.fixture
def dialog(opened):
    """The dialog, with the curves in focus."""
    opened.ui.curves.setFocus()
    opened.menu.animation.trigger()
    return opened.findChild(AnimationDialog)


def fast(time):
    time.speed.setCurrentIndex(len(SPEEDS) - 1)


def watched(time):
    """The positions as they are asked for and drawn, in turn."""
    seen = []
    time.moved.connect(lambda position: seen.append(("asked", position)))
    time.drawn.connect(lambda: seen.append(("drawn", time.position())))
    return seen


def frames_of(path):
    with Image.open(path) as file:
        return [np.asarray(frame.convert("RGB"), dtype=np.int16) for frame in ImageSequence.Iterator(file)]


class TestPlaying:
    def test_that_every_snapshot_is_drawn_in_turn_from_the_first_and_it_stops_at_the_last(self, opened, time, qtbot):
        last = time.slider.maximum()
        assert time.position() == last > 5
        fast(time)
        seen = watched(time)
        opened.menu.play.trigger()
        assert opened.menu.play.text() == "P&ause Snapshots"
        qtbot.waitUntil(lambda: not opened.menu.play.isChecked(), timeout=WAIT_MS)
        assert seen == [(did, position) for position in range(last + 1) for did in ("asked", "drawn")]
        with qtbot.assertNotEmitted(time.moved, wait=200):
            assert time.position() == last

    def test_that_space_at_the_slider_plays_and_pauses_and_the_next_goes_on_from_there(self, time, qtbot):
        fast(time)
        time.choose(2)
        time.slider.setFocus()
        qtbot.keyClick(time.slider, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: time.position() >= 4, timeout=WAIT_MS)
        qtbot.keyClick(time.slider, Qt.Key.Key_Space)
        at = time.position()
        with qtbot.assertNotEmitted(time.moved, wait=200):
            assert time.position() == at
        seen = watched(time)
        qtbot.keyClick(time.slider, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: len(seen) > 0, timeout=WAIT_MS)
        assert ("asked", at + 1) in seen[:2]

    def test_that_the_speed_is_not_exceeded(self, time, opened, qtbot):
        assert [time.speed.itemData(index) for index in range(time.speed.count())] == [1, 2, 5, 10, 20]
        time.choose(0)
        time.speed.setCurrentIndex(0)
        at = [perf_counter()]
        time.moved.connect(lambda _position: at.append(perf_counter()))
        opened.menu.play.trigger()
        qtbot.waitUntil(lambda: time.position() == 2, timeout=WAIT_MS)
        assert all(later - earlier > 0.99 for earlier, later in itertools.pairwise(at))

    def test_that_nothing_more_is_asked_for_while_the_window_has_not_drawn(self, time, opened, qtbot):
        fast(time)
        with qtbot.waitSignal(opened.drawn, timeout=WAIT_MS, check_params_cb=lambda _, position: position == 0):
            time.choose(0)
        time.moved.disconnect(opened.redraws.ask)  # a window that does not come to drawing
        seen = watched(time)
        opened.menu.play.trigger()
        qtbot.waitUntil(lambda: len(seen) > 0, timeout=WAIT_MS)
        with qtbot.assertNotEmitted(time.moved, wait=200):
            assert seen == [("asked", 1)]
        opened.redraws.ask()
        qtbot.waitUntil(lambda: ("asked", 2) in seen, timeout=WAIT_MS)
        assert seen == [("asked", 1), ("drawn", 1), ("asked", 2)]

    def test_that_home_end_and_their_menu_actions_go_to_the_first_and_last(self, time, opened, qtbot):
        last = time.slider.maximum()
        for key, position in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_End, last)):
            qtbot.keyClick(time.slider, key)
            assert time.position() == position
        for action, position in ((opened.menu.first, 0), (opened.menu.last, last)):
            action.trigger()
            assert time.position() == position

    def test_that_the_slider_has_room_in_a_narrow_window(self, time, opened, qtbot):
        at = f"{time.position() + 1} of {len(opened.run.history)}"
        assert at in time.label.text()
        opened.resize(1100, 700)
        qtbot.waitUntil(lambda: at not in time.label.text(), timeout=WAIT_MS)
        assert f"{time.position() + 1}/{len(opened.run.history)} · epoch" in time.label.text()
        qtbot.waitUntil(lambda: 90 < time.slider.width() < 200, timeout=WAIT_MS)

    def test_that_another_run_or_none_stops_playing(self, time, opened, gated):
        opened.menu.play.trigger()
        opened.open_run(gated.path)
        assert not opened.menu.play.isChecked()
        opened.ui.clear()
        assert not opened.menu.play.isEnabled()
        assert not time.speed.isEnabled()


class TestAnimation:
    def test_that_every_snapshot_becomes_a_frame_as_the_view_draws_it(self, dialog, time, opened, qtbot, tmp_path):
        view, length = opened.ui.curves, len(opened.run.history)
        assert dialog.what.currentData() is view
        assert f"{length} frames of {view.width()} × {view.height()} pixels" in dialog.told.text()
        dialog.start(tmp_path / "run.gif")
        qtbot.waitUntil(lambda: dialog.told.text().startswith("✓"), timeout=WAIT_MS)
        frames = frames_of(tmp_path / "run.gif")
        assert len(frames) == length
        assert frames[0].shape == (view.height(), view.width(), 3)
        assert all(np.abs(one - other).max() > 50 for one, other in itertools.pairwise(frames))
        assert [path.name for path in tmp_path.glob("*run*")] == ["run.gif"]
        with qtbot.waitSignal(opened.drawn, timeout=WAIT_MS, check_params_cb=lambda _, position: position == 3):
            time.choose(3)
        picture(view).save(str(tmp_path / "shown.png"))
        with Image.open(tmp_path / "shown.png") as file:
            shown = np.asarray(file.convert("RGB"), dtype=np.int16)
        apart = [np.abs(shown - frame).mean() for frame in frames]  # 256 colours instead of all
        assert min(apart) == apart[3] < 2

    def test_that_the_window_shows_what_it_showed_before(self, opened, time, qtbot, tmp_path):
        time.choose(3)
        opened.menu.animation.trigger()
        dialog = opened.findChild(AnimationDialog)
        dialog.what.setCurrentIndex(dialog.what.count() - 1)
        dialog.stride.setValue(4)
        dialog.start(tmp_path / "run.gif")
        qtbot.waitUntil(lambda: dialog.told.text().startswith("✓"), timeout=WAIT_MS)
        assert time.position() == 3
        frames = frames_of(tmp_path / "run.gif")
        assert len(frames) == len(positions(len(opened.run.history), 4)) < len(opened.run.history)
        assert max(frames[0].shape) == 1280  # the window is 1300 wide

    def test_that_the_frames_follow_each_other_as_fast_as_asked(self, dialog, qtbot, tmp_path):
        dialog.speed.setCurrentIndex(SPEEDS.index(20))
        dialog.stride.setValue(3)
        dialog.start(tmp_path / "run.gif")
        qtbot.waitUntil(lambda: dialog.told.text().startswith("✓"), timeout=WAIT_MS)
        with Image.open(tmp_path / "run.gif") as file:
            assert {frame.info["duration"] for frame in ImageSequence.Iterator(file)} == {50}
            assert file.info["loop"] == 0

    def test_that_cancel_leaves_nothing(self, dialog, time, qtbot, tmp_path):
        before = time.position()
        (folder := tmp_path / "folder").mkdir()
        dialog.start(folder / "run.gif")
        qtbot.waitUntil(lambda: dialog.progress.value() >= 2, timeout=WAIT_MS)
        assert len(list(folder.iterdir())) == 1
        cancel = dialog.buttons.button(QDialogButtonBox.StandardButton.Close)
        assert cancel.text() == "Cancel"
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
        assert list(folder.iterdir()) == []
        assert time.position() == before
        qtbot.wait(200)
        assert list(folder.iterdir()) == []

    def test_that_closing_the_window_leaves_nothing(self, dialog, opened, qtbot, tmp_path):
        (folder := tmp_path / "folder").mkdir()
        dialog.start(folder / "run.gif")
        qtbot.waitUntil(lambda: dialog.progress.value() >= 2, timeout=WAIT_MS)
        opened.close()
        assert list(folder.iterdir()) == []

    def test_that_a_bad_folder_is_told_and_the_dialog_can_try_again(self, dialog, opened, monkeypatch, tmp_path):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "nowhere" / "run"), ""))
        dialog.save.click()
        assert "run.gif cannot be written (No such file or directory); choose another folder" in dialog.told.text()
        assert dialog.save.isEnabled()
        (tmp_path / "taken.gif").write_text("mine")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "taken"), ""))
        dialog.save.click()
        assert "exists already" in dialog.told.text()
        assert (tmp_path / "taken.gif").read_text() == "mine"
        assert opened.findChild(QMessageBox) is None

    def test_that_it_waits_for_a_stored_run(self, window, gated):
        assert not window.menu.animation.isEnabled()
        window.open_run(gated.path)
        assert window.menu.animation.isEnabled()


@pytest.mark.parametrize("length", [1, 2, 10, 299, 300, 301, 302, 599, 600, 1000, 54_321])
def test_that_there_are_never_more_than_300_frames_and_the_ends_are_among_them(length):
    stride = least_stride(length)
    found = positions(length, stride)
    assert (found[0], found[-1]) == (0, length - 1)
    assert len(found) == len(set(found)) <= MOST_FRAMES
    assert stride == 1 or len(positions(length, stride - 1)) > MOST_FRAMES


class TestGifFile:
    def coloured(self, *names):
        for name in names:
            image = QImage(31, 17, QImage.Format.Format_RGB32)  # an odd width: Qt's lines are padded
            image.fill(QColor(name))
            image.setPixelColor(30, 16, QColor("white"))
            yield image

    def test_that_frames_come_back_as_they_were_even_where_two_are_the_same(self, tmp_path):
        file = GifFile(tmp_path / "a.gif", 10)
        for image in self.coloured("red", "blue", "blue", "#123456"):
            file.add(image)
        file.finish()
        frames = frames_of(tmp_path / "a.gif")
        assert [tuple(frame[5, 5]) for frame in frames] == [(255, 0, 0), (0, 0, 255), (0, 0, 255), (18, 52, 86)]
        assert all((frame[16, 30] == 255).all() for frame in frames)

    def test_that_a_frame_of_another_size_is_made_to_fit(self, tmp_path):
        file = GifFile(tmp_path / "a.gif", 10)
        first, second = self.coloured("red", "blue")
        file.add(first).add(second.scaled(60, 60)).finish()
        assert [frame.shape for frame in frames_of(tmp_path / "a.gif")] == [(17, 31, 3)] * 2

    def test_that_a_file_is_replaced_only_by_a_whole_one(self, tmp_path):
        (tmp_path / "a.gif").write_text("mine")
        file = GifFile(tmp_path / "a.gif", 10).add(next(self.coloured("red")))
        file.discard()
        assert [path.read_text() for path in tmp_path.glob("*a.gif*")] == ["mine"]
        with pytest.raises(ViewFileError, match="cannot be written"):
            GifFile(tmp_path / "gone" / "a.gif", 10)
