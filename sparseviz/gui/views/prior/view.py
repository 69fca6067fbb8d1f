"""Prior: what the penalty alone does to a gate, and the prior on the weights that stands behind it."""

import math
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QStackedWidget, QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, small, style_canvas, style_plot
from sparseviz.gui.views.base import Pane, Table
from sparseviz.gui.views.plots.legend import Legend
from sparseviz.gui.views.prior.words import Place, Words
from sparseviz.values.prior import THRESHOLD, Prior
from sparseviz.values.snapshot import FloatArray

POINTS = 200  # of a curve; even, so that the weight 0, where the spike is a point, lies between two of them
AXIS_WIDTH, FOOT = 46, 32  # pixels, of the left axis (0.075 or 1.5e-07) and of the bottom one with its name
GATE_TICKS = [[(fifth / 5, f"{fifth / 5:g}") for fifth in range(6)]]
ROLL = 24  # pixels along the curve from the gate's start to the tip of its arrow
DOT = 9  # pixels

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PriorCurves:
    """One choice, ready to be drawn."""

    x: FloatArray
    curves: tuple[FloatArray, ...]  # solid, dashed, dotted; (POINTS,) each
    places: tuple[Place, ...]
    dot: Point  # the gate at its start, or the spike
    hole: Point | None = None  # where the spike leaves its curve
    end: float | None = None  # where the gate goes


class PriorView(Pane):
    """One plot of what a `Prior` says, chosen among four, and a sentence below it."""

    prior: Prior | None = None  # what is drawn

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: PriorCurves | None = None
        self.choice, self.legends = QComboBox(), QStackedWidget()
        self.sentence = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas.ci.layout.setContentsMargins(0, 2, 8, 0)
        self._add_plot()
        self._choices = (
            (self._penalty, self._say_pull),
            (self._pull, self._say_pull),
            (self._density, self._say_density),
            (self._cost, self._say_cost),
        )
        self._fill_choice()
        self._arrange()
        self._restyle(self.theme)
        self._draw()
        self.choice.currentIndexChanged.connect(self._draw)
        self.plot.getViewBox().sigResized.connect(self._fit)

    def _add_plot(self) -> None:
        self.plot = self.canvas.addPlot(0, 0, enableMenu=False)
        self.plot.disableAutoRange()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.getAxis("left").setWidth(AXIS_WIDTH)
        self.plot.getAxis("left").setStyle(maxTickLevel=0)
        self.plot.getAxis("bottom").setStyle(maxTickLevel=0, hideOverlappingLabels=False)
        self.plot.getAxis("bottom").setHeight(FOOT)
        self.zero = pg.InfiniteLine(0, angle=0)
        self.plot.addItem(self.zero, ignoreBounds=True)
        lined = ("threshold", "turn", "start")
        self.words = Words(self.plot, (*lined, "spike"), lined)
        self.curves = tuple(self.plot.plot() for _ in range(3))
        self.stem, self.hole, self.dot = (pg.PlotDataItem() for _ in range(3))
        self.arrow = pg.ArrowItem(headLen=10, headWidth=9, tailLen=ROLL - 10, tailWidth=2)
        self.arrow.setVisible(False)
        for item in (self.stem, self.hole, self.dot, self.arrow):
            self.plot.addItem(item, ignoreBounds=True)

    def _fill_choice(self) -> None:
        total, lasso = (self.tr("the sum"), self.tr("sum")), (self.tr("LASSO"),)
        slab, l0_l2 = self.tr("spike and slab"), (self.tr("spike and slab, l0 + l2"), self.tr("l0 + l2"))
        count = self.tr("λ₂ count"), "λ₂"
        legends: dict[str, tuple[tuple[str, ...], ...]] = {
            self.tr("Penalty on one gate"): (total, ("λ₁ g (1 − g)", "λ₁g(1−g)"), count),
            self.tr("Pull (gradient): above 0 lowers g"): (total, ("λ₁ (1 − 2g)", "λ₁(1−2g)"), count),
            self.tr("Prior on the weights"): ((slab,), lasso),
            self.tr("Prior on the weights, −log"): (l0_l2, (self.tr("LASSO, l1"), self.tr("l1"))),
        }
        self._names = [[texts[0] for texts in names] for names in legends.values()]
        for title, names in legends.items():
            self.choice.addItem(title)
            self.legends.addWidget(Legend(names, [False] * len(names)))

    def _arrange(self) -> None:
        self.choice.setAccessibleName(self.tr("What to show of the prior"))
        self.choice.setToolTip(self.tr("The penalty with the lambdas now in force, or the prior on the weights"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)
        self.sentence.setAccessibleName(self.tr("The prior in words"))
        self.sentence.setContentsMargins(6, 0, 6, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.choice)
        column.addWidget(self.legends)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.sentence)

    def title(self) -> str:
        """What the view is called."""
        return self.tr("Penalty")

    def lesson(self) -> str:
        """What the penalty does."""
        if self.prior is None:
            told = self.tr(
                "The method in the steering panel adds nothing to the loss, so λ₁ and λ₂ change nothing. {0}"
            )
            return told.format(self.tr("Choose a method with a penalty there to see what it does."))
        return self.tr(
            "Every gate g adds λ₁ g (1 − g) + λ₂ g to the loss: the first part is least at 0 and at 1 and drives gates "
            "to decide, the second makes open gates costly. Only where λ₁ is above λ₂ is there a turning point g*, "
            "above which gates are pulled to 1; below it, and everywhere else, only the training loss holds gates up."
        )

    def is_empty(self) -> bool:
        """Before the first prior."""
        return self.prior is None

    def table(self) -> Table:
        """The curves that are drawn, point by point."""
        if self.picture is None:
            return []
        axis = self.tr("weight w") if self.picture.hole else self.tr("gate g")
        heads = [axis, *self._names[self.choice.currentIndex()]]
        rows = zip(self.picture.x, *self.picture.curves, strict=True)
        return [heads, *([float(value) for value in row] for row in rows)]

    def sizeHint(self) -> QSize:
        """Room for a dock below a form."""
        return QSize(280, 320)

    def draw_prior(self, prior: Prior | None) -> None:
        """Draw this prior; None: the method has none."""
        if prior != self.prior:
            self.prior = prior
            self._draw()
            self.rename()

    def _draw(self) -> None:
        for part in (self.choice, self.legends, self.canvas):
            part.setVisible(self.prior is not None)
        index = self.choice.currentIndex()
        self.legends.setCurrentIndex(index)
        self.canvas.setAccessibleName(self.choice.currentText())
        if self.prior is None:
            self.picture = None
            self.sentence.setText(self.tr("No penalty acts: the method has none, and λ₁ and λ₂ change nothing."))
            return
        draw, say = self._choices[index]
        self.picture = draw(self.prior)
        self.sentence.setText(say(self.prior))
        told = [place.text for place in self.picture.places]
        self.canvas.setAccessibleDescription(", ".join([*told, self.sentence.text()]))
        self._show(self.picture)

    def _show(self, picture: PriorCurves) -> None:
        for number, curve in enumerate(self.curves):
            shown = picture.curves[number : number + 1]
            curve.setData(picture.x if shown else [], shown[0] if shown else [])
        self.dot.setData(*_line(picture.dot))
        self.hole.setData(*(_line(picture.hole) if picture.hole else ([], [])))
        self.stem.setData(*(_line(picture.hole, picture.dot) if picture.hole else ([], [])))
        self.words.set_places(picture.places)
        self.plot.setLabel("bottom", self.tr("weight w") if picture.hole else self.tr("gate g"))
        self.plot.getAxis("bottom").setTicks(None if picture.hole else GATE_TICKS)
        self.plot.setXRange(picture.x[0], picture.x[-1], padding=0.03)
        self._fit()

    def _fit(self) -> None:
        """Bring the curves into sight, below the words."""
        if self.picture is None:
            return
        values = np.concatenate([*self.picture.curves, self.picture.dot[1:]])
        low, high = min(values.min(), 0.0), max(values.max(), 0.0)
        room = 0.06 * (high - low or 1.0)
        self.words.arrange(low - room, high + (room if high > low else 1.0))
        self._point(self.picture)

    def _point(self, picture: PriorCurves) -> None:
        """Let the arrow lead from the dot along the curve, as far as the gate goes."""
        start, end, box = picture.dot[0], picture.end, self.plot.getViewBox()
        self.arrow.setVisible(end is not None and end != start)
        if end is None or end == start:
            return
        wide, tall = box.viewPixelSize()
        path = np.linspace(start, end, POINTS)
        heights = np.interp(path, picture.x, picture.curves[0])
        far = np.hypot((path - path[0]) / wide, (heights - heights[0]) / tall)
        tip = min(int(np.searchsorted(far, ROLL)), POINTS - 1)
        across, up = (path[tip] - path[0]) / wide, (heights[tip] - heights[0]) / tall
        self.arrow.setStyle(angle=math.degrees(math.atan2(up, -across)))
        self.arrow.setPos(path[tip], heights[tip])

    def _penalty(self, prior: Prior) -> PriorCurves:
        g, start = np.linspace(0, 1, POINTS), np.array([prior.start])
        curves = prior.penalty(g), prior.bimodal(g), prior.count(g)
        dot = prior.start, float(prior.penalty(start)[0])
        return PriorCurves(g, curves, self._gate_places(prior), dot, end=prior.pulled_to(prior.start))

    def _pull(self, prior: Prior) -> PriorCurves:
        g, start = np.linspace(0, 1, POINTS), np.array([prior.start])
        curves = prior.pull(g), prior.bimodal_pull(g), prior.count_pull(g)
        dot = prior.start, float(prior.pull(start)[0])
        return PriorCurves(g, curves, self._gate_places(prior), dot, end=prior.pulled_to(prior.start))

    def _gate_places(self, prior: Prior) -> tuple[Place, ...]:
        start, end, turn = prior.start, prior.pulled_to(prior.start), prior.turning_point
        moves = self.tr("start {0:.3g} → {1:g}").format(start, end)
        rests = self.tr("start {0:.3g}, stays").format(start)
        threshold = Place("threshold", THRESHOLD, self.tr("threshold {0:g}").format(THRESHOLD))
        begin = Place("start", start, rests if end == start else moves)
        if turn >= 1:
            return threshold, begin
        return threshold, Place("turn", turn, self.tr("g* {0}").format(_below_1(turn))), begin

    def _density(self, prior: Prior) -> PriorCurves:
        weights = prior.weights
        w = np.linspace(-weights.k, weights.k, POINTS)
        place = Place("spike", 0.0, self.tr("spike: the point w = 0"))
        curves = weights.density(w), weights.lasso_density(w)
        return PriorCurves(w, curves, (place,), (0.0, weights.spike), (0.0, weights.slab))

    def _cost(self, prior: Prior) -> PriorCurves:
        weights = prior.weights
        w = np.linspace(-weights.k, weights.k, POINTS)
        place = Place("spike", 0.0, self.tr("spike: w = 0 is free"))
        return PriorCurves(w, (weights.cost(w), weights.lasso_cost(w)), (place,), (0.0, 0.0), (0.0, weights.alpha))

    def _say_pull(self, prior: Prior) -> str:
        """Where the penalty alone takes gates, in words."""
        if prior.basins == 0:
            return self.tr("No penalty acts.")
        if prior.basins == 1:
            bound = self.tr("λ₁ / 2") if prior.squared else self.tr("λ₁")
            told = self.tr("The penalty pulls every gate to 0: λ₂ is not below {0}; only the loss holds gates up.")
            return told.format(bound)
        return self.tr("Gates above {0} are pulled to 1, the rest to 0.").format(_below_1(prior.turning_point))

    def _say_density(self, prior: Prior) -> str:
        """What the spike is, and that the numbers are an example."""
        weights = prior.weights
        words = self.tr("The spike is one point, {0:.2f} × the slab. An example, α {1:g}, σ {2:g}: no λ changes it.")
        return words.format(weights.spike / weights.slab, weights.alpha, weights.sigma)

    def _say_cost(self, prior: Prior) -> str:
        """What a weight costs under both priors."""
        words = self.tr("Any weight but 0 costs {0:g} (l0) and more with w² (l2); LASSO costs |w| (l1). An example.")
        return words.format(prior.weights.alpha)

    def _restyle(self, theme: Theme) -> None:
        style_canvas(self.canvas, theme)
        style_plot(self.plot, theme, small(self.font()))
        solid, dashes, dots = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
        styles = ((theme.accent, 2, solid), (theme.third, 1.5, dashes), (theme.muted, 1.5, dots))
        pens = [pg.mkPen(colour, width=width, style=style) for colour, width, style in styles]
        for curve, pen in zip(self.curves, pens, strict=True):
            curve.setPen(pen)
        for index in range(self.legends.count()):
            legend = self.legends.widget(index)
            assert isinstance(legend, Legend)  # noqa: S101  # nothing else was put there
            legend.set_pens(pens[: len(legend.samples)])
        text, threshold = pg.mkPen(theme.text, style=dots), pg.mkPen(theme.warning, style=dashes)
        turn = pg.mkPen(theme.muted, style=Qt.PenStyle.DashDotLine)
        self.words.restyle(theme, self.font(), {"threshold": threshold, "turn": turn, "start": text, "spike": text})
        self.zero.setPen(pg.mkPen(theme.grid))
        self.stem.setPen(text)
        self.arrow.setStyle(brush=theme.text, pen=theme.text)
        for item, brush in ((self.dot, theme.text), (self.hole, theme.background)):
            item.setSymbol("o")
            item.setSymbolSize(DOT)
            item.setSymbolPen(theme.text)
            item.setSymbolBrush(brush)


def _line(*points: Point) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _below_1(number: float) -> str:
    """With two decimals, or as many as tell it from 1."""
    texts = (f"{number:.{digits}f}" for digits in range(2, 17))
    return next((text for text in texts if float(text) < 1), "1")
