"""A picture of 4096 x 25088 weights: the first, panned, zoomed, of new weights, beside two ways to show the array."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tests.bench.table import Row, gain
from tests.bench.timing import Work, in_turns, seconds

SHAPE = 4096, 25088
SIZE = 1000, 700  # pixels of the picture
WAIT_S = 120.0
FRAMES = 8  # in a turn
NEW = "ours from two previews in turn, which a run's own thread makes: that is the row of snapshots"


def measure(repeats: int, rows: int = SHAPE[0], columns: int = SHAPE[1]) -> list[dict[str, Any]]:
    """From the same file; a frame is what the thread of the window is busy with, from the request to its pixels."""
    from PySide6.QtWidgets import QApplication

    import sparseviz.trainer  # noqa: F401  # torch before Qt
    from tests.gui.test_large_layer import write_run

    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.h5"
        write_run(path, rows, columns)
        what, found = f"heatmap of {rows} x {columns}", list[Row]()
        ours, first = opened(app, path)
        peers: dict[str, dict[str, Work]] = {}
        for name, make in (("pyqtgraph ImageItem with the array", image_item), ("silx image plot", silx_plot)):
            try:
                peers[name], theirs = shown(app, path, make)
            except ImportError as error:
                found.append(Row("heatmap", name, "ms", bound=20, note=f"{error}; pip install -e '.[bench]'"))
                continue
            times = {"ours": [first], "theirs": [theirs]}
            found.append(gain(f"{what}, first picture from the file", name, times, bound=20))
        for act, note in (("pan", ""), ("zoom", ""), ("new weights", NEW)):  # these last: no cells are shown any more
            for name, peer in peers.items():
                times = in_turns({"ours": ours[act], "theirs": peer[act]}, repeats)
                frames = {who: [one / FRAMES for one in each] for who, each in times.items()}
                found.append(gain(f"{what}, {act}", name, frames, bound=20, note=note))
        return [asdict(row) for row in found]


def opened(app: Any, path: Path) -> tuple[dict[str, Work], float]:
    """The window's view of the stored layer, and the seconds to its first whole picture."""
    from sparseviz.gui.main_window import MainWindow

    window = MainWindow()
    window.resize(1600, 1000)
    window.show()
    app.processEvents()
    view = window.layout_.weights

    def first() -> None:
        window.open_run(path)
        _wait(app, lambda: view._picture is not None and view._picture.cells is not None)
        view.heatmap.grab()

    took, heatmap = seconds(first), view.heatmap
    view.window_ = window  # type: ignore[attr-defined]  # alive as long as the view

    def frame() -> None:
        heatmap.grab()
        app.processEvents()

    return _acts(heatmap.reset, heatmap.zoom, heatmap.move_by, frame) | {"new weights": _redrawn(view, frame)}, took


def _redrawn(view: Any, frame: Work) -> Work:
    """The view draws a history of two snapshots with previews of other weights, as while a run trains."""
    from sparseviz.reductions import take_preview
    from sparseviz.snapshot import History

    shown = view.history[0]
    layer = shown.layers[0]
    history, random = History(layer.info.weights), torch.Generator().manual_seed(0)
    for step in range(2):
        weight = torch.randn((layer.info.rows, layer.info.columns), generator=random)
        planes, scale = take_preview(weight, torch.rand(weight.shape, generator=random) < 1e-3)
        drawn = replace(layer, preview=planes.numpy(), preview_scale=scale)
        history.append(replace(shown, step=shown.step + step, layers=(drawn,)))

    def redrawn() -> None:
        view.set_cells_available(False)
        view.heatmap.reset()
        for number in range(FRAMES):
            view.draw(history, number % 2)
            frame()

    return redrawn


def image_item(array: npt.NDArray[np.float32]) -> tuple[Any, dict[str, Any]]:
    """As pyqtgraph's examples do it."""
    import pyqtgraph as pg

    plot = pg.PlotWidget()
    item = pg.ImageItem(array, axisOrder="row-major")
    plot.addItem(item)
    box = plot.getViewBox()

    def move(right: float, down: float) -> None:
        (left, far), (top, bottom) = box.viewRange()
        box.translateBy(x=right * (far - left), y=down * (bottom - top))

    acts = {"reset": box.autoRange, "zoom": lambda factor: box.scaleBy((factor, factor))}
    return plot, acts | {"move": move, "show": item.setImage}


def silx_plot(array: npt.NDArray[np.float32]) -> tuple[Any, dict[str, Any]]:
    """As silx's examples do it."""
    from silx.gui.plot import Plot2D

    plot = Plot2D()
    plot.addImage(array)

    def limits(change: Callable[[float, float], tuple[float, float]]) -> None:
        plot.setLimits(*change(*plot.getXAxis().getLimits()), *change(*plot.getYAxis().getLimits()))

    def zoom(factor: float) -> None:
        limits(lambda low, high: ((low + high - factor * (high - low)) / 2, (low + high + factor * (high - low)) / 2))

    def move(right: float, _down: float) -> None:
        limits(lambda low, high: (low + right * (high - low), high + right * (high - low)))

    def show(new: npt.NDArray[np.float32]) -> None:
        plot.addImage(new, resetzoom=False)

    return plot, {"reset": plot.resetZoom, "zoom": zoom, "move": move, "show": show}


def shown(app: Any, path: Path, make: Callable[..., tuple[Any, dict[str, Any]]]) -> tuple[dict[str, Work], float]:
    """Another widget with the same kept weights, and the seconds to its first picture."""
    from sparseviz.store import RunReader

    made: list[tuple[Any, dict[str, Any], npt.NDArray[np.float32]]] = []

    def first() -> None:
        with RunReader(path) as run:
            checkpoint = run.checkpoint(0)
        array = np.where(checkpoint.masks["fc6"], checkpoint.parameters["fc6.weight"], 0)
        widget, acts = make(array)
        widget.resize(*SIZE)
        widget.show()
        made.append((widget, acts, array))
        app.processEvents()
        widget.grab()

    took = seconds(first)
    widget, acts, array = made[0]
    arrays = array, array[::-1].copy()

    def frame() -> None:
        widget.grab()
        app.processEvents()

    def renewed() -> None:
        acts["reset"]()
        for number in range(FRAMES):
            acts["show"](arrays[number % 2])
            frame()

    return _acts(acts["reset"], acts["zoom"], acts["move"], frame) | {"new weights": renewed}, took


def _acts(
    reset: Work, zoom: Callable[[float], Any], move: Callable[[float, float], Any], frame: Work
) -> dict[str, Work]:
    def panned() -> None:
        reset()
        zoom(0.25)  # what shows all cannot move
        for number in range(FRAMES):
            move(0.05 if number % 2 else -0.05, 0.0)
            frame()

    def zoomed() -> None:
        reset()
        for number in range(FRAMES):
            zoom(0.7 if number < FRAMES // 2 else 1 / 0.7)
            frame()

    return {"pan": panned, "zoom": zoomed}


def _wait(app: Any, has_come: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not has_come():
        if time.monotonic() > until:
            raise TimeoutError("the picture did not come")
        app.processEvents()
        time.sleep(0.002)
