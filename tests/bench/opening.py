"""Opening stored runs, beside TensorBoard loading the same scalars and histograms."""

import importlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparseviz.export.convert import convert_run
from sparseviz.store.header import read_headers
from tests.bench import material
from tests.bench.table import Row, gain
from tests.bench.timing import Work, in_turns

RUNS, SNAPSHOTS = 500, 300
AGAINST = "TensorBoard EventAccumulator"


def load(folder: Path) -> None:
    """All of an event file, nothing thinned out."""
    accumulator = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0}).Reload()


def folder(repeats: int, runs: int = RUNS) -> list[dict[str, Any]]:
    """What the run list reads of a folder of runs."""

    def works(path: Path) -> tuple[Work, Work]:
        source = material.recorded(path / "one.h5", "lenet5", epochs=2, record__snapshots=20)
        events, list_, boards = convert_run(source, "tensorboard"), path / "runs", path / "boards"
        list_.mkdir()
        for number in range(runs):
            (list_ / f"run-{number}.h5").hardlink_to(source)
            shutil.copytree(events, boards / f"run-{number}")

        def theirs() -> None:
            for board in sorted(boards.iterdir()):
                load(board)

        return lambda: read_headers(list_), theirs

    return _beside(f"opening a folder of {runs} runs", works, repeats, "runs of 20 snapshots")


def run(repeats: int, snapshots: int = SNAPSHOTS) -> list[dict[str, Any]]:
    """What the window does to show a run."""
    from sparseviz.gui.sources.stored_run import StoredRun

    def works(path: Path) -> tuple[Work, Work]:
        epochs = -(-snapshots // material.STEPS_PER_EPOCH)
        source = material.recorded(path / "one.h5", "lenet5", epochs=epochs, record__snapshots=snapshots)
        events = convert_run(source, "tensorboard")
        return lambda: StoredRun(source).close(), lambda: load(events)

    note = "a file that was tried before; the first time a process of its own tries it"
    return _beside(f"opening a run of {snapshots} snapshots", works, repeats, note)


def _beside(what: str, works: Callable[[Path], tuple[Work, Work]], repeats: int, note: str) -> list[dict[str, Any]]:
    try:
        importlib.import_module("tensorboard")
    except ImportError as error:
        return [asdict(Row(what, AGAINST, "ms", bound=10, note=str(error)))]
    with tempfile.TemporaryDirectory() as path:
        ours, theirs = works(Path(path))
        times = in_turns({"ours": ours, "theirs": theirs}, repeats)
    return [asdict(gain(what, AGAINST, times, bound=10, note=note))]
