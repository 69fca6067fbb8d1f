"""One file, one writer: who writes is known, from this process and from others, and a dead writer is no obstacle."""

import dataclasses
import json
import os
import socket

import pytest

from sparseviz.store import RunFileError, RunReader, summary
from sparseviz.store.files.lock import WriterLock, lock_path, writer_of
from sparseviz.values.snapshot import Errors
from sparseviz.values.states import RunStatus
from tests.helpers.processes import HOLD, WRITE, killed, lines, process
from tests.helpers.runs import new_writer, recorded


class TestLock:
    def test_that_a_live_writer_is_named_with_process_and_host_to_whoever_would_write(self, tmp_path):
        path = tmp_path / "run.h5"
        with process(HOLD, path) as child:
            lines(child, 1)
            with pytest.raises(RunFileError) as caught:
                WriterLock(path)
            assert f"run.h5 is being written by process {child.pid} on {socket.gethostname()}" in str(caught.value)
            writer = writer_of(path)
            assert writer is not None
            assert writer.pid == child.pid
            assert writer.start <= writer.heartbeat

    def test_that_a_killed_writer_s_lock_is_free_though_its_file_stays(self, tmp_path):
        path = tmp_path / "run.h5"
        with process(HOLD, path) as child:
            lines(child, 1)
            killed(child)
            child.wait()
        assert json.loads(lock_path(path).read_text())["pid"] == child.pid
        assert writer_of(path) is None
        lock = WriterLock(path)
        assert getattr(writer_of(path), "pid", None) == os.getpid()
        lock.release()
        assert not lock_path(path).exists()

    def test_that_one_process_takes_it_only_once(self, tmp_path):
        lock = WriterLock(tmp_path / "run.h5")
        with pytest.raises(RunFileError, match=f"process {os.getpid()} "):
            WriterLock(tmp_path / "run.h5")
        lock.release()
        lock.release()
        WriterLock(tmp_path / "run.h5").release()
        assert list(tmp_path.iterdir()) == []

    def test_that_asking_who_writes_makes_no_file(self, tmp_path):
        assert writer_of(tmp_path / "run.h5") is None
        assert list(tmp_path.iterdir()) == []

    def test_that_the_heartbeat_is_renewed_and_the_rest_stays(self, tmp_path, monkeypatch):
        lock = WriterLock(tmp_path / "run.h5")
        first = writer_of(tmp_path / "run.h5")
        monkeypatch.setattr("sparseviz.store.files.lock._now", lambda: "2100-01-01T00:00:00+00:00")
        lock.beat()
        assert first is not None
        assert writer_of(tmp_path / "run.h5") == dataclasses.replace(first, heartbeat="2100-01-01T00:00:00+00:00")
        lock.release()


class TestRunFile:
    def test_that_training_is_told_from_interrupted(self, gated, tmp_path):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 2)
            with RunReader(path) as run:
                assert (run.status, summary(run)["writer"]["pid"]) == ("training", child.pid)
                killed(child)
                child.wait()
                assert (run.status, summary(run)["writer"]) == ("interrupted", None)
            with pytest.raises(RunFileError, match="exists already"):
                new_writer(gated, path)

    def test_that_a_run_that_another_process_writes_is_refused_with_its_writer(self, gated, tmp_path):
        path = tmp_path / "run.h5"
        with process(WRITE, gated.path, path) as child:
            lines(child, 1)
            with pytest.raises(RunFileError, match=rf"is being written by process {child.pid} on "):
                new_writer(gated, path)
            lines(child, 2)  # and it writes on

    def test_that_the_lock_goes_when_the_run_ends_and_each_snapshot_is_a_heartbeat(self, gated, tmp_path, monkeypatch):
        writer = new_writer(gated, tmp_path / "run.h5")
        monkeypatch.setattr("sparseviz.store.files.lock._now", lambda: "2100-01-01T00:00:00+00:00")
        writer.append(gated.snapshots[0])
        with RunReader(writer.path) as run:
            assert getattr(run.writer, "heartbeat", None) == "2100-01-01T00:00:00+00:00"
        writer.finish(RunStatus.STOPPED, Errors())
        assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]
        with RunReader(tmp_path / "run.h5") as run:
            assert (run.status, run.writer) == ("stopped", None)

    def test_that_a_training_run_leaves_its_file_alone_in_the_folder(self, tmp_path):
        recorded(tmp_path / "alone.h5")
        assert [path.name for path in tmp_path.iterdir()] == ["alone.h5"]
