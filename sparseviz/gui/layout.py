"""Where everything stands in the window."""

import math
from collections.abc import Iterable

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QSplitter,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from sparseviz import paths
from sparseviz.config import EMBEDDED, RunConfig
from sparseviz.data import DATASETS
from sparseviz.gui.actions import Actions
from sparseviz.gui.panels.steering import SteeringPanel
from sparseviz.gui.references import references
from sparseviz.gui.status_line import StatusLine
from sparseviz.gui.time_bar import TimeBar
from sparseviz.gui.views import VIEWS
from sparseviz.gui.views.base import View
from sparseviz.gui.views.curves import CurvesView
from sparseviz.gui.views.examples import ExamplesView
from sparseviz.gui.views.gates import GatesView
from sparseviz.gui.views.prior import PriorView
from sparseviz.gui.views.weights import WeightsView
from sparseviz.methods import METHODS
from sparseviz.models import MODELS
from sparseviz.prior import Prior
from sparseviz.snapshot import Errors, History


class Layout(QObject):
    """Builds the window's docks, bars and menus, and draws its visible views."""

    def __init__(self, window: QMainWindow, actions: Actions) -> None:
        super().__init__(window)
        self._window, self._actions = window, actions
        self.views: dict[str, View] = {name: view() for name, view in VIEWS.items()}
        self.time, self.status = TimeBar(), StatusLine()
        self.steering = SteeringPanel(_choices())
        self.prior, self.examples = PriorView(), ExamplesView()
        self.presets = QComboBox()
        self.state, self.device, self.ending = QLabel(), QLabel(), QLabel()
        self.docks: list[QDockWidget] = []
        self._place_views()
        self._fill_tool_bar()
        self._fill_menus()
        window.setStatusBar(self.status)
        self.status.addPermanentWidget(self.ending)

    @property
    def weights(self) -> WeightsView:
        """The one view that asks for more than the history."""
        view = self.views["weights"]
        assert isinstance(view, WeightsView)  # noqa: S101  # VIEWS says so
        return view

    @property
    def gates(self) -> GatesView:
        """The one view that shares the curves' time axis."""
        view = self.views["gates"]
        assert isinstance(view, GatesView)  # noqa: S101  # VIEWS says so
        return view

    @property
    def curves(self) -> CurvesView:
        """The one view in which a time is chosen."""
        view = self.views["curves"]
        assert isinstance(view, CurvesView)  # noqa: S101  # VIEWS says so
        return view

    def _place_views(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setAccessibleName(self.tr("Weights and curves"))
        for name in ("weights", "curves"):
            self.splitter.addWidget(self.views[name])
        self.splitter.setChildrenCollapsible(False)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.time)
        self.curves.time_chosen.connect(self.time.choose)
        self.curves.time_range_changed.connect(self.gates.set_time_range)
        self._window.setCentralWidget(centre)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        steering = self._dock("steering", self.tr("Steering"), self.steering, left)
        prior = self._dock("prior", self.tr("Penalty"), self.prior, left)
        gates = self._dock("gates", self.views["gates"].title(), self.views["gates"], right)
        layers = self._dock("layers", self.views["layers"].title(), self.views["layers"], right)
        self._window.tabifyDockWidget(layers, self._dock("examples", self.examples.title(), self.examples, right))
        layers.raise_()
        self._corners = (steering, prior, gates, layers)
        self.steering.changed.connect(self._draw_prior)
        self._draw_prior()

    def arrange(self) -> None:
        """Share the window's room among the docks; only a window that is shown takes it."""
        steering, prior, gates, layers = self._corners
        width, height = self._window.width(), self._window.height()
        self._window.resizeDocks([steering, gates], [width * 19 // 100, width * 3 // 10], Qt.Orientation.Horizontal)
        shares = [height * 6 // 10, height * 4 // 10, height * 7 // 10, height * 3 // 10]
        self._window.resizeDocks([steering, prior, gates, layers], shares, Qt.Orientation.Vertical)
        self.splitter.setSizes([height // 2, height // 2])

    def _dock(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self._window.addDockWidget(area, dock)
        self.docks.append(dock)
        return dock

    def _fill_tool_bar(self) -> None:
        bar = QToolBar(self.tr("Run"))
        bar.setObjectName("run")
        bar.setMovable(False)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setIconSize(QSize(16, 16))
        actions = self._actions
        bar.addActions([actions.train, actions.pause, actions.step, actions.stop])
        bar.addSeparator()
        label = QLabel(self.tr(" Preset "))
        label.setBuddy(self.presets)
        self.presets.addItems([EMBEDDED, *(name for name in paths.presets() if name != EMBEDDED)])
        self.presets.setPlaceholderText(self.tr("own settings"))
        self.steering.changed.connect(self._name_preset)
        self.presets.setAccessibleName(self.tr("Preset"))
        self.presets.setToolTip(self.tr("Put a ready-made configuration into the steering panel"))
        bar.addWidget(label)
        bar.addWidget(self.presets)
        bar.addSeparator()
        bar.addAction(actions.export)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        for widget in (space, self.device, self.state):
            bar.addWidget(widget)
        self.state.setAccessibleName(self.tr("State of the run"))
        self._window.addToolBar(bar)

    def _draw_prior(self) -> None:
        """The penalty of the lambdas now set; without gates there is none."""
        config = self.steering.config
        has_gates = config.method.name == "gated"
        lambdas = (config.penalty.lambda1, config.penalty.lambda2) if has_gates else (0.0, 0.0)
        self.prior.draw_prior(Prior(*lambdas, config.gate.start, squared=config.penalty.count == "l2"))

    def _name_preset(self) -> None:
        """Name the preset that the steering panel shows, if it is one."""
        names = [self.presets.itemText(index) for index in range(self.presets.count())]
        same = [RunConfig.load(name) == self.steering.config for name in names]
        self.presets.setCurrentIndex(same.index(True) if any(same) else -1)

    def _fill_menus(self) -> None:
        actions, bar = self._actions, self._window.menuBar()
        file = bar.addMenu(self.tr("&File"))
        file.addActions([actions.open, actions.export, actions.picture])
        file.addSeparator()
        file.addAction(actions.quit)
        run = bar.addMenu(self.tr("&Run"))
        run.addActions([actions.train, actions.pause, actions.step, actions.steps, actions.epoch, actions.stop])
        run.addSeparator()
        run.addAction(actions.freeze)
        run.addSeparator()
        run.addAction(actions.read_test)
        view = bar.addMenu(self.tr("&View"))
        view.addActions([dock.toggleViewAction() for dock in self.docks])
        view.addSeparator()
        view.addActions([actions.previous, actions.next])
        help_ = bar.addMenu(self.tr("&Help"))
        help_.addActions([actions.shortcuts, actions.about])

    def draw(self, history: History, position: int) -> None:
        """Draw the views that can be seen."""
        for view in self.views.values():
            if view.isVisible() and not view.visibleRegion().isEmpty():
                view.draw(history, position)

    def clear(self) -> None:
        """Show no run."""
        for view in self.views.values():
            view.clear()
        self.time.reset()
        self.ending.clear()

    def show_references(self, config: RunConfig) -> None:
        """Hold the curves of a run against the published networks that it repeats."""
        self.curves.set_references(references(config))

    def show_state(self, state: str, device: str) -> None:
        """Say what is going on, and where."""
        self.state.setText(f"  ● {state}  ")
        self.device.setText(device)

    def show_ending(self, errors: Errors | None) -> None:
        """The test error stands here, once, when the run has ended."""
        if errors is None or not math.isfinite(errors.test):
            self.ending.clear()
            self.curves.set_test_error(None)
            return
        self.curves.set_test_error(errors.test)
        self.ending.setText(self.tr("test error {0:.2f} %").format(errors.test))


def _choices() -> dict[str, dict[str, str]]:
    """The registries' names, for the settings that choose among them."""
    registries: dict[str, Iterable[str]] = {"network": MODELS, "data.name": DATASETS, "method.name": METHODS}
    found = {name: {key: key for key in registry} for name, registry in registries.items()}
    return found | {"device": {name: name for name in ("auto", "cpu", "cuda", "mps")}}
