"""True cells, in any order and in blocks of any size, against a slow twin that looks at every weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparseviz.values.cells import FINEST, NEVER, Part, Planes, Pyramid, Pyramids, answer, read_planes


def matrix(rows, columns, seed=0):
    """A layer's planes, and a source of them that counts how many cells it gave."""
    random = np.random.default_rng(seed)
    kept = random.random((rows, columns)) < 0.2
    every = Planes(
        random.normal(size=kept.shape).astype(np.float32),
        kept.astype(np.float32),
        random.random(kept.shape, dtype=np.float32),
        np.where(kept, NEVER, random.integers(0, 9, kept.shape)).astype(np.int32),
    )
    read = []

    def source(asked_rows, asked_columns):
        found = every.at(asked_rows).at(slice(None), asked_columns)
        read.append(found.weight.size)
        return found

    return every, source, read


def blocks(every, part):
    """Every block of a part, cell by cell: weight, share kept, quantity, when cut."""
    rows, columns = every.weight.shape
    row_order = np.arange(rows) if part.row_order is None else part.row_order
    column_order = np.arange(columns) if part.column_order is None else part.column_order
    for top in range(part.rows.start, part.rows.stop, part.block):
        for left in range(part.columns.start, part.columns.stop, part.block):
            places = [
                (row_order[row], column_order[column])
                for row in range(top, min(top + part.block, part.rows.stop))
                for column in range(left, min(left + part.block, part.columns.stop))
            ]
            kept = [float(every.weight[place]) for place in places if every.kept[place]]
            yield (
                max((abs(weight) for weight in kept), default=0.0),
                len(kept) / len(places),
                max(every.quantity[place] for place in places),
                max(every.cut_at[place] for place in places),
            )


def assert_like_the_twin(every, source, part):
    cells = answer(part, 3, "live", read_planes(source, part, every.weight.shape))
    weight, density, quantity, cut_at = zip(*blocks(every, part), strict=True)
    np.testing.assert_array_equal(np.abs(cells.weight).ravel(), np.array(weight, np.float32))
    np.testing.assert_allclose(cells.density.ravel(), density, rtol=1e-6)
    np.testing.assert_array_equal(cells.quantity.ravel(), np.array(quantity, np.float32))
    assert cells.cut_at is not None
    np.testing.assert_array_equal(cells.cut_at.ravel(), cut_at)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(5, 90), st.integers(5, 90)),
    st.sampled_from([2, 4, 8, 16]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 999),
)
def test_that_blocks_of_any_size_and_order_tell_of_all_their_weights(shape, block, sort_rows, sort_columns, seed):
    rows, columns = shape
    every, source, _ = matrix(rows, columns, seed)
    random = np.random.default_rng(seed)
    orders = (random.permutation(rows) if sort_rows else None, random.permutation(columns) if sort_columns else None)
    first = min(rows // 2, columns // 2) // block * block
    part = Part("any", slice(first, rows), slice(first, columns), block, *orders)
    assert_like_the_twin(every, source, part)


def test_that_single_cells_are_given_as_they_are_cut_ones_too():
    every, source, _ = matrix(30, 40)
    order = np.random.default_rng(1).permutation(40)
    part = Part("any", slice(3, 20), slice(5, 9), 1, None, order)
    cells = answer(part, 3, "live", read_planes(source, part, (30, 40)))
    for shown, plane in zip((cells.weight, cells.density, cells.quantity, cells.cut_at), every, strict=True):
        np.testing.assert_array_equal(shown, plane[3:20][:, order[5:9]])
    assert (cells.kept == (every.kept[3:20][:, order[5:9]] > 0)).all()
    assert cells.count() == (int(cells.kept.sum()), 17 * 4)
    with pytest.raises(ValueError, match="read-only"):
        cells.weight[0, 0] = 1


def test_that_a_pyramid_reads_its_matrix_once_and_in_bands_and_is_kept():
    _, source, read = matrix(300, 200)
    pyramids = Pyramids()
    parts = [Part("any", slice(0, 300), slice(0, 200), block) for block in (4, 4, 8)]
    for part in parts:
        pyramids.planes(source, part, (300, 200), "any at 3")
    assert sum(read) == 300 * 200
    assert max(read) <= 64 * 200
    pyramids.planes(source, parts[0], (300, 200), "another")
    assert sum(read) == 2 * 300 * 200
    sorted_rows = Part("any", slice(0, 300), slice(0, 200), 4, np.arange(300)[::-1].copy())
    pyramids.planes(source, sorted_rows, (300, 200), "another")
    assert sum(read) == 3 * 300 * 200


def test_that_a_pyramid_is_about_a_tenth_of_its_matrix():
    every, source, _ = matrix(2000, 3000)
    whole = Part("any", slice(0, 2000), slice(0, 3000), 16 * FINEST)
    pyramid = Pyramid(source, (2000, 3000), whole)
    pyramid.planes(whole)
    assert len(pyramid._levels) == 5
    size = sum(plane.nbytes for level in pyramid._levels for plane in level)
    assert size <= 0.09 * sum(plane.nbytes for plane in every)
