"""The phases of a run, in absolute steps."""

import math
from dataclasses import dataclass, replace
from typing import Self

from sparseviz.config.parts import ScheduleConfig
from sparseviz.values.states import PHASES, Phase

BEGIN = PHASES[1:]  # at a step of their own; before them it is warm-up


@dataclass(frozen=True, slots=True)
class Phases:
    """The first step of each phase but warm-up; a phase that begins where the next does is left out.

    Absolute steps: a run that is extended lengthens its last phase only.
    """

    ramp: int
    train: int
    decide: int
    frozen: int
    stairs: int = 0  # in which the penalties rise; 0 for a line

    @classmethod
    def of(cls, schedule: ScheduleConfig, steps: int) -> Self:
        """The phases of a run of this many steps."""
        shares = (schedule.warm_up_until, schedule.ramp_until, schedule.decide_from, schedule.freeze_from)
        ramp, train, decide, frozen = (round(share * steps) for share in shares)
        return cls(ramp, train, decide, frozen, schedule.stairs)

    def frozen_at(self, step: int) -> Self:
        """The same, but frozen from this step on."""
        earlier = {name: min(getattr(self, name), step) for name in BEGIN}
        return replace(self, **earlier)

    def extended(self, end: int, later: int) -> Self:
        """The same for a run that ends later: what would have begun at its end never does."""
        moved = {name: later for name in BEGIN if getattr(self, name) >= end}
        return replace(self, **moved)

    def name(self, step: int) -> Phase:
        """The phase of this step."""
        begun = [name for name in BEGIN if step >= getattr(self, name)]
        return begun[-1] if begun else Phase.WARM_UP

    def penalty_share(self, step: int) -> float:
        """How much of the penalties acts at this step: rises from 0 to 1 over the ramp, 0 once frozen."""
        if step >= self.frozen or step < self.ramp:
            return 0.0
        if step >= self.train:
            return 1.0
        share = (step - self.ramp + 1) / (self.train - self.ramp)
        return math.ceil(share * self.stairs) / self.stairs if self.stairs else share
