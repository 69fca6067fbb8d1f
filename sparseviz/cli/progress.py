"""What `sparseviz train` shows while it trains."""

import math
import signal
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sparseviz.config.parts import checkpoint_places
from sparseviz.store import RunInfo
from sparseviz.training.budget import checkpoint_bytes
from sparseviz.training.memory import memory_of
from sparseviz.training.trainer import Trainer
from sparseviz.values.snapshot import Snapshot


class TrainingProgress:
    """A progress bar that watches a run; the first Ctrl+C stops the run in good order, the second breaks it off."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[state]}"),
        )
        self._progress = Progress(*columns, console=console)
        self._tasks: dict[str, TaskID] = {}
        self._error = math.nan
        self._info: RunInfo | None = None
        self._trainer: Trainer | None = None
        self._old_handler: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()
        if self._old_handler is not None:
            signal.signal(signal.SIGINT, self._old_handler)

    def downloaded(self, name: str, done: int, total: int) -> None:
        """Show how far a download has come, in bytes."""
        self._update(name, done, total or None, f"{done / 1e6:.1f} MB")

    def began(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        """Announce the run: what it needs, and where it is recorded."""
        self._info, self._trainer = info, trainer

        def stop(_signal: int, _frame: FrameType | None) -> None:
            trainer.stop()
            # torchrun passes a Ctrl+C on, perhaps twice, and ends what has not ended half a minute later
            once = trainer.ranks.of > 1
            signal.signal(signal.SIGINT, signal.SIG_IGN if once else signal.default_int_handler)

        self._old_handler = signal.signal(signal.SIGINT, stop)
        say = self._progress.console.print
        if info.parent:
            say(f"Branched from {info.parent.name} at step {info.parent.step:,}", markup=False)
        if info.data_note:
            say(f"Note: {info.data_note}", markup=False)
        if info.weights_note and not info.parent:
            say(f"Weights: {info.weights_note}", markup=False)
        if note := trainer.ranks.note(trainer.model):
            say(f"Note: {note}", markup=False)
        say(f"Recording {path}", markup=False)
        say(f"{info.config.network} on {info.config.data.name}, {info.device}", markup=False)
        if memory := memory_of(
            info.config, trainer.train.shape, len(info.classes), len(trainer.train), trainer.ranks.of
        ):
            say(memory.line(), markup=False)
        size = checkpoint_bytes(info.config, info.parameters, sum(layer.weights for layer in info.layers))
        places = checkpoint_places(info.config.record, size)
        say(f"checkpoints: {places} places of {size / 1e6:.1f} MB (budget {info.config.record.checkpoint_budget} MB)")

    def saw(self, snapshot: Snapshot) -> None:
        """Show where the run stands."""
        if self._info is None or self._trainer is None:
            return
        measured = snapshot.scalars["validation_error"]
        self._error = measured if math.isfinite(measured) else self._error
        compression = self._info.parameters / max(snapshot.scalars["parameters_kept"], 1)
        state = f"validation error {self._error:.2f} %, {compression:.1f}x"
        epochs = self._trainer.steps // self._trainer.steps_per_epoch  # a run may have been made longer
        name = f"epoch {math.ceil(snapshot.epoch)}/{epochs} {snapshot.phase}"
        self._update("train", snapshot.step, self._trainer.steps, state, name)

    def hide(self) -> None:
        """Leave the terminal to others until there is something new to show."""
        self._progress.stop()

    def _update(self, task: str, done: int, total: int | None, state: str, description: str = "") -> None:
        self._progress.start()  # not before there is something to show; again is no harm
        if task not in self._tasks:
            self._tasks[task] = self._progress.add_task(task, state="")
        self._progress.update(
            self._tasks[task], completed=done, total=total, state=state, description=description or task
        )
