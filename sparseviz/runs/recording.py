"""record_run(), resume_run() and branch_run(): train, write, let someone watch."""

import logging
import platform
import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import torch

from sparseviz.config import InputError, RunConfig, paths
from sparseviz.config.changes import Branch, changes, check_branch, is_planned_anew
from sparseviz.config.version import __version__
from sparseviz.data import Data, Progress, load_data
from sparseviz.runs.patience import PatientWriter, Rescuer
from sparseviz.store import Parent, ResumePoint, RunInfo, RunWriter, branch_point, resume_point
from sparseviz.store.format import TEST_BYTES, TEST_INPUTS, TestInputs
from sparseviz.training.device import device_name
from sparseviz.training.memory import check_memory, memory_of
from sparseviz.training.ranks import here, joined
from sparseviz.training.trainer import Trainer
from sparseviz.values.snapshot import Snapshot
from sparseviz.values.states import RunStatus

CHECKPOINTS = 10  # of a run, over time; the file's slots decide which of them stay
CHECKPOINT_SECONDS = 300.0  # so much of a long run is lost at most when its process dies, or two snapshots' time


class Watcher(Protocol):
    """Who looks on. Called in the training thread; an exception ends the watching, not the run."""

    def began(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        """The file exists and training is about to begin; the trainer takes commands from now on."""

    def saw(self, snapshot: Snapshot) -> None:
        """The snapshot is in the file."""


@joined()
def record_run(  # noqa: PLR0913  # one argument a listener
    config: RunConfig | None = None,
    path: str | Path | None = None,
    *,
    watcher: Watcher | None = None,
    rescuer: Rescuer | None = None,
    progress: Progress | None = None,
    read_test: Callable[[], bool] = lambda: True,
) -> Path:
    """Train as `config` says (the embedded example unless given) and record it in a new file at `path`.

    Returns the path of the run file; a name in the runs folder is chosen where none is given. `progress` is
    told of downloads. `read_test` is asked once, at the end, whether the test split may be read. `rescuer` is asked
    what to do where the file cannot be written any longer; without one, the run breaks off.
    Raises InputError, before anything is written, for what cannot be used; a run that breaks off later leaves
    a readable file with the status "failed" and its last snapshots, and raises on.
    """
    config = config or RunConfig.load("lenet5-digits")
    with closing(_load(config, progress)) as data:
        _check_memory(config, data)
        trainer = Trainer(config, data, ranks=here())
        name = f"{paths.short_function(config.network)}-{paths.short_function(config.data.name)}"
        path = here().told(Path(path) if path else paths.new_run_path(name))
        info = run_info(trainer, data)
        return _Recording(path, info, _test_inputs(data), watcher, rescuer, read_test).do(trainer)


@joined()
def resume_run(  # noqa: PLR0913  # one argument a listener
    source: str | Path,
    path: str | Path | None = None,
    *,
    watcher: Watcher | None = None,
    rescuer: Rescuer | None = None,
    progress: Progress | None = None,
    read_test: Callable[[], bool] = lambda: True,
) -> Path:
    """Go on with an interrupted, stopped or failed run from its last whole checkpoint, in a new file.

    The new file begins as a clean copy of `source`, which stays as it is; a name beside it is chosen where none is
    given. On the CPU the result is bit for bit that of a run that was never stopped. Raises InputError as
    `record_run` does, and where the run cannot be resumed.
    """
    source = Path(source)
    point = resume_point(source)
    with closing(_load(point.info.config, progress)) as data:
        trainer = _trainer_at(point, point.info.config, point.info.steps, data)
        trainer.restore(point.checkpoint, point.events)
        info = replace(
            run_info(trainer, data),
            config=point.info.config,
            created=point.info.created,
            steps=point.info.steps,
            resumed=(*point.info.resumed, trainer.step),
            id=point.info.id,
            parent=point.info.parent,
        )
        path = here().told(Path(path) if path else _beside(source))
        return _Recording(path, info, point.inputs, watcher, rescuer, read_test).do(trainer, point)


@joined()
def branch_run(  # noqa: PLR0913  # as the others, and where from
    source: str | Path,
    step: int | None = None,
    changed: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    *,
    watcher: Watcher | None = None,
    rescuer: Rescuer | None = None,
    progress: Progress | None = None,
    read_test: Callable[[], bool] = lambda: True,
) -> Path:
    """Go on from the checkpoint of a run at `step` (the newest unless given) with settings changed, as a new run.

    `changed` has new values by dotted name; all others stay as they were in force there. The new file begins with what
    `source` had until then, which stays as it is; it knows its parent. With nothing changed the result is, on the CPU,
    bit for bit that of the parent had it never ended. Raises as `resume_run` does, ConfigError for what cannot change.
    """
    source = Path(source)
    point = branch_point(source, step)
    config = check_branch(point.config, changed or {}, point.checkpoint.step / point.info.steps_per_epoch)
    branch = Branch(point.config, changes(point.config, config))
    steps = config.epochs * point.info.steps_per_epoch
    planned = steps if is_planned_anew(branch.values) else point.info.steps
    with closing(_load(config, progress)) as data:
        trainer = _trainer_at(point, config, planned, data)
        trainer.restore(point.checkpoint, point.events, branch)
        parent = Parent(point.info.id, source.stem, trainer.step)
        info = replace(run_info(trainer, data), config=config, steps=planned, parent=parent)
        path = here().told(Path(path) if path else _beside(source))
        return _Recording(path, info, point.inputs, watcher, rescuer, read_test).do(trainer, point)


def _trainer_at(point: ResumePoint, config: RunConfig, planned: int, data: Data) -> Trainer:
    """A trainer that can stand at the point, with the recorded threads unless the configuration names others."""
    _check_memory(config, data)
    threads = config.threads or point.info.threads  # other counts give other bits
    trainer = Trainer(config.changed({"threads": threads, "weights": None}), data, planned, here())
    trainer.weights_note = point.info.weights_note  # the checkpoint has the weights
    info = point.info
    if (data.checksum, trainer.layers, trainer.parameters) != (info.data_checksum, info.layers, info.parameters):
        done = "resumed" if point.keeps_states else "branched"
        raise InputError(f"{point.path} cannot be {done}: its network or its data are not what they were when it began")
    return trainer


def _check_memory(config: RunConfig, data: Data) -> None:
    """Raises InputError where the run would not fit on the device of this process."""
    config = config.changed({"device": here().device(config.device)})
    check_memory(memory_of(config, data.train.shape, len(data.classes), len(data.train), here().of), config)


def _load(config: RunConfig, progress: Progress | None) -> Data:
    """The data; rank 0 alone tells of downloads."""
    return here().in_turn(lambda: load_data(config.data, progress if here().is_first else None))


def _beside(source: Path) -> Path:
    return paths.new_run_path(re.sub(r"-\d{4}$", "", source.stem), source.parent)


@dataclass(frozen=True, slots=True)
class _Recording:
    """What a run's file is made of, and who listens."""

    path: Path
    info: RunInfo
    inputs: TestInputs
    watcher: Watcher | None
    rescuer: Rescuer | None
    read_test: Callable[[], bool]

    def do(self, trainer: Trainer, point: ResumePoint | None = None) -> Path:
        """Train to the end: into the file where this process writes it, else beside the one that does."""
        if not trainer.ranks.is_first:
            _follow(trainer)
            return self.path
        writer = RunWriter(self.path, self.info, self.inputs, trainer.checkpoint(resumable=True, live=True), point)
        watcher = _Guarded(self.watcher, self.info, self.path)
        return _record(trainer, PatientWriter(writer, self.rescuer, trainer), watcher, self.read_test)


def _follow(trainer: Trainer) -> None:
    for _ in trainer.run():
        pass
    trainer.errors()


def _record(trainer: Trainer, writer: PatientWriter, watcher: "_Guarded", read_test: Callable[[], bool]) -> Path:
    """Train to the end, into the file."""
    try:
        with trainer.ranks.in_words():
            _train(trainer, writer, watcher)
            errors = trainer.errors(read_test=read_test())
        writer.checkpoint(trainer.checkpoint(resumable=True, live=True))
        writer.finish(RunStatus.STOPPED if trainer.stopped else RunStatus.FINISHED, errors)
    except BaseException as error:
        writer.fail(error)
        raise
    return writer.path


def _train(trainer: Trainer, writer: PatientWriter, watcher: "_Guarded") -> None:
    watcher.began(trainer)
    checkpoints, taken = trainer.step * CHECKPOINTS // trainer.steps, monotonic()
    for snapshot in trainer.run():
        writer.append(snapshot)
        due = snapshot.step * CHECKPOINTS // trainer.steps
        is_due = checkpoints < due or monotonic() - taken >= CHECKPOINT_SECONDS
        if is_due and 0 < snapshot.step < trainer.steps and not trainer.stopped:  # the first is there, the last to come
            writer.checkpoint(trainer.checkpoint(resumable=True, live=True))
            checkpoints, taken = due, monotonic()
        watcher.saw(snapshot)


class _Guarded:
    """A watcher whose faults end its watching and nothing else."""

    def __init__(self, watcher: Watcher | None, info: RunInfo, path: Path) -> None:
        self._watcher, self._info, self._path = watcher, info, path

    def began(self, trainer: Trainer) -> None:
        self._tell(lambda watcher: watcher.began(trainer, self._info, self._path))

    def saw(self, snapshot: Snapshot) -> None:
        self._tell(lambda watcher: watcher.saw(snapshot))

    def _tell(self, message: Callable[[Watcher], None]) -> None:
        if self._watcher:
            try:
                message(self._watcher)
            except Exception:
                logging.getLogger(__name__).exception("a watcher failed; the run goes on without it")
                self._watcher = None


def run_info(trainer: Trainer, data: Data) -> RunInfo:
    """The facts of a run that is about to begin."""
    return RunInfo(
        config=trainer.config,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"sparseviz": __version__, "python": platform.python_version()}
        | {name: version(name) for name in ("torch", "numpy", "h5py")},
        device=device_name(trainer.device) + trainer.ranks.text,
        threads=torch.get_num_threads(),
        parameters=trainer.parameters,
        steps=trainer.steps,
        steps_per_epoch=trainer.steps_per_epoch,
        images={"train": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        classes=data.classes,
        mean=data.mean,
        std=data.std,
        data_checksum=data.checksum,
        data_note=data.note,
        layers=trainer.layers,
        weights_note=trainer.weights_note,
        id=uuid.uuid4().hex,
    )


def _test_inputs(data: Data) -> TestInputs:
    number = min(TEST_INPUTS, data.test.within(TEST_BYTES))
    return TestInputs(*data.test.collect(torch.arange(number)))
