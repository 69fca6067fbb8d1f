"""Words under the curves: the values of one snapshot, in two lines that shorten before they are cut."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sparseviz.gui.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel
from sparseviz.snapshot import History

_GAP = " · "


@dataclass(frozen=True, slots=True)
class Curve:
    """One of SCALARS and how it is told from the others without colour."""

    scalar: str
    name: str
    brief: str  # the name where there is little room
    dash: Qt.PenStyle
    width: float
    unit: str
    seldom: bool  # not measured at every snapshot: dots tell where


class Readout(QWidget):
    """Where one reads, and below it the values there."""

    def __init__(self, specs: Sequence[Curve]) -> None:
        super().__init__()
        self._specs = specs
        self.moment, self.values = FittingLabel(), FittingLabel()
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 2)
        column.setSpacing(0)
        for label in (self.moment, self.values):
            column.addWidget(label)
        self.setAccessibleName(self.tr("Values at the crosshair"))

    def text(self) -> str:
        """All there is to say, whether it fits or not."""
        return _GAP.join(filter(None, (self.moment.texts[0], self.values.texts[0])))

    def clear(self) -> None:
        """Say nothing."""
        self.moment.set_texts("")
        self.values.set_texts("")

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        for label in (self.moment, self.values):
            mute(label, theme)
            label.setFont(small(self.font()))

    def tell(self, history: History, at: int, events: Sequence[str]) -> None:
        """Write out the snapshot at a position, and what was done near it."""
        snapshot = history[at]
        place = self.tr("epoch {0:.4g}, step {1:,}").format(snapshot.epoch, snapshot.step)
        lambdas = f"λ₁ {snapshot.scalars['lambda1']:.3g}, λ₂ {snapshot.scalars['lambda2']:.3g}"
        done = (place, snapshot.phase, *events)
        brief = self.tr("epoch {0:.4g}").format(snapshot.epoch)
        self.moment.set_texts(
            _GAP.join((*done, lambdas)),
            _GAP.join(done),
            _GAP.join((place, snapshot.phase)),
            _GAP.join((brief, snapshot.phase)),
        )
        told = [value for spec in self._specs if (value := self._told(history, spec, at))]
        self.values.set_texts(*(_GAP.join(each) for each in zip(*told, strict=True)))

    def _told(self, history: History, spec: Curve, at: int) -> tuple[str, str, str] | None:
        """The newest value in many, fewer and few words; none where none was measured."""
        value, since = newest(history, spec.scalar, at)
        if since < 0:
            return None
        shown = f"{value:,.0f}" if spec.scalar == "parameters_kept" else f"{value:.3g}{spec.unit}"
        full, brief = f"{spec.name} {shown}", f"{spec.brief} {shown}"
        if since < at:
            full = self.tr("{0} at epoch {1:.4g}").format(full, history[since].epoch)
        return full, f"{spec.name} {shown}", brief


def newest(history: History, scalar: str, at: int) -> tuple[float, int]:
    """The newest value not after a snapshot, and the position where it was measured; -1 where none was."""
    for position in range(at, -1, -1):
        value = history[position].scalars[scalar]
        if not math.isnan(value):
            return value, position
    return math.nan, -1
