"""The published networks that a run repeats, as the curves take them."""

from PySide6.QtCore import QCoreApplication

from sparseviz.config import RunConfig
from sparseviz.gui.views.landmarks import Reference
from sparseviz.study.plan import published_for

PAPER = "Srinivas et al. 2016"  # whose method this program is about


def references(config: RunConfig) -> tuple[Reference, ...]:
    """Those with the run's network, data and settings; none for most runs."""
    paper = QCoreApplication.translate("references", "paper")
    return tuple(
        Reference(point.name.replace(PAPER, paper), point.error, point.weights_kept) for point in published_for(config)
    )
