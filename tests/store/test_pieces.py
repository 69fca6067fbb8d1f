"""A long read of one run does not hold up the training that writes another."""

import dataclasses
import time
from collections.abc import Callable
from threading import Thread

import h5py
import numpy as np
import pytest

from sparseviz.store import RunReader, RunWriter
from sparseviz.store.files import pieces
from tests.helpers.places import FORMATS

SIDE = 3000  # of a layer of 36 MB, with its mask, its gates and their ages 117 MB


@pytest.mark.parametrize(
    ("shape", "chunks"), [((50, 7), (1, 7)), ((50, 7), (3, 2)), ((700, 999), (64, 100)), ((9,), (4,)), ((0, 3), (1, 3))]
)
@pytest.mark.parametrize("limit", [100, pieces.BYTES])
def test_that_the_pieces_are_the_whole(tmp_path, monkeypatch, shape, chunks, limit):
    monkeypatch.setattr(pieces, "BYTES", limit)
    values = np.random.default_rng(0).integers(0, 1000, shape)
    with h5py.File(tmp_path / "any.h5", "w") as file:
        dataset = file.create_dataset("a", data=values, chunks=chunks, maxshape=(None, *shape[1:]))
        for start, stop in ((0, None), (0, 3), (5, 8), (7, 10**6), (60, 70)):
            assert np.array_equal(pieces.read(dataset, start, stop), values[start:stop])
        file["lone"] = np.float32(3)
        assert pieces.read(file["lone"]).shape == ()


def longest_append(writer: RunWriter, read: Callable[[], object]) -> tuple[float, float]:
    """The longest append while something is read, and how long the read took, in s."""
    with RunReader(FORMATS / "format-3.h5") as run:
        snapshots = run.snapshots()
    took: list[float] = []
    appends: list[float] = []

    def timed() -> None:
        began = time.perf_counter()
        read()
        took.append(time.perf_counter() - began)

    reading = Thread(target=timed)
    reading.start()
    while reading.is_alive():
        began = time.perf_counter()
        writer.append(dataclasses.replace(snapshots[len(appends) % len(snapshots)], step=len(appends)))
        appends.append(time.perf_counter() - began)
    reading.join()
    return max(appends), took[0]


def test_that_a_snapshot_is_written_while_a_large_checkpoint_is_read(tmp_path):
    """At most a third of the time that the read takes in one go; of three tries the best, as others use the machine."""
    with RunReader(FORMATS / "format-3.h5") as run:
        info, inputs, first = run.info, run.test_inputs(), dataclasses.replace(run.checkpoint(0), state=None)
    large = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    wide = dataclasses.replace(
        first,
        parameters={"fc1.weight": large},
        masks={"fc1": large < 0.5},
        quantities={"fc1": large},
        cut_at={"fc1": np.full((SIDE, SIDE), -1, np.int32)},
    )
    RunWriter(tmp_path / "large.h5", info, inputs, wide).close()
    writer = RunWriter(tmp_path / "live.h5", info, inputs, first)
    with RunReader(tmp_path / "large.h5") as run:
        slot = run._file["checkpoints/0"]
        _, at_once = longest_append(writer, lambda: [item[()] for group in slot.values() for item in group.values()])
        held = min(longest_append(writer, lambda: run.checkpoint(0))[0] for _ in range(3))
    writer.close()
    print(f"\nread in one go: {1000 * at_once:.0f} ms; longest append while it is read: {1000 * held:.0f} ms")
    assert held < at_once / 3
