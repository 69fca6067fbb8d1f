"""Training in the window, as a person starts it."""

from sparseviz.config import RunConfig
from sparseviz.gui.sources.live_run import LiveRun

SHORT = {"network": "lenet300", "epochs": 3, "batch_size": 50, "threads": 1, "record.snapshots": 36}  # 72 steps
LONG = SHORT | {"epochs": 2000, "record.snapshots": 4000}
WAIT_MS = 60_000


def begin(window, qtbot, settings):
    """Press Train and wait for the first snapshots."""
    window.ui.steering.set_config(RunConfig().changed(settings))
    window.menu.train.trigger()
    qtbot.waitUntil(lambda: isinstance(window.run, LiveRun) and len(window.run.history) > 2, timeout=WAIT_MS)


def wait_for_end(window, qtbot):
    qtbot.waitUntil(lambda: not window.is_training(), timeout=WAIT_MS)


def wait_for_redraws(window, qtbot):
    """Wait until a run that trains was looked at anew from beginning to end."""
    for _ in range(3):  # of the first only the end may be seen
        qtbot.waitSignal(window.redraws.due, timeout=WAIT_MS).wait()
