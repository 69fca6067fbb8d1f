"""Widgets of one size that show the same matrix over the same range: ours, what a person would pick, and floors."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtWidgets import QApplication, QWidget

SIZE = QSize(1000, 700)  # of the widget, axes and all
WAIT_S = 120.0
SETTLE_S = 1.0  # until cells that were asked for have come

Array = npt.NDArray[np.float32]


class Paintings(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, painted: QWidget) -> None:
        super().__init__(painted)
        self.count = 0
        painted.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Count, and let it be painted."""
        self.count += event.type() == QEvent.Type.Paint
        return super().eventFilter(watched, event)


@dataclass(frozen=True)
class Picture:
    """A widget and how it is asked for something else."""

    widget: QWidget
    painted: Paintings
    reset: Callable[[], Any]  # all of the matrix
    zoom: Callable[[float], Any]  # of what is in sight, so much
    move: Callable[[float, float], Any]  # right and down, in shares of what is in sight
    renew: Callable[..., Any]  # show the weights of a number

    def frame(self, change: Callable[..., Any], *arguments: Any) -> None:
        """A change until it is painted, and whatever else it asks the thread of the window for at once."""
        before, until = self.painted.count, time.monotonic() + WAIT_S
        change(*arguments)
        QApplication.processEvents()
        while self.painted.count == before:
            if time.monotonic() > until:
                raise TimeoutError("the picture was not painted")
            QApplication.processEvents()

    def settle(self) -> None:
        """Let come what was asked for."""
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until:
            QApplication.processEvents()
            time.sleep(0.005)


def _shown(widget: QWidget, painted: QWidget) -> Paintings:
    paintings = Paintings(painted)
    widget.resize(SIZE)
    widget.show()
    QApplication.processEvents()
    return paintings


def ours(view: Any, renew: Callable[[int], Any]) -> Picture:
    """The heatmap of the weights view, with its bars and its colour bar; the view stands alone."""
    heatmap, canvas = view.heatmap, view.heatmap.canvas
    view.setParent(None)
    view._pages.setCurrentWidget(view.body)  # else the heatmap of an empty view has no size yet
    paintings = _shown(view, canvas.viewport())
    view.resize(view.size() + SIZE - canvas.size())
    QApplication.processEvents()
    return Picture(view, paintings, heatmap.reset, heatmap.zoom, heatmap.move_by, renew)


def window() -> Any:
    """The program's window, open and empty."""
    from sparseviz.gui.main_window import MainWindow

    made = MainWindow()
    made.resize(1600, 1000)
    made.show()
    QApplication.processEvents()
    return made


def open_run(window: Any, path: Path) -> None:
    """Open a run, until the true cells of its weights are painted."""
    view, until = window.ui.weights, time.monotonic() + WAIT_S
    window.open_run(path)
    while view._picture is None or view._picture.cells is None:
        if time.monotonic() > until:
            raise TimeoutError("the cells did not come")
        QApplication.processEvents()
        time.sleep(0.002)
    QApplication.processEvents()


def empty_plot(arrays: list[Array]) -> Picture:
    """pyqtgraph's plot without anything in it but its axes."""
    import pyqtgraph as pg

    plot = pg.PlotWidget()
    box, (rows, columns) = plot.getViewBox(), arrays[0].shape

    def reset() -> None:
        box.setRange(xRange=(0, columns), yRange=(0, rows), padding=0)

    def move(right: float, down: float) -> None:
        (left, far), (top, bottom) = box.viewRange()
        box.translateBy(x=right * (far - left), y=down * (bottom - top))

    paintings = _shown(plot, plot.viewport())
    return Picture(plot, paintings, reset, lambda factor: box.scaleBy((factor, factor)), move, lambda _: reset())


def image_item(arrays: list[Array], *, downsample: bool = False) -> Picture:
    """As pyqtgraph's examples do it; empty at first."""
    import pyqtgraph as pg

    plot = empty_plot(arrays)
    item = pg.ImageItem(axisOrder="row-major", autoDownsample=downsample)
    assert isinstance(plot.widget, pg.PlotWidget)
    plot.widget.addItem(item)
    renew = lambda number: item.setImage(arrays[number])  # noqa: E731
    return Picture(plot.widget, plot.painted, plot.reset, plot.zoom, plot.move, renew)


def downsampled(arrays: list[Array]) -> Picture:
    """As pyqtgraph's documentation says for arrays of more cells than a screen has pixels."""
    return image_item(arrays, downsample=True)


def silx_plot(arrays: list[Array]) -> Picture:
    """As silx's examples do it; empty at first. Raises ImportError without silx."""
    from silx.gui.plot import Plot2D

    plot = Plot2D()
    rows, columns = arrays[0].shape

    def limits(change: Callable[[float, float], tuple[float, float]]) -> None:
        plot.setLimits(*change(*plot.getXAxis().getLimits()), *change(*plot.getYAxis().getLimits()))

    def zoom(factor: float) -> None:
        limits(lambda low, high: ((low + high - factor * (high - low)) / 2, (low + high + factor * (high - low)) / 2))

    def move(right: float, _down: float) -> None:
        limits(lambda low, high: (low + right * (high - low), high + right * (high - low)))

    return Picture(
        plot,
        _shown(plot, plot.getWidgetHandle()),
        lambda: plot.setLimits(0, columns, 0, rows),
        zoom,
        move,
        lambda number: plot.addImage(arrays[number], resetzoom=False),
    )


def empty_widget(_arrays: list[Array]) -> Picture:
    """A widget that paints its ground and nothing else."""
    widget = QWidget()
    update = lambda *_: widget.update()  # noqa: E731
    return Picture(widget, _shown(widget, widget), update, update, update, update)


Make = Callable[[list[Array]], Picture]
PEERS: dict[str, Make] = {
    "pyqtgraph ImageItem with the array": image_item,
    "pyqtgraph ImageItem, autoDownsample": downsampled,
    "silx image plot": silx_plot,
}
FLOORS: dict[str, Make] = {"an empty pyqtgraph plot": empty_plot, "an empty QWidget": empty_widget}
