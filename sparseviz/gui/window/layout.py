"""Layout of the main window: where everything stands."""

import math
from collections.abc import Iterable
from functools import cache

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QLabel,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QSplitter,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sparseviz.config import EMBEDDED, RunConfig, paths
from sparseviz.data import DATASETS
from sparseviz.gui.panels.run_list.panel import RunsPanel
from sparseviz.gui.panels.steering.panel import SteeringPanel
from sparseviz.gui.qt.focus_guide import focus_of
from sparseviz.gui.views import VIEWS
from sparseviz.gui.views.base import Pane, View
from sparseviz.gui.views.curves.view import CurvesView
from sparseviz.gui.views.examples.view import ExamplesView
from sparseviz.gui.views.gates.view import GatesView
from sparseviz.gui.views.prior.view import PriorView
from sparseviz.gui.views.weights.view import WeightsView
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.arrangement import DockArrangement, order_tabs
from sparseviz.gui.window.recent import RecentRuns
from sparseviz.gui.window.status_line import StatusLine
from sparseviz.gui.window.time_bar import TimeBar
from sparseviz.gui.window.title_bar import Framed, TitleBar
from sparseviz.methods import METHODS
from sparseviz.networks import MODELS
from sparseviz.values.prior import Prior
from sparseviz.values.snapshot import Errors

_PLACED = ("weights", "curves", "gates", "layers")  # views with a place of their own; another is a tab at the right


class Layout(QObject):
    """The window's docks, bars and menus, and the views in them: what Qt Designer calls its `ui`."""

    save_asked = Signal(QObject)  # a Pane, whose picture or values are wanted

    def __init__(self, window: QMainWindow, actions: Actions) -> None:
        super().__init__(window)
        self._window, self._actions = window, actions
        self.curves, self.gates, self.weights = CurvesView(), GatesView(), WeightsView()
        made: dict[str, View] = {"curves": self.curves, "gates": self.gates, "weights": self.weights}
        self.views = {name: made[name] if name in made else view() for name, view in VIEWS.items()}
        self.time, self.status = TimeBar(actions.play, actions.branch), StatusLine()
        self.steering = SteeringPanel(_choices())
        self.prior, self.examples, self.runs = PriorView(), ExamplesView(), RunsPanel()
        self.presets, self.recent = QComboBox(), RecentRuns(window)
        self.state, self.device, self.ending = QLabel(), QLabel(), QLabel()
        self.docks: list[QDockWidget] = []
        self.bars: list[TitleBar] = []  # Alt and a number go to their bodies, in this order
        self._place_views()
        self._fill_tool_bar()
        self._fill_menus()
        window.setStatusBar(self.status)
        self.status.addPermanentWidget(self.ending)
        self.arrangement = DockArrangement(window, self.splitter)
        order_tabs([self.tool_bar, *self.docks[:2], self.splitter, self.time, *self.docks[2:]])

    def _place_views(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self._dock("steering", self.steering, left)
        self._dock("prior", self.prior, left)
        self._place_centre()
        self._dock("gates", self.gates, right)
        layers = self._dock("layers", self.views["layers"], right)
        others = [(name, view) for name, view in self.views.items() if name not in _PLACED]
        for name, pane in (*others, ("examples", self.examples), ("runs", self.runs)):
            self._window.tabifyDockWidget(layers, self._dock(name, pane, right))
        layers.raise_()
        self.steering.changed.connect(self._draw_prior)
        self._draw_prior()

    def _place_centre(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setAccessibleName(self.tr("Weights and curves"))
        for name in ("weights", "curves"):
            view = self.views[name]
            framed = Framed(self._title_bar(view), view)
            framed.setObjectName(name)  # as docks have one: their page of the manual
            self.splitter.addWidget(framed)
        self.splitter.setChildrenCollapsible(False)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.time)
        self.curves.time_chosen.connect(self.time.choose)
        self.curves.time_range_changed.connect(self.gates.set_time_range)
        self._window.setCentralWidget(centre)

    def _dock(self, name: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(widget.accessibleName(), self._window)
        dock.setObjectName(name)
        dock.setWidget(widget)
        bar = self._title_bar(widget)
        bar.serve(dock)
        dock.setTitleBarWidget(bar)
        self._window.addDockWidget(area, dock)
        self.docks.append(dock)
        return dock

    def _title_bar(self, body: QWidget) -> TitleBar:
        bar = TitleBar(body)
        bar.save_asked.connect(self.save_asked)
        self.bars.append(bar)
        return bar

    @property
    def bodies(self) -> list[QWidget]:
        """What has a title bar."""
        return [bar.body for bar in self.bars]

    def panes(self) -> list[Pane]:
        """All that can be saved."""
        return [body for body in self.bodies if isinstance(body, Pane)]

    def focused_pane(self) -> Pane | None:
        """The view in which the focus is, if it is in one."""
        focus = focus_of(self._window)
        for bar in self.bars:
            around = (bar, bar.body)
            if focus and isinstance(bar.body, Pane) and (focus in around or any(w.isAncestorOf(focus) for w in around)):
                return bar.body
        return None

    def go_to(self, body: QWidget) -> None:
        """Give a view the focus, and show it if it was closed or behind another."""
        for dock in self.docks:
            if dock.widget() is body:
                dock.show()
                dock.raise_()
        body.window().activateWindow()
        body.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _fill_tool_bar(self) -> None:
        bar = self.tool_bar = QToolBar(self.tr("Run"))
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
        self.device.setAccessibleName(self.tr("Device"))
        for button in bar.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._window.addToolBar(bar)

    def _draw_prior(self) -> None:
        """The penalty of the lambdas now set; without gates there is none."""
        config = self.steering.config
        lambdas = config.penalty.lambda1, config.penalty.lambda2
        prior = Prior(*lambdas, config.gate.start, squared=config.penalty.count == "l2")
        self.prior.draw_prior(prior if config.method.name == "gated" else None)

    def _name_preset(self) -> None:
        """Name the preset that the steering panel shows, if it is one."""
        names = [self.presets.itemText(index) for index in range(self.presets.count())]
        same = [_preset(name) == self.steering.config for name in names]
        self.presets.setCurrentIndex(same.index(True) if any(same) else -1)

    def _fill_menus(self) -> None:
        actions, bar = self._actions, self._window.menuBar()
        file = bar.addMenu(self.tr("&File"))
        file.addAction(actions.open)
        file.addMenu(self.recent)
        file.addAction(actions.export)
        file.addSeparator()
        file.addActions([actions.open_config, actions.save_config])
        file.addSeparator()
        file.addActions([actions.save_view, actions.picture, actions.animation])
        file.addSeparator()
        file.addAction(actions.quit)
        bar.addMenu(self.tr("&Edit")).addActions([actions.undo, actions.redo])
        run = bar.addMenu(self.tr("&Run"))
        run.addActions([actions.train, actions.pause, actions.step, actions.steps, actions.epoch, actions.stop])
        run.addSeparator()
        run.addActions([actions.freeze, actions.resume, actions.branch])
        run.addSeparator()
        run.addAction(actions.read_test)
        view = bar.addMenu(self.tr("&View"))
        view.addActions([dock.toggleViewAction() for dock in self.docks])
        self._fill_go_to(view.addMenu(self.tr("&Go To")))
        view.addSeparator()
        view.addActions([actions.play, actions.first, actions.previous, actions.next, actions.last])
        view.addSeparator()
        view.addActions([actions.compare, actions.reset_layout, actions.full_screen])
        help_ = bar.addMenu(self.tr("&Help"))
        help_.addActions([actions.manual, actions.manual_here, actions.explain, actions.shortcuts, actions.about])

    def _fill_go_to(self, menu: QMenu) -> None:
        for number, body in enumerate(self.bodies[:9], start=1):
            action = menu.addAction(body.accessibleName())
            if isinstance(body, Pane):
                body.renamed.connect(lambda action=action, body=body: action.setText(body.title()))
            action.setShortcut(f"Alt+{number}")
            action.triggered.connect(lambda *_, body=body: self.go_to(body))

    def seen_views(self) -> list[View]:
        """The views that are on the screen, not behind a tab or closed."""
        return [view for view in self.views.values() if view.isVisible() and not view.visibleRegion().isEmpty()]

    def clear(self) -> None:
        """Empty the views, the time bar and the test error."""
        for view in self.views.values():
            view.clear()
        self.time.reset()
        self.ending.clear()

    def show_ending(self, errors: Errors) -> None:
        """The test error stands here, once, when the run has ended."""
        is_read = math.isfinite(errors.test)
        self.curves.set_test_error(errors.test if is_read else None)
        self.ending.setText(self.tr("test error {0:.2f} %").format(errors.test) if is_read else "")


@cache
def _preset(name: str) -> RunConfig:
    """Read once: it is asked for at every tick of a slider."""
    return RunConfig.load(name)


def _choices() -> dict[str, dict[str, str]]:
    """The registries' names, for the settings that choose among them."""
    registries: dict[str, Iterable[str]] = {"network": MODELS, "data.name": DATASETS, "method.name": METHODS}
    found = {name: {key: key for key in registry} for name, registry in registries.items()}
    return found | {"device": {name: name for name in ("auto", "cpu", "cuda", "mps")}}
