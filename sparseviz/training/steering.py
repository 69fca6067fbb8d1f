"""Schedules of lambdas and rates, and what a person changes of them while a run trains."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sparseviz.config import RunConfig
from sparseviz.config.changes import LIVE, Branch, in_force, is_planned_anew
from sparseviz.training.phases import BEGIN, Phases
from sparseviz.values.snapshot import Event
from sparseviz.values.states import Phase


class Steering:
    """Lambdas and rates in force at every step of a run, and the record of who changed what when."""

    def __init__(self, config: RunConfig, steps: int, planned: int | None = None) -> None:
        """A run of `steps` in all; `planned` is how many they were before it was made longer."""
        self.config, self.steps = config, steps  # in force
        self._steps_per_epoch, self.planned = steps // config.epochs, planned or steps
        self.phases = Phases.of(config.schedule, self.planned)
        self._events: list[Event] = []

    def change(self, step: int, values: Mapping[str, float]) -> None:
        """Set live settings, whose values are validated, from this step on."""
        for name, value in values.items():
            self.note(Event(step, name, float(self.config.value(name)), float(value)))
        self.config = self.config.taking(values)
        self._extend(self.config.epochs * self._steps_per_epoch)

    def _extend(self, steps: int) -> None:
        if steps > self.steps:
            self.phases, self.steps = self.phases.extended(self.steps, steps), steps

    def branch(self, step: int, branch: Branch) -> None:
        """Go on from this step with these settings, of which all but the live ones are in the configuration already.

        Settings of which the phases are made lay these out anew, over the whole length.
        """
        self.note(Event(step, "branch", math.nan, math.nan))
        for name, value in branch.values.items():
            self.note(Event(step, name, _number(branch.before.value(name)), _number(value)))
        self.config = self.config.changed(branch.values)
        self._extend(self.config.epochs * self._steps_per_epoch)
        if is_planned_anew(branch.values):
            self.phases = Phases.of(self.config.schedule, self.steps)

    def freeze(self, step: int) -> None:
        """Begin the last phase at this step, unless it has begun."""
        if step < self.phases.frozen:
            self.note(Event(step, "freeze", math.nan, math.nan))
            self.phases = self.phases.frozen_at(step)

    def note(self, event: Event) -> None:
        """Keep an event for the next snapshot."""
        self._events.append(event)

    def has_events(self) -> bool:
        """Whether something was done since they were last taken."""
        return bool(self._events)

    def take_events(self) -> tuple[Event, ...]:
        """The events since this was last asked."""
        events, self._events = tuple(self._events), []
        return events

    def is_scheduled(self, step: int) -> bool:
        """Snapshots lie evenly in the run as it was planned, the first and the last step included, and go on so."""
        number, steps = self.config.record.snapshots, self.planned
        return step == 0 or step * number // steps > (step - 1) * number // steps

    def state(self) -> dict[str, float]:
        """All that is in force as numbers, and how many events no snapshot has yet."""
        live = {name: float(self.config.value(name)) for name in LIVE}
        phases = {f"first.{name}": float(getattr(self.phases, name)) for name in BEGIN}
        return live | phases | {"steps": float(self.steps), "pending": float(len(self._events))}

    def put_state(self, numbers: Mapping[str, float], pending: Iterable[Event]) -> None:
        """Put back what `state` gave, with the events that were pending."""
        self.config, self.steps = in_force(self.config, numbers), int(numbers["steps"])
        self.phases = replace(self.phases, **{name: int(numbers[f"first.{name}"]) for name in BEGIN})
        self._events = list(pending)

    def is_target_met(self, step: int, scalars: Mapping[str, float], *, acting: bool) -> bool:
        """Whether the masks are to freeze now; told by scheduled snapshots alone, so that looking changes nothing.

        `acting` says that penalties do.
        """
        if not self.is_scheduled(step):
            return False
        target = self.config.target
        few = target.parameters_kept is not None and scalars["parameters_kept"] <= target.parameters_kept
        bad = target.validation_error is not None and scalars["validation_error"] > target.validation_error
        return few or (bad and acting)

    def lambdas(self, step: int) -> tuple[float, float]:
        """lambda1 and lambda2 in force at this step: the ramp and the phase "decide" are in them."""
        penalty = self.config.penalty
        lambda1, lambda2 = penalty.lambda1, penalty.lambda2
        if self.phases.name(step) is Phase.DECIDE:
            lambda1 = max(lambda1, penalty.decide_ratio * lambda2)
        share = self.phases.penalty_share(step)
        return lambda1 * share, lambda2 * share

    def rates(self, step: int) -> tuple[float, float]:
        """Learning rates of the weights and of the gates in force at this step."""
        share, optimizer = self._rate_share(step), self.config.optimizer
        return optimizer.rate * share, optimizer.gate_rate * share

    def _rate_share(self, step: int) -> float:
        """What the rate schedule and the rates' warm-up leave of the rates, in (0, 1]."""
        rising = round(self.config.optimizer.rate_warm_up * self.planned)  # steps
        return min((step + 1) / rising if rising else 1.0, 1.0) * self._scheduled_share(step)

    def _scheduled_share(self, step: int) -> float:
        optimizer = self.config.optimizer
        if optimizer.rate_schedule == "steps":
            return optimizer.rate_factor ** (step // (optimizer.rate_every * self._steps_per_epoch))
        begin = {"constant": self.steps, "cosine": 0, "frozen": self.phases.frozen}[optimizer.rate_schedule]
        if step < begin:
            return 1.0
        return (1 + math.cos(math.pi * (step - begin) / (self.steps - begin))) / 2


def _number(value: Any) -> float:
    """A setting's value in an event: NaN for what is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
