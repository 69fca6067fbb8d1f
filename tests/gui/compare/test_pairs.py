"""Two runs held against each other: distributions, time and masks, of real short runs in the real window."""

import dataclasses
import shutil

import numpy as np
import pytest
from PySide6.QtCore import Qt

from sparseviz.gui.compare.reading import read_run
from sparseviz.gui.compare.views import mask_image
from sparseviz.gui.compare.views.distributions import shares
from sparseviz.store import RunReader
from sparseviz.values.history import History
from sparseviz.values.overlap import BOTH, FIRST, SECOND
from tests.helpers.gui.compare_steps import DISTRIBUTIONS, MASKS, WAIT_MS, add, answered, go


def test_that_two_runs_of_one_quantity_share_an_axis(compared):
    view = go(compared, DISTRIBUTIONS)
    view.pairing.choose(2, 3)
    assert view.panels[0].plot.getAxis("bottom").labelText == "|w| / std"
    assert view.panels[1].plot not in view.canvas.ci.items
    sides = view.pairing.sides()
    view.log.setChecked(False)
    np.testing.assert_allclose(view.panels[0].bars.opts["height"], shares(sides[0]))
    np.testing.assert_allclose(view.panels[0].outline.getData()[1][1:-1:2], shares(sides[1]))
    assert shares(sides[0]).sum() == pytest.approx(100)
    texts = " ".join((*view.counts.texts, *view.caption.texts, view.canvas.accessibleName()))
    assert "gate" not in texts


def test_that_two_quantities_are_never_put_on_one_axis(compared):
    view = go(compared, DISTRIBUTIONS)
    view.pairing.choose(1, 2)
    assert [panel.plot.getAxis("bottom").labelText for panel in view.panels] == ["gate", "|w| / std"]
    assert all(panel.plot in view.canvas.ci.items for panel in view.panels)
    assert view.panels[0].bars.isVisible()
    assert not view.panels[0].outline.isVisible()
    assert view.panels[1].outline.isVisible()
    assert "different quantities" in view.caption.texts[0]
    head, *rows = view.table()
    assert head[:5] == ["run", "name", "layer", "epoch", "quantity"]
    assert {(row[0], row[4]) for row in rows} == {(1, "gate"), (2, "|w| / std")}
    assert sum(row[-1] for row in rows) == 2 * 235_200


def test_that_time_is_shared_by_share_or_by_epoch(compared, qtbot):
    view = go(compared, DISTRIBUTIONS)
    view.pairing.choose(1, 2)
    view.setFocus()
    last = view.bar.slider.maximum()
    assert view.bar.slider.value() == last
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.bar.slider.value() == last - 1
    for step in range(last + 1):
        view.pairing.choose_time(step, by_epoch=False)
        assert [side.position for side in view.pairing.sides()] == [step, step]
    view.pairing.choose(1, 4)  # 10 snapshots, and 3 of the same epoch
    for step in range(last + 1):
        view.pairing.choose_time(step, by_epoch=False)
        one, other = view.pairing.sides()
        share = one.when / one.run.history[-1].epoch
        epochs = other.run.history.epochs()
        assert one.position == step
        assert other.position == max(np.flatnonzero(epochs <= share * epochs[-1]))


def test_that_runs_of_other_lengths_are_matched_by_epoch_to_the_end_of_the_longer(comparing, gated):
    run = read_run(gated.path, 1, "short")
    longer = History(run.history.parameters)
    for snapshot in run.history:
        longer.append(dataclasses.replace(snapshot, epoch=5 * snapshot.epoch))
    view = go(comparing, DISTRIBUTIONS)
    runs = [run, dataclasses.replace(run, number=2, history=longer)]
    view.pairing.show_runs(runs)
    view.show_runs(runs)
    assert [side.when for side in view.pairing.sides()] == [1, 5]
    view.pairing.choose_time(view.pairing.step, by_epoch=True)
    assert [side.when for side in view.pairing.sides()] == [1, 5]
    for step in range(view.pairing.steps):
        view.pairing.choose_time(step, by_epoch=True)
        one, other = view.pairing.sides()
        assert other.position == step
        assert one.position == max(np.flatnonzero(run.history.epochs() <= other.when + 1e-9))
    assert view.pairing.layers() == ["fc1", "fc2", "fc3"]


def test_that_runs_are_swapped_and_the_same_run_is_never_chosen_twice(compared):
    view = go(compared, DISTRIBUTIONS)
    view.pairing.choose(1, 2)
    view.bar.swap.click()
    assert view.pairing.numbers == (2, 1)
    view.bar.first.setCurrentIndex(view.bar.first.findData(1))
    view.bar.first.activated.emit(view.bar.first.currentIndex())
    assert view.pairing.numbers == (1, 2)


def test_that_the_masks_of_every_snapshot_are_exact(compared, qtbot, gated, magnitude):
    view = answered(compared, qtbot)
    view.pairing.choose(1, 2)
    for step in (view.pairing.steps, 4):
        view.pairing.choose_time(step, by_epoch=False)
        answered(compared, qtbot)
        sides = view.pairing.sides()
        with RunReader(gated.path) as one, RunReader(magnitude.path) as other:
            masks = [run.mask("fc1", side.position) for run, side in zip((one, other), sides, strict=True)]
        assert masks[0] is not None
        assert masks[1] is not None
        assert view.answer.overlap.both == (masks[0] & masks[1]).sum()
        assert view.answer.overlap.kept == (masks[0].sum(), masks[1].sum())
        assert view.answer.overlap.kept == (sides[0].layer.kept, sides[1].layer.kept)
        assert view.answer.exact == (True, True)
        assert np.array_equal(view.plots.kinds & (FIRST | BOTH) > 0, masks[0])
        assert np.array_equal(view.plots.kinds & (SECOND | BOTH) > 0, masks[1])
    assert f"{view.answer.overlap.both:,}" in view.legend.accessibleName()
    assert "by chance" in view.measures.texts[0]
    assert dict(view.table())["kept by both"] == view.answer.overlap.both


def test_that_a_run_without_such_masks_gives_those_of_the_nearest_checkpoint(comparing, qtbot, tmp_path, gated):
    import h5py

    bare = tmp_path / "bare.h5"
    shutil.copy(gated.path, bare)
    with h5py.File(bare, "r+") as file:
        del file["snapshots/masks"]
    add(comparing, qtbot, gated.path, bare)
    view = answered(comparing, qtbot)
    view.pairing.choose_time(3, by_epoch=False)
    answered(comparing, qtbot)
    position = view.pairing.sides()[1].position
    assert position == 3
    with RunReader(bare) as run:
        step = run.snapshots()[position].step
        checkpoint = run.checkpoint(step)
    assert view.answer.exact == (True, checkpoint.step == step)
    assert view.answer.steps == (step, checkpoint.step)
    assert view.answer.overlap.kept[1] == checkpoint.masks["fc1"].sum()
    assert ("mask of the checkpoint at step" in view.caption.texts[0]) == (checkpoint.step != step)


def test_that_layers_of_other_shapes_are_refused_with_a_reason(compared, qtbot):
    view = answered(compared, qtbot)
    view.pairing.choose(1, 4)
    view.pairing.choose_layer("fc1")
    assert view.refusal.isVisible()
    assert "300×784" in view.refusal.text()
    assert "500×800" in view.refusal.text()
    view.pairing.choose_layer("conv1")
    assert "1 gated has no layer “conv1”" in view.refusal.text()
    assert view.table() == []
    view.pairing.choose(1, 2)
    answered(compared, qtbot)
    assert not view.refusal.isVisible()


def test_that_a_file_that_has_gone_is_told_and_the_window_stays(comparing, qtbot, gated, magnitude, tmp_path):
    gone = tmp_path / "gone.h5"
    shutil.copy(magnitude.path, gone)
    add(comparing, qtbot, gated.path, gone)
    gone.unlink()
    view = go(comparing, MASKS)
    qtbot.waitUntil(view.refusal.isVisible, timeout=WAIT_MS)
    assert "gone.h5: no such file" in view.refusal.text()


def test_that_the_three_pictures_move_together_and_the_pointer_reads_a_weight(compared, qtbot):
    view = answered(compared, qtbot)
    view.pairing.choose(1, 2)
    view = answered(compared, qtbot)
    view.setFocus()
    for _ in range(3):
        qtbot.keyClick(view, Qt.Key.Key_Plus)
    ranges = [plot.getViewBox().viewRange() for plot in view.plots.plots]
    np.testing.assert_allclose(ranges[0], ranges[2])
    np.testing.assert_allclose(ranges[1], ranges[2])
    assert ranges[2][0][1] - ranges[2][0][0] == pytest.approx(784 * 0.8**3)
    words = {0: "kept by none", FIRST: "kept by 1 only", SECOND: "kept by 2 only", BOTH: "kept by both"}
    for kind, word in words.items():
        places = np.argwhere(view.plots.kinds == kind)
        if len(places):
            view.plots.pointed.emit(*places[0].tolist())
            assert word in view.caption.texts[0]
    qtbot.keyClick(view, Qt.Key.Key_Home)
    np.testing.assert_allclose(view.plots.plots[0].getViewBox().viewRange()[0], (0, 784))


def test_that_no_kept_weight_vanishes_and_glyphs_tell_the_kinds_without_colour():
    random = np.random.default_rng(0)
    kinds = random.choice(np.array([0, FIRST, SECOND, BOTH], np.uint8), (90, 70), p=[0.94, 0.02, 0.02, 0.02])
    levels = mask_image.image(kinds, 10, 7, 2)
    for row in range(10):
        for column in range(7):
            held = set(kinds[row * 9 : row * 9 + 9, column * 10 : column * 10 + 10].flat) - {0}
            one = {FIRST: mask_image.ONE, SECOND: mask_image.OTHER, BOTH: mask_image.COMMON}
            expected = mask_image.SEVERAL if len(held) > 1 else one[held.pop()] if held else mask_image.NONE
            assert levels[row, column] == expected
    few = np.array([[0, FIRST], [SECOND, BOTH]], np.uint8)
    large = mask_image.image(few, 16, 16, 2)
    assert large.shape == (16, 16)
    assert not large[:8, :8].any()
    inked = {kind: (large[place] > 0) for kind, place in ((FIRST, np.s_[:8, 8:]), (SECOND, np.s_[8:, :8]))}
    assert np.array_equal(inked[FIRST], ~inked[SECOND])  # together they are the square of "both"
    assert inked[FIRST][0, 0]
    assert (large[8:, 8:] == mask_image.COMMON).all()
