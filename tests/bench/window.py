"""Training with the window open beside training without, and how late the event loop is meanwhile."""

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sparseviz.snapshot import Snapshot
from tests.bench import material
from tests.bench.child import call
from tests.bench.table import Aim, Row
from tests.bench.timing import Spread

EPOCHS, SNAPSHOTS = 70, 140  # 700 steps, a snapshot every fifth
TICK_MS = 5


class Clock:
    """Steps a second between the tenth snapshot and the last, when all is in its stride."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    def began(self, *_: object) -> None:
        """Nothing is timed yet."""

    def saw(self, snapshot: Snapshot) -> None:
        """Note the step and the time."""
        self.seen.append((snapshot.step, time.perf_counter()))

    def rate(self) -> float:
        """Steps a second."""
        (first, began), (last, ended) = self.seen[10], self.seen[-1]
        return (last - first) / (ended - began)


def alone(epochs: int, snapshots: int) -> dict[str, float]:
    """A recorded run without a window."""
    from sparseviz.run import record_run

    clock = Clock()
    config = material.config("lenet5", epochs=epochs, record__snapshots=snapshots)
    with tempfile.TemporaryDirectory() as folder:
        record_run(config, Path(folder) / "run.h5", watcher=clock)
    return {"rate": clock.rate()}


def watched(epochs: int, snapshots: int) -> dict[str, float]:
    """The same in the window; also its redraws a second and by how many ms the event loop is late."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    import sparseviz.trainer  # noqa: F401  # torch before Qt
    from sparseviz.gui.garbage import GarbageCollector
    from sparseviz.gui.main_window import MainWindow

    app = QApplication([])
    collector, window = GarbageCollector(app), MainWindow()
    window.resize(1600, 1000)
    window.show()
    window.layout_.steering.set_config(material.config("lenet5", epochs=epochs, record__snapshots=snapshots), "bench")
    window.train()
    thread, loop = window.thread_, QEventLoop()
    assert thread is not None
    thread.finished.connect(loop.quit)
    drawn, late, ticks = _Drawn(window), [], [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        if thread.live and len(thread.live.history) > 10 and thread.isRunning():
            late.append(1000 * (now - ticks[-1]) - TICK_MS)
        ticks.append(now)

    timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start()
    history = None
    loop.exec()
    timer.stop()
    history = thread.live.history if thread.live else None
    assert history is not None
    scalars = [history[at] for at in (10, len(history) - 1)]
    rate = (scalars[1].step - scalars[0].step) / (scalars[1].time - scalars[0].time)
    p50, p99 = np.percentile(np.maximum(late, 0), [50, 99])
    collector.stop()
    return {"rate": rate, "redraws": drawn.rate(), "p50": float(p50), "p99": float(p99), "worst": max(late)}


class _Drawn:
    """Counts the window's redraws."""

    def __init__(self, window: Any) -> None:
        self.at: list[float] = []
        window.layout_.time.drawn.connect(lambda: self.at.append(time.perf_counter()))  # all views that are in sight

    def rate(self) -> float:
        return (len(self.at) - 1) / (self.at[-1] - self.at[0])


def measure(repeats: int, epochs: int = EPOCHS, snapshots: int = SNAPSHOTS) -> list[dict[str, Any]]:
    """In turns: without the window, with it."""
    pairs = [
        (call("window:alone", epochs, snapshots), call("window:watched", epochs, snapshots)) for _ in range(repeats)
    ]
    without, with_ = ([pair[place] for pair in pairs] for place in (0, 1))
    ratio = Spread.of([b["rate"] / a["rate"] for a, b in pairs])
    ours, theirs = (Spread.of([one["rate"] for one in each]) for each in (with_, without))
    redraws = Spread.of([one["redraws"] for one in with_])
    note = f"redrawn {redraws.median:.1f} times a second (at least 4 are asked for)"
    what = "training LeNet-5 with the window open"
    rows = [Row(what, "without window", "steps/s", ours, theirs, ratio, "at least", 0.95, note)]
    aims: list[tuple[str, str, float]] = [
        ("p50", "half of the time", 5),
        ("p99", "99 % of the time", 50),
        ("worst", "ever", 200),
    ]
    least: Aim = "at most"
    for name, words, bound in aims:
        values = Spread.of([one[name] for one in with_])
        rows.append(
            Row(f"event loop while training, ms late {words} at most", "-", "ms", values, None, values, least, bound)
        )
    return [asdict(row) for row in rows]
