"""The status file: bounded, whole at any moment, and gone when the run has ended."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from sparseviz.runs.recording import resume_run
from sparseviz.store import RunFileError, RunReader, resume_point, status_file
from sparseviz.store.files.lock import Writer
from sparseviz.store.files.network_drive import kind_of
from sparseviz.store.following import FileSource, StatusSource
from sparseviz.store.status_file import StatusFile, read_status, status_path
from sparseviz.values.snapshot import Errors
from sparseviz.values.states import RunStatus
from tests.helpers.runs import Seen, StoppingAt, new_writer, recorded
from tests.helpers.same import plain

WRITER = Writer(7, "elsewhere", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01+00:00")
SHAPE = (1, 28, 28)


@pytest.fixture
def always(monkeypatch):
    """Published with every snapshot."""
    monkeypatch.setattr(status_file, "EVERY_S", 0)
    monkeypatch.setattr(status_file, "SHARE", 0)


def published(seen, path, snapshots):
    status = StatusFile(path, seen.info, SHAPE)
    for snapshot in snapshots:
        status.publish(snapshot, WRITER)
    return status_path(path)


@pytest.mark.parametrize("name", ["gated", "conv", "magnitude", "dense"])
def test_that_it_says_of_a_run_what_its_file_says(name, request, tmp_path, always):
    seen = request.getfixturevalue(name)
    path = published(seen, tmp_path / "run.h5", seen.snapshots)
    status, source = read_status(path), StatusSource(path)
    assert (status.run, status.writer, status.info) == (tmp_path / "run.h5", WRITER, seen.info)
    news = source.look()
    assert (news.status, news.writer) == ("training", WRITER)  # of another host, so nothing says that it is gone
    for position, (ours, theirs) in enumerate(zip(news.snapshots, seen.snapshots, strict=True)):
        is_newest = position == len(seen.snapshots) - 1
        np.testing.assert_equal(plain(ours, previews=is_newest), plain(theirs, previews=is_newest))
    assert source.look().snapshots == ()


def test_that_a_poll_gets_what_is_new_with_every_event_once(gated, tmp_path, always):
    status = StatusFile(tmp_path / "run.h5", gated.info, SHAPE)
    status.publish(gated.snapshots[0], WRITER)
    source = StatusSource(status_path(tmp_path / "run.h5"))
    found = list(source.look().snapshots)
    for snapshot in gated.snapshots[1:]:
        status.publish(snapshot, WRITER)
        news = source.look().snapshots
        assert [each.step for each in news] == [snapshot.step]
        found += news
    events = [event for snapshot in gated.snapshots for event in snapshot.events]
    assert events
    assert [event for snapshot in found for event in snapshot.events] == events


def test_that_it_is_written_at_most_once_a_second_and_loses_no_snapshot_by_that(gated, tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(status_file, "monotonic", lambda: clock[0])
    status = StatusFile(tmp_path / "run.h5", gated.info, SHAPE)
    path = status_path(tmp_path / "run.h5")
    status.publish(gated.snapshots[0], WRITER)
    for clock[0], snapshot in ((100.5, gated.snapshots[1]), (100.9, gated.snapshots[2])):
        status.publish(snapshot, WRITER)
        assert [each.step for each in read_status(path).snapshots] == [gated.snapshots[0].step]
    clock[0] = 101.0
    status.publish(gated.snapshots[3], WRITER)
    assert [each.step for each in read_status(path).snapshots] == [each.step for each in gated.snapshots[:4]]


def test_that_its_size_is_bounded_and_what_is_left_out_lies_evenly(gated, tmp_path, monkeypatch, always):
    monkeypatch.setattr(status_file, "MOST_BYTES", 200_000)
    first = gated.snapshots[0]
    errors = [1.0 if number % 10 == 0 else math.nan for number in range(400)]
    snapshots = [
        dataclasses.replace(first, step=step, scalars={**first.scalars, "validation_error": error})
        for step, error in enumerate(errors)
    ]
    path = published(gated, tmp_path / "run.h5", snapshots)
    newest = len(json.dumps(status_file._snapshot(first, previews=True)))
    assert path.stat().st_size < 200_000 + newest + 10_000
    steps = [each.step for each in read_status(path).snapshots]
    assert (steps[0], steps[-1]) == (0, 399)
    measured = [step for step in steps if step % 10 == 0]
    assert len(measured) > 10
    assert len(set(np.diff(measured))) == 1  # evenly
    assert len(steps) - len(measured) > 10


def test_that_what_is_no_number_is_null_as_json_wants_it(dense, tmp_path, always):
    path = published(dense, tmp_path / "run.h5", dense.snapshots)

    def refuse(name):
        raise AssertionError(name)

    told = json.loads(path.read_text(), parse_constant=refuse)
    assert told["snapshots"][0]["layers"][0]["threshold"] is None


def test_that_a_folder_that_takes_no_file_does_the_run_no_harm(gated, tmp_path, always):
    (tmp_path / ".run.h5.status.tmp").mkdir()
    assert not published(gated, tmp_path / "run.h5", gated.snapshots[:2]).exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "sparseviz status", "format_version": 1}', '{"format": "sparseviz status"', "\xff"],
)
def test_that_a_file_that_is_none_is_told(tmp_path, text):
    path = tmp_path / "run.h5.status"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RunFileError, match=r"run\.h5\.status is no status file of sparseviz, or it is damaged"):
        read_status(path)


def test_that_a_newer_version_is_told(tmp_path):
    path = tmp_path / "run.h5.status"
    path.write_text('{"format": "sparseviz status", "format_version": 2}')
    with pytest.raises(RunFileError, match="update sparseviz"):
        read_status(path)


def test_that_a_writer_publishes_it_and_removes_it_when_the_run_has_ended(gated, tmp_path):
    writer = new_writer(gated, tmp_path / "run.h5")
    writer.append(gated.snapshots[0])
    status = read_status(status_path(writer.path))
    assert (status.run, status.input_shape) == (writer.path, SHAPE)
    with RunReader(writer.path) as run:
        assert status.writer == run.writer
    writer.finish(RunStatus.STOPPED, Errors())
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def left_behind(path):
    """What a writer leaves beside this run file when it is killed while it publishes."""
    left = [status_path(path), path.with_name(f".{path.name}.status.tmp")]
    for each in left:
        each.write_text("of a writer that was killed")
    return left


def test_that_what_a_killed_writer_left_goes_when_another_begins_a_file_of_the_same_name(gated, tmp_path):
    left = left_behind(tmp_path / "run.h5")
    writer = new_writer(gated, tmp_path / "run.h5")
    assert not any(path.exists() for path in left)
    writer.append(gated.snapshots[0])
    left_behind(tmp_path / "run.h5")  # as a disk without room does
    writer.finish(RunStatus.STOPPED, Errors())
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def test_that_what_a_killed_writer_left_goes_when_its_run_is_resumed(stopped, tmp_path):
    path = Path(shutil.copy(stopped.path, tmp_path / "run.h5"))
    left_behind(path)
    resume_run(path, tmp_path / "on.h5", watcher=StoppingAt(resume_point(path).checkpoint.step + 1))
    assert {path.name for path in tmp_path.iterdir()} == {"run.h5", "on.h5"}


def test_that_what_a_writer_left_that_was_killed_at_the_end_goes_when_the_run_is_opened(copy):
    left = left_behind(copy)
    assert FileSource(copy).look().status == "finished"
    assert not any(path.exists() for path in left)


def test_that_the_status_of_an_interrupted_run_stays_beside_it(gated, tmp_path):
    """From here its writer is gone, but another machine's lock cannot always be seen."""
    new_writer(gated, tmp_path / "run.h5").close()
    left = left_behind(tmp_path / "run.h5")
    assert FileSource(tmp_path / "run.h5").look().status == "interrupted"
    assert all(path.exists() for path in left)


def test_that_of_a_resumed_run_it_has_what_came_before(stopped, tmp_path):
    point = resume_point(stopped.path)
    assert [each.step for each in point.seen()] == [each.step for each in stopped.snapshots[: point.snapshots]]
    status = StatusFile(tmp_path / "run.h5", point.info, SHAPE, point.seen())
    status.publish(stopped.snapshots[point.snapshots], WRITER)
    told = read_status(status_path(tmp_path / "run.h5")).snapshots
    assert [each.step for each in told] == [each.step for each in stopped.snapshots[: point.snapshots + 1]]


def test_that_the_folder_mounted_nearest_and_last_says_where_a_file_lies(mounted):
    mounted(
        {"/": "ext4", "/srv/my\\040runs": "nfs4", "/srv/my\\040runs/local": "ext4", "/srv/my\\040runs/local/": "xfs"}
    )
    kinds = {"/home/run.h5": "ext4", "/srv/my runs/run.h5": "nfs4", "/srv/my runs/local/run.h5": "xfs"}
    for path, kind in kinds.items():
        assert kind_of(Path(path)) == kind


def test_that_a_run_is_recorded_alike_with_and_without_it(gated, tmp_path, monkeypatch):
    monkeypatch.setattr(StatusFile, "publish", lambda *_: None)
    without = recorded(tmp_path / "run.h5", seen=Seen(steer_at=4))
    for ours, theirs in zip(gated.snapshots, without.snapshots, strict=True):
        np.testing.assert_equal(plain(ours, time=False), plain(theirs, time=False))
