"""Training with the window open beside training without, and how late the event loop is meanwhile."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sparseviz.config import RunConfig
from sparseviz.values.snapshot import Snapshot
from tests.bench import material
from tests.bench.child import call
from tests.bench.table import Aim, Row
from tests.bench.timing import Spread

EPOCHS, SNAPSHOTS = 70, 140  # 700 steps, a snapshot every fifth
TICK_MS = 5


class Clock:
    """The newest snapshots of a run."""

    def __init__(self) -> None:
        self.seen: list[Snapshot] = []

    def began(self, *_: object) -> None:
        """Nothing is timed yet."""

    def saw(self, snapshot: Snapshot) -> None:
        """Keep it."""
        self.seen.append(snapshot)


def rate(snapshots: Sequence[Snapshot]) -> float:
    """Steps a second between the tenth snapshot and the last, when all is in its stride, by the run's own clock."""
    first, last = snapshots[10], snapshots[-1]
    return (last.step - first.step) / (last.time - first.time)


def alone(epochs: int, snapshots: int) -> dict[str, float]:
    """A recorded run without a window."""
    from sparseviz.runs.recording import record_run

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        record_run(_config(epochs, snapshots), Path(folder) / "run.h5", watcher=clock)
    return {"rate": rate(clock.seen)}


def watched(epochs: int, snapshots: int) -> dict[str, float]:
    """The same in the window; also its redraws a second."""
    drawn: list[float] = []

    def begin(window: Any) -> None:
        window.ui.time.drawn.connect(lambda: drawn.append(time.perf_counter()))  # all views that are in sight

    history = _train(epochs, snapshots, begin)
    return {"rate": rate(history), "redraws": (len(drawn) - 1) / (drawn[-1] - drawn[0])}


def late(epochs: int, snapshots: int) -> dict[str, float]:
    """By how many ms the event loop is late meanwhile; apart, for looking at it so often takes steps itself."""
    from PySide6.QtCore import Qt, QTimer

    found, ticks = list[float](), [time.perf_counter()]
    timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)

    def begin(window: Any) -> None:
        def tick() -> None:
            now, thread = time.perf_counter(), window.training
            if thread and thread.live and len(thread.live.history) > 10 and thread.isRunning():
                found.append(1000 * (now - ticks[-1]) - TICK_MS)
            ticks.append(now)

        timer.timeout.connect(tick)
        timer.start()

    _train(epochs, snapshots, begin)
    p50, p99 = np.percentile(np.maximum(found, 0), [50, 99])
    return {"p50": float(p50), "p99": float(p99), "worst": max(found)}


def _config(epochs: int, snapshots: int) -> RunConfig:
    return material.config("lenet5", epochs=epochs, record__snapshots=snapshots)


def _train(epochs: int, snapshots: int, begin: Callable[[Any], None]) -> list[Snapshot]:
    """Train in the window, from when `begin` was called with it, to the end of the run."""
    from PySide6.QtCore import QEventLoop
    from PySide6.QtWidgets import QApplication

    import sparseviz.training.trainer  # noqa: F401  # torch before Qt
    from sparseviz.gui.main_window import MainWindow
    from sparseviz.gui.qt.garbage import GarbageCollector

    app = QApplication.instance() or QApplication([])
    collector, window = GarbageCollector(app), MainWindow()
    window.resize(1600, 1000)
    window.show()
    window.ui.steering.set_config(_config(epochs, snapshots), "bench")
    window.train()
    thread, loop = window.training, QEventLoop()
    assert thread is not None
    thread.finished.connect(loop.quit)
    begin(window)
    loop.exec()
    assert thread.live is not None
    collector.stop()
    return list(thread.live.history)


def measure(repeats: int, epochs: int = EPOCHS, snapshots: int = SNAPSHOTS) -> list[dict[str, Any]]:
    """In turns: without the window, with it, and with it once more for the event loop."""
    functions = ("window:alone", "window:watched", "window:late")
    turns = [[call(function, epochs, snapshots) for function in functions] for _ in range(repeats)]
    without, with_, loops = ([turn[place] for turn in turns] for place in range(3))
    ratio = Spread.of([b["rate"] / a["rate"] for a, b in zip(without, with_, strict=True)])
    ours, theirs = (Spread.of([one["rate"] for one in each]) for each in (with_, without))
    redraws = Spread.of([one["redraws"] for one in with_])
    note = (
        f"redrawn {redraws.median:.1f} times a second (at least 4 are asked for); steps by the snapshots' own times; "
        "the event loop is looked at in runs of their own, for that takes steps"
    )
    what = "training LeNet-5 with the window open"
    rows = [Row(what, "without window", "steps/s", ours, theirs, ratio, "at least", 0.95, note)]
    aims: list[tuple[str, str, float]] = [
        ("p50", "half of the time", 5),
        ("p99", "99 % of the time", 50),
        ("worst", "ever", 200),
    ]
    least: Aim = "at most"
    for name, words, bound in aims:
        values = Spread.of([one[name] for one in loops])
        rows.append(
            Row(f"event loop while training, ms late {words} at most", "-", "ms", values, None, values, least, bound)
        )
    return [asdict(row) for row in rows]
