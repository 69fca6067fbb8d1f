"""A picture of 4096 x 25088 weights: the first, panned, zoomed, of new weights, beside ways to show the array."""

import gc
import tempfile
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.table import Row, gain
from tests.bench.timing import seconds

SHAPE = 4096, 25088
FRAMES = 8  # in a turn, or as often as many as fill LEAST_S
LEAST_S = 0.3
PREVIEW = "ours from the preview, which a run's own thread takes of every snapshot: that is the row of snapshots"
CELLS = "ours of the true cells in sight; the others stay in the file"


def measure(repeats: int, rows: int = SHAPE[0], columns: int = SHAPE[1]) -> list[dict[str, Any]]:
    """A frame is everything from a request until it is painted, in widgets of one size that show the same range."""
    from PySide6.QtWidgets import QApplication

    import sparseviz.training.trainer  # noqa: F401  # torch before Qt

    app, what = QApplication([]), f"heatmap of {rows} x {columns}"
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "large.h5", rows, columns)
        found = bench.first(what)
        for act in ("pan", "zoom", "new weights"):  # these last: no true cells are shown any more
            found += bench.frames(what, act, repeats)
        app.processEvents()
    return [asdict(row) for row in found]


class Bench:
    """All pictures of one stored layer."""

    def __init__(self, path: Path, rows: int, columns: int) -> None:
        from tests.bench import pictures
        from tests.helpers.gui.large_layer import write_run

        self._pictures, self._path = pictures, path
        write_run(path, rows, columns)
        self._window = pictures.window()
        self._view = self._window.ui.weights
        self._shown: dict[str, Any] = {}

    def first(self, what: str) -> list[Row]:
        """The first picture in an open window, of weights in memory and of those of the file; all pictures stay."""
        opened = seconds(partial(self._pictures.open_run, self._window, self._path))
        read = seconds(self._read)
        self._history = _two_previews(self._view.history[0], self._arrays)
        drawn, found = self._first_of_ours(), list[Row]()
        for name, make in self._pictures.PEERS.items():
            try:
                picture = self._shown[name] = make(self._arrays)
            except ImportError as error:
                found.append(Row(what, name, "ms", bound=20, note=f"{error}; pip install -e '.[bench]'"))
                continue
            shown = seconds(partial(picture.frame, picture.renew, 0))
            times = {"ours": [drawn], "theirs": [shown]}
            found.append(gain(f"{what}, first picture of weights in memory", name, times, bound=20, note=PREVIEW))
            times = {"ours": [opened], "theirs": [read + shown]}
            found.append(gain(f"{what}, first picture from the file", name, times, bound=20, note=CELLS))
        self._shown |= {name: make(self._arrays) for name, make in self._pictures.FLOORS.items()}
        self._shown = {"ours": self._pictures.ours(self._view, self._renew)} | self._shown
        return found

    def _read(self) -> None:
        """The kept weights, as a person would have them for another program; upside down they are new ones."""
        from sparseviz.store import RunReader

        with RunReader(self._path) as run:
            checkpoint = run.checkpoint(0)
        kept = np.where(checkpoint.masks["fc6"], checkpoint.parameters["fc6.weight"], np.float32(0))
        self._arrays = [kept, kept[::-1].copy()]

    def _first_of_ours(self) -> float:
        """Seconds, in a view that has shown nothing yet."""
        from sparseviz.gui.views import VIEWS

        view = VIEWS["weights"]()
        picture = self._pictures.ours(view, partial(view.draw, self._history))
        took = seconds(partial(picture.frame, picture.renew, 0))
        view.close()
        return took

    def _renew(self, number: int) -> None:
        """As while a run trains."""
        self._view.set_cells_available(False)
        self._view.draw(self._history, number)

    def frames(self, what: str, act: str, repeats: int) -> list[Row]:
        """Frames of every picture, in turns; the first turn is not counted."""
        floors = self._pictures.FLOORS
        pictures = {name: each for name, each in self._shown.items() if act != "new weights" or name not in floors}
        times: dict[str, list[float]] = {name: [] for name in pictures}
        for number in range(1 + repeats):
            for name, picture in pictures.items():
                took = _turn(picture, act)
                times[name] += [took] if number else []
        ours, note = times.pop("ours"), PREVIEW if act == "new weights" else ""
        bounds = {name: None if name in floors else 20 for name in times}
        return [
            gain(f"{what}, {act}", name, {"ours": ours, "theirs": theirs}, bound=bounds[name], note=note)
            for name, theirs in times.items()
        ]


def _turn(picture: Any, act: str) -> float:
    """Seconds of a frame, in the mean of many that end where they began; what shows all cannot move."""
    picture.reset()
    if act == "pan":
        picture.zoom(0.25)
    picture.settle()
    gc.collect()
    frame = {
        "pan": lambda number: picture.frame(picture.move, 0.05 if number % 2 else -0.05, 0.0),
        "zoom": lambda number: picture.frame(picture.zoom, 0.7 if number < FRAMES // 2 else 1 / 0.7),
        "new weights": lambda number: picture.frame(picture.renew, number % 2),
    }[act]
    took, frames = 0.0, 0
    while took < LEAST_S:
        took += seconds(lambda: [frame(number) for number in range(FRAMES)])
        frames += FRAMES
    return took / frames


def _two_previews(snapshot: Any, arrays: list[Any]) -> Any:
    """A history of the snapshot with previews of two matrices."""
    import torch

    from sparseviz.training.measure.reductions import take_preview
    from sparseviz.values.history import History

    layer = snapshot.layers[0]
    history = History(layer.info.weights)
    for step, array in enumerate(arrays):
        weight = torch.from_numpy(np.ascontiguousarray(array))
        planes, scale = take_preview(weight, weight != 0)
        drawn = replace(layer, preview=planes.numpy(), preview_scale=scale)
        history.append(replace(snapshot, step=snapshot.step + step, layers=(drawn,)))
    return history
