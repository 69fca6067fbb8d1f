"""Published baselines that a run repeats, as the curves take them."""

from PySide6.QtCore import QCoreApplication

from sparseviz.config import RunConfig
from sparseviz.gui.views.plots.landmarks import Reference
from sparseviz.runs.study.plan import published_for, published_on

PAPER = "Srinivas et al. 2016"  # whose method this program is about


def references(config: RunConfig) -> tuple[Reference, ...]:
    """Those with the run's network, data and settings; none for most runs."""
    paper = QCoreApplication.translate("references", "paper")
    return tuple(
        Reference(point.name.replace(PAPER, paper), point.error, point.weights_kept) for point in published_for(config)
    )


def anchors(config: RunConfig, weights: int) -> tuple[Reference, ...]:
    """All that is published on the run's network and data, whatever its settings; `weights` are the network's."""
    paper = QCoreApplication.translate("references", "paper")
    return tuple(
        Reference(point.name.replace(PAPER, paper), point.error, point.weights_kept or weights / point.compression)
        for point in published_on(config.network, config.data.name)
    )
