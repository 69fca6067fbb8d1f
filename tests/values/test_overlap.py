"""What two masks have in common, against slow and obvious twins."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sparseviz.values import overlap
from sparseviz.values.overlap import BOTH, FIRST, SECOND, Overlap, compare, kinds_of, merge


@st.composite
def pairs(draw):
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=40))
    return draw(arrays(np.bool_, shape)), draw(arrays(np.bool_, shape))


def kind_of(one, other):
    if one and other:
        return BOTH
    if one:
        return FIRST
    return SECOND if other else 0


def counted(first, second):
    """The four counts, weight by weight."""
    found = [kind_of(one, other) for one, other in zip(first.flat, second.flat, strict=True)]
    return found.count(FIRST), found.count(SECOND), found.count(BOTH), found.count(0)


@given(pairs())
def test_that_every_weight_is_counted_once(pair):
    told, kinds, block = compare(*pair)
    assert (told.first, told.second, told.both, told.neither) == counted(*pair)
    assert told.kept == (pair[0].sum(), pair[1].sum())
    assert block == 1
    assert np.array_equal(kinds, kinds_of(*pair))
    assert kinds.tolist() == [
        [kind_of(one, other) for one, other in zip(*rows, strict=True)] for rows in zip(*pair, strict=True)
    ]


@given(pairs(), st.integers(1, 12), st.integers(1, 12))
def test_that_a_square_holds_all_that_its_weights_are(pair, rows, columns):
    kinds = kinds_of(*pair)
    height, width = kinds.shape
    rows, columns = min(rows, height), min(columns, width)
    merged = merge(kinds, rows, columns)
    for row in range(rows):
        for column in range(columns):
            part = kinds[
                row * height // rows : (row + 1) * height // rows,
                column * width // columns : (column + 1) * width // columns,
            ]
            assert merged[row, column] == np.bitwise_or.reduce(part, axis=None)


@given(pairs())
def test_that_a_large_layer_becomes_blocks_and_its_counts_stay(pair):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "MOST_SQUARES", 60)
        patch.setattr(overlap, "_BAND", 4)
        told, kinds, block = compare(*pair)
    assert (told.first, told.second, told.both, told.neither) == counted(*pair)
    assert kinds.size <= max(60, 1)
    whole = kinds_of(*pair)
    for row in range(kinds.shape[0]):
        for column in range(kinds.shape[1]):
            part = whole[row * block : (row + 1) * block, column * block : (column + 1) * block]
            assert kinds[row, column] == np.bitwise_or.reduce(part, axis=None)


def test_that_masks_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        compare(np.ones((2, 3), bool), np.ones((3, 2), bool))


def test_that_chance_is_what_masks_drawn_by_lot_have_in_common():
    random = np.random.default_rng(0)
    told = []
    for _ in range(200):
        masks = np.zeros((2, 1000), dtype=bool)
        for mask, kept in zip(masks, (200, 50), strict=True):
            mask[random.choice(1000, kept, replace=False)] = True
        told.append(compare(*masks.reshape(2, 20, 50))[0])
    assert told[0].chance == 200 * 50 / 1000
    assert np.mean([each.both for each in told]) == pytest.approx(told[0].chance, rel=0.05)
    assert np.mean([each.jaccard for each in told]) == pytest.approx(told[0].jaccard_by_chance, rel=0.05)


def test_that_jaccard_is_the_share_of_the_union_and_has_no_value_where_nothing_is_kept():
    assert Overlap(10, first=1, second=2, both=3).jaccard == 3 / 6
    assert Overlap(10, first=0, second=0, both=4).jaccard == 1
    assert math.isnan(Overlap(10, 0, 0, 0).jaccard)
