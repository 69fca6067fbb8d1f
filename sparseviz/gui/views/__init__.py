"""The views: each draws a moment of a history, and knows nothing of training, of files or of the others."""

from sparseviz.gui.views.base import View
from sparseviz.gui.views.curves.view import CurvesView
from sparseviz.gui.views.gates.view import GatesView
from sparseviz.gui.views.layers.view import LayersView
from sparseviz.gui.views.weights.view import WeightsView

VIEWS: dict[str, type[View]] = {
    "curves": CurvesView,  # first: the gates take its time axis
    "gates": GatesView,
    "weights": WeightsView,
    "layers": LayersView,
}

__all__ = ["VIEWS", "CurvesView", "GatesView", "LayersView", "View", "WeightsView"]
