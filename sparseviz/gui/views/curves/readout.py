"""Words under the curves: the values of one snapshot, in two lines that shorten before they are cut."""

from collections.abc import Iterable, Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sparseviz.gui.qt.theme import Theme, mute, small
from sparseviz.gui.views.base import FittingLabel
from sparseviz.gui.views.curves.scalars import Curve
from sparseviz.gui.views.curves.tracks import Tracks

_GAP = " · "
_COUNTS = ("parameters_kept", "weights_kept")


class Readout(QWidget):
    """Where one reads, and below it the values there."""

    def __init__(self) -> None:
        super().__init__()
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

    def tell(self, tracks: Tracks, at: int, curves: Iterable[Curve], events: Sequence[str]) -> None:
        """Write out the values of these curves at a snapshot, and what was done near it."""
        snapshot, shown = tracks.history[at], list(dict.fromkeys(curves))
        place = self.tr("epoch {0:.4g}, step {1:,}").format(snapshot.epoch, snapshot.step)
        done = (place, snapshot.phase, *events)
        brief = self.tr("epoch {0:.4g}").format(snapshot.epoch)
        self.moment.set_texts(
            _GAP.join((*done, *_lambdas(tracks, at, shown))),
            _GAP.join(done),
            _GAP.join((place, snapshot.phase)),
            _GAP.join((brief, snapshot.phase)),
        )
        told = [value for curve in shown if (value := self._told(tracks, curve, at))]
        self.values.set_texts(*(_GAP.join(each) for each in zip(*told, strict=True)))

    def _told(self, tracks: Tracks, curve: Curve, at: int) -> tuple[str, str, str] | None:
        """The newest value in many, fewer and few words; none where none was measured."""
        since = tracks.newest(curve.scalar, at)
        if since < 0:
            return None
        shown = _value_text(curve, float(tracks.scalar(curve.scalar)[since]))
        full, brief = f"{curve.name} {shown}", f"{curve.brief} {shown}"
        if since < at:
            full = self.tr("{0} at epoch {1:.4g}").format(full, tracks.epochs[since])
        return full, f"{curve.name} {shown}", brief


def _value_text(curve: Curve, value: float) -> str:
    """A value as it is read: 17,900, 0.81 %, 0."""
    return f"{value:,.0f}" if curve.scalar in _COUNTS else f"{value:.3g}{curve.unit}"


def _lambdas(tracks: Tracks, at: int, shown: Sequence[Curve]) -> list[str]:
    """Both lambdas, unless they are among the curves."""
    if any(curve.scalar == "lambda1" for curve in shown):
        return []
    return [f"{sign} {tracks.scalar(name)[at]:.3g}" for name, sign in (("lambda1", "λ₁"), ("lambda2", "λ₂"))]
