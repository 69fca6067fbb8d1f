"""What of a run is converted: its snapshots and a checkpoint, up to a step."""

from dataclasses import dataclass

from sparseviz.config import InputError
from sparseviz.store import RunReader
from sparseviz.values.snapshot import Checkpoint, Snapshot


class ConvertError(InputError):
    """A run cannot be converted; the message names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A run as it stood at a step, or as it is now."""

    run: RunReader
    step: int | None = None

    def snapshots(self) -> tuple[Snapshot, ...]:
        """The snapshots so far. Raises ConvertError where there is none."""
        found = self.run.snapshots()
        kept = tuple(snapshot for snapshot in found if self.step is None or snapshot.step <= self.step)
        if not kept:
            raise ConvertError(f"{self.run.path} has no snapshot{self._so_far()}; {self._advice()}")
        return kept

    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint so far. Raises ConvertError where none is held."""
        held = self.run.checkpoint(self.step)
        if self.step is not None and held.step > self.step:
            steps = ", ".join(map(str, self.run.checkpoint_steps()))
            raise ConvertError(f"{self.run.path} has no checkpoint{self._so_far()}; it has some at steps {steps}")
        return held

    def _so_far(self) -> str:
        return " yet" if self.step is None else f" at or before step {self.step}"

    def _advice(self) -> str:
        return "let the run go on" if self.step is None else "ask for a later step"
