"""What a history keeps, and what it lets go."""

import numpy as np
import pytest

from sparseviz.values.history import History
from tests.helpers import histories


@pytest.fixture(scope="module")
def snapshots():
    return tuple(histories.lenet5())


def of(snapshots, previews):
    history = History(histories.PARAMETERS, previews)
    for snapshot in snapshots:
        history.append(snapshot)
    return history


def test_that_no_more_previews_stay_than_there_are_places_for_and_the_newest_is_among_them(snapshots):
    history = of(snapshots, 5)
    previewed = [place for place, one in enumerate(history) if one.layers[0].preview is not None]
    assert len(previewed) == 5
    assert previewed[0] == 0
    assert previewed[-1] == len(snapshots) - 1
    assert np.diff(previewed).max() <= 4 * len(snapshots) / 5
    assert all(layer.preview is not None for place in previewed for layer in history[place].layers)


def test_that_everything_else_of_every_snapshot_stays(snapshots):
    history = of(snapshots, 2)
    for kept, given in zip(history, snapshots, strict=True):
        assert (kept.step, kept.scalars, kept.events) == (given.step, given.scalars, given.events)
        for ours, theirs in zip(kept.layers, given.layers, strict=True):
            np.testing.assert_array_equal(ours.histogram, theirs.histogram)
            np.testing.assert_array_equal(ours.row_kept, theirs.row_kept)
            assert ours.kept == theirs.kept


def test_that_with_room_for_all_every_preview_stays(snapshots):
    assert all(one.layers[0].preview is not None for one in of(snapshots, len(snapshots)))
