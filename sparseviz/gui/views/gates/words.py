"""What is said of a layer's gates: its name and what is kept, what is undecided, and the flips."""

import math

from PySide6.QtWidgets import QHBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel, percent, undecided
from sparseviz.gui.views.gates.counts import brief
from sparseviz.values.snapshot import LayerSnapshot


class GateWords(QWidget):
    """Two words lines beside each other, that shorten before they are cut."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.state = FittingLabel(), FittingLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for label, margin in ((self.name, 6), (self.state, 0)):
            label.setContentsMargins(margin, 0, 4, 0)
            row.addWidget(label, 1)

    def tell(self, now: LayerSnapshot) -> tuple[str, ...]:
        """Write it, and return it at full length."""
        share = percent(now.kept / now.info.weights)
        kept = self.tr("{0}   {1} % kept").format(now.info.name, share)
        counts = self.tr("kept {0:,} of {1:,} weights").format(now.kept, now.info.weights)
        states = self._states(now)
        self.name.set_texts(kept, f"{now.info.name}  {share} %", now.info.name)
        self.state.set_texts(*states)
        return kept, counts, states[0]

    def _states(self, now: LayerSnapshot) -> tuple[str, ...]:
        flips = self.tr("flips {0:,}").format(now.flips)
        if math.isnan(undecided(now)):
            return (flips,)
        apart = self.tr("undecided {0} % of kept, {1} % of cut · {2}")
        return (
            apart.format(percent(now.undecided_kept), percent(now.undecided_cut), flips),
            self.tr("undecided {0} % · {1}").format(percent(undecided(now)), flips),
            self.tr("undecided {0:.0f} % · flips {1}").format(100 * undecided(now), brief(now.flips)),
            self.tr("undecided {0:.0f} %").format(100 * undecided(now)),
        )

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self.state.setFont(small(self.font()))
        mute(self.state, theme)
