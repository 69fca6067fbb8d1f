"""Facts of a run that are known from an earlier reading: told of the same file alone."""

import dataclasses

import h5py
import pytest

from sparseviz.store import RunReader
from sparseviz.store.facts import read_info
from sparseviz.store.format import Parent
from tests.helpers.places import FORMATS


def test_that_what_is_known_of_a_file_is_not_read_anew(gated):
    with h5py.File(gated.path) as file:
        known = read_info(file)
        assert read_info(file, known) is known
    with RunReader(gated.path, known) as run:
        assert run.info is known


@pytest.mark.parametrize("other", [{"id": "another"}, {"created": "2001-01-01T00:00:00+00:00"}, {"resumed": (3,)}])
def test_that_a_file_that_took_the_place_of_another_is_told_by_its_own_facts(gated, other):
    known = dataclasses.replace(gated.info, parent=Parent("a", "b", 1), **other)
    with RunReader(gated.path, known) as run:
        assert run.info == gated.info


def test_that_a_run_without_a_name_of_its_own_is_always_read_anew():
    path = FORMATS / "format-3.h5"
    with RunReader(path) as run:
        known = dataclasses.replace(run.info, parent=Parent("a", "b", 1))
    with RunReader(path, known) as run:
        assert run.info.id == ""
        assert run.info.parent is None
