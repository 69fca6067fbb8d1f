"""Retrying writer: where a run's file cannot be written, ask what to do and try again; no step, no snapshot is lost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from sparseviz.store import RunWriter, WriteError
from sparseviz.training.commands import Commanded
from sparseviz.values.snapshot import Checkpoint, Errors, Snapshot
from sparseviz.values.states import RunStatus


class Rescuer(Protocol):
    """Who says what to do when a run's file cannot be written. Called in the training thread, which waits meanwhile."""

    def stuck(self, error: WriteError, path: Path) -> Path:
        """Where to go on: at `path`, where the run is now, or in a new file. Raises `error` to break the run off.

        Asked again where that fails too. While it waits it may let the trainer `obey`.
        """

    def went_on(self, path: Path) -> None:
        """All that was to be written is in the run's file, which is at `path` from now on."""


class PatientWriter:
    """Retries what `writer` could not write, as a rescuer says; without one every failure is raised."""

    def __init__(self, writer: RunWriter, rescuer: Rescuer | None, trainer: Commanded) -> None:
        self._writer, self._rescuer, self._trainer = writer, rescuer, trainer

    @property
    def path(self) -> Path:
        """Where the file is now."""
        return self._writer.path

    def append(self, snapshot: Snapshot) -> None:
        """Append a snapshot, and try again where that fails."""
        self._insist(partial(self._writer.append, snapshot))

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and try again where that fails."""
        self._insist(partial(self._writer.checkpoint, checkpoint))

    def finish(self, status: RunStatus, errors: Errors) -> None:
        """Write how the run ended, and close the file."""
        self._insist(partial(self._writer.finish, status, errors))

    def fail(self, error: BaseException) -> None:
        """Close the file of a run that broke off."""
        self._writer.fail(error)

    def _insist(self, write: Callable[[], None]) -> None:
        try:
            write()
        except WriteError as error:
            if self._rescuer is None:
                raise
            self._rescue(self._rescuer, write, error)

    def _rescue(self, rescuer: Rescuer, write: Callable[[], None], error: WriteError) -> None:
        while True:
            with self._trainer.standing():
                path = rescuer.stuck(error, self.path)
            try:
                self._writer.go_on(path)
                write()
            except WriteError as again:
                error = again
            else:
                rescuer.went_on(self.path)
                return
