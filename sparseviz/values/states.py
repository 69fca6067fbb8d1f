"""States of a run, and the phases of its training: words of files and tables."""

from enum import StrEnum


class RunStatus(StrEnum):
    """The state of a run: the first four stand in its file, the others are seen from outside."""

    TRAINING = "training"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # begun, and its writer is gone
    ENDED = "ended"  # only the run file could say how


class Phase(StrEnum):
    """The phases of training, in their order, by which files number them."""

    WARM_UP = "warm-up"
    RAMP = "ramp"
    TRAIN = "train"
    DECIDE = "decide"
    FROZEN = "frozen"


PHASES = tuple(Phase)
