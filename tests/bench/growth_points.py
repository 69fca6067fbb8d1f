"""What one size costs: gates, layers, snapshots, runs."""

import shutil
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from torch import nn

import sparseviz.networks
from sparseviz.data import Data, MemorySplit
from sparseviz.runs.recording import _test_inputs, run_info
from sparseviz.store import RunWriter
from sparseviz.store.header import read_headers
from sparseviz.training.trainer import Trainer
from tests.bench import material
from tests.bench.timing import in_turns, seconds
from tests.helpers.gui.large_layer import resident
from tests.helpers.places import FORMATS

WAIT_S = 300
WIDTH = 32  # of every layer where layers grow


def _data(inputs: int, classes: int) -> Data:
    torch.manual_seed(0)
    split = MemorySplit(torch.randn(8, 1, 1, inputs), torch.arange(8) % classes)
    names = tuple(str(number) for number in range(classes))
    return replace(material.data(), train=split, validation=split, test=split, classes=names)


def _trainer(inputs: int, outputs: int, make: Callable[[], nn.Module]) -> tuple[Trainer, Data]:
    """A trainer of a network that only these measurements know."""

    def grown(*, classes: int = outputs) -> nn.Module:
        assert classes == outputs
        return make()

    sparseviz.networks.MODELS["grown"] = grown
    data = _data(inputs, outputs)
    config = material.config("grown", batch_size=8, record__checkpoints=2)
    return Trainer(config, data), data


def gates(number: int) -> dict[str, float]:
    """One layer of so many gates: a step, a snapshot, a file of one checkpoint, the window that opens it."""
    side = round(number**0.5)
    trainer, data = _trainer(
        side, side, lambda: nn.Sequential(OrderedDict(flat=nn.Flatten(), fc=nn.Linear(side, side)))
    )
    repeats = 5 if number < 50_000_000 else 2
    works = {"step": trainer._train_step, "snapshot": trainer._observer.layers}
    found = {f"{name}, ms": 1000 * median(each) for name, each in in_turns(works, repeats).items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        writer = RunWriter(path, run_info(trainer, data), _test_inputs(data), trainer.checkpoint())
        writer.append(trainer._snapshot())
        writer.close()
        del trainer, writer
        found["file, MB"] = path.stat().st_size / 1e6
        return found | {"window memory, MB": _shown(path)["memory, MB"]}


def deep(number: int) -> dict[str, float]:
    """So many layers of the same size: a step, a snapshot, a row in the file, opening and drawing."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(flat=nn.Flatten())
    layers |= {f"fc{place}": nn.Linear(WIDTH, WIDTH) for place in range(number)}
    trainer, data = _trainer(WIDTH, WIDTH, lambda: nn.Sequential(layers))
    works = {"step": trainer._train_step, "snapshot": trainer._snapshot}
    found = {f"{name}, ms": 1000 * median(each) for name, each in in_turns(works, 5).items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        writer = RunWriter(path, run_info(trainer, data), _test_inputs(data), trainer.checkpoint())
        taken = [trainer._snapshot() for _ in range(6)]
        found["append, ms"] = 1000 * median(seconds(lambda one=one: writer.append(one)) for one in taken)  # type: ignore[misc]
        writer.close()
        found["file, MB"] = path.stat().st_size / 1e6
        return found | _shown(path)


def snapshots(number: int) -> dict[str, float]:
    """A run of so many snapshots of a small network: writing them all, its file, opening and drawing."""
    trainer, data = _trainer(WIDTH, 10, lambda: nn.Sequential(OrderedDict(flat=nn.Flatten(), fc=nn.Linear(WIDTH, 10))))
    trainer._train_step()
    taken = trainer._snapshot()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        writer = RunWriter(path, run_info(trainer, data), _test_inputs(data), trainer.checkpoint())

        def write() -> None:
            for step in range(number):
                writer.append(replace(taken, step=step, epoch=float(step), time=float(step)))

        found = {"writing, ms": 1000 * seconds(write)}
        writer.close()
        found["file, MB"] = path.stat().st_size / 1e6
        return found | _shown(path)


def runs(number: int) -> dict[str, float]:
    """A folder of so many runs: what the run list reads."""
    with tempfile.TemporaryDirectory() as folder:
        source = shutil.copy(FORMATS / "format-4.h5", folder)
        many = Path(folder) / "runs"
        many.mkdir()
        for place in range(number):
            (many / f"run-{place}.h5").hardlink_to(source)
        return {"opening, ms": 1000 * min(seconds(lambda: read_headers(many)) for _ in range(2))}


def _shown(path: Path) -> dict[str, float]:
    """In a window of this process: opening, drawing once more, and by how much the memory grew."""
    from PySide6.QtWidgets import QApplication

    from sparseviz.gui.main_window import MainWindow

    app = QApplication.instance() or QApplication([])
    window = MainWindow()
    window.resize(1600, 1000)
    window.show()
    app.processEvents()
    before, drawn = resident(), list[tuple[int, int]]()
    window.drawn.connect(lambda *now: drawn.append(now))

    def first() -> None:
        window.open_run(path)
        until, view = time.monotonic() + WAIT_S, window.ui.weights
        while not drawn or view._picture is None or view._picture.cells is None:
            assert time.monotonic() < until, "the window did not draw"
            app.processEvents()

    opening = seconds(first)
    history = window.run.history if window.run else None
    assert history is not None

    def again() -> None:
        for view in window.ui.seen_views():
            view.draw(history, len(history) - 1)
        window.grab()

    drawing = median(seconds(again) for _ in range(3))
    return {
        "opening, ms": 1000 * opening,
        "drawing, ms": 1000 * drawing,
        "memory, MB": max(resident() - before, 0) / 1e6,
    }
