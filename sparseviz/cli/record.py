"""A training at the command line: how far it is, what it asks, and the run that it gives."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rich.console import Console

from sparseviz.cli.progress import TrainingProgress
from sparseviz.cli.rescue import TerminalRescuer
from sparseviz.cli.trust import trusting
from sparseviz.config import InputError, RunConfig
from sparseviz.data import load_data
from sparseviz.training.device import pick_device
from sparseviz.training.memory import free_bytes, in_bytes, memory_of


def record(console: Console, work: Callable[..., Path], *, trusted: bool) -> Path:
    """Do `record_run` or one like it, with its first arguments given, and return the path of the run."""

    def recorded() -> Path:
        with TrainingProgress(console) as progress:
            rescuer = TerminalRescuer(console, progress.hide)
            return work(watcher=progress, rescuer=rescuer, progress=progress.downloaded)

    return trusting(recorded, trusted=trusted)


def show_memory(config: RunConfig, *, trusted: bool) -> str:
    """What a run needs, as a table, and whether that is there. The data are read for the size of their images."""

    def told() -> str:
        with closing(load_data(config.data)) as data:
            memory = memory_of(config, data.train.shape, len(data.classes), len(data.train))
        if memory is None:
            raise InputError(f"network '{config.network}' cannot be measured without running it")
        free = free_bytes(pick_device(config.device))
        return memory.table() + (f"\n{'free':<40} {in_bytes(free):>10}" if free is not None else "")

    return trusting(told, trusted=trusted)
