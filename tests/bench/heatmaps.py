"""A picture of 4096 x 25088 weights: the first, panned and zoomed, beside two ways to show the array itself."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.bench.table import Row, gain
from tests.bench.timing import Work, in_turns, seconds

SHAPE = 4096, 25088
SIZE = 1000, 700  # pixels of the picture
WAIT_S = 120.0
FRAMES = 8  # in a turn


def measure(repeats: int, rows: int = SHAPE[0], columns: int = SHAPE[1]) -> list[dict[str, Any]]:
    """From the same file; a frame is what the thread of the window is busy with."""
    from PySide6.QtWidgets import QApplication

    import sparseviz.trainer  # noqa: F401  # torch before Qt
    from tests.gui.test_large_layer import write_run

    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.h5"
        write_run(path, rows, columns)
        found: list[Row] = []
        ours, first = opened(app, path)
        for name, make in (("pyqtgraph ImageItem with the array", image_item), ("silx image plot", silx_plot)):
            try:
                theirs, theirs_first = shown(app, path, make)
            except ImportError as error:
                found.append(Row("heatmap", name, "ms", bound=20, note=f"{error}; pip install -e '.[bench]'"))
                continue
            what = f"heatmap of {rows} x {columns}"
            found.append(
                gain(
                    f"{what}, first picture from the file", name, {"ours": [first], "theirs": [theirs_first]}, bound=20
                )
            )
            for act in ("pan", "zoom"):
                times = in_turns({"ours": ours[act], "theirs": theirs[act]}, repeats)
                frames = {who: [one / FRAMES for one in each] for who, each in times.items()}
                found.append(gain(f"{what}, {act}", name, frames, bound=20))
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

    return _acts(heatmap.reset, heatmap.zoom, heatmap.move_by, frame), took


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

    return plot, {"reset": box.autoRange, "zoom": lambda factor: box.scaleBy((factor, factor)), "move": move}


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

    return plot, {"reset": plot.resetZoom, "zoom": zoom, "move": move}


def shown(app: Any, path: Path, make: Callable[..., tuple[Any, dict[str, Any]]]) -> tuple[dict[str, Work], float]:
    """Another widget with the same kept weights, and the seconds to its first picture."""
    from sparseviz.store import RunReader

    made: list[tuple[Any, dict[str, Any]]] = []

    def first() -> None:
        with RunReader(path) as run:
            checkpoint = run.checkpoint(0)
        widget, acts = make(np.where(checkpoint.masks["fc6"], checkpoint.parameters["fc6.weight"], 0))
        widget.resize(*SIZE)
        widget.show()
        made.append((widget, acts))
        app.processEvents()
        widget.grab()

    took = seconds(first)
    widget, acts = made[0]

    def frame() -> None:
        widget.grab()
        app.processEvents()

    return _acts(acts["reset"], acts["zoom"], acts["move"], frame), took


def _acts(
    reset: Work, zoom: Callable[[float], Any], move: Callable[[float, float], Any], frame: Work
) -> dict[str, Work]:
    def panned() -> None:
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
