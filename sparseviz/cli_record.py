"""A training at the command line: how far it is, what it asks, and the run that it gives."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from sparseviz.cli_progress import TrainingProgress
from sparseviz.cli_rescue import TerminalRescuer
from sparseviz.cli_trust import trusting


def record(console: Console, work: Callable[..., Path], *, trusted: bool) -> Path:
    """Do `record_run` or one like it, with its first arguments given, and return the path of the run."""

    def recorded() -> Path:
        with TrainingProgress(console) as progress:
            rescuer = TerminalRescuer(console, progress.hide)
            return work(watcher=progress, rescuer=rescuer, progress=progress.downloaded)

    return trusting(recorded, trusted=trusted)
