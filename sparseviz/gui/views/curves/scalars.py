"""The scalars of a run as curves: what each is called, how it is drawn, and which are drawn together."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt


@dataclass(frozen=True, slots=True)
class Curve:
    """One of SCALARS and how it is told from the others without colour."""

    scalar: str
    name: str
    brief: str  # the name where there is little room
    unit: str
    dash: Qt.PenStyle
    width: float
    colour: str  # of the Theme
    seldom: bool = False  # not measured at every snapshot: dots tell where
    gates: bool = False  # only of a method with gates


@dataclass(frozen=True, slots=True)
class Group:
    """Curves that share a plot."""

    title: str
    curves: tuple[Curve, ...]

    def shows(self, scalar: str) -> bool:
        """Whether this is one of its curves."""
        return any(curve.scalar == scalar for curve in self.curves)

    def of(self, *, gated: bool) -> tuple[Curve, ...]:
        """Those of a run with gates, or of one without."""
        return tuple(curve for curve in self.curves if gated or not curve.gates)


class Scalars(QObject):
    """All curves and groups, in words."""

    def __init__(self) -> None:
        super().__init__()
        made = (*self._measured(), *self._kept(), *self._set())
        self.curves = {curve.scalar: curve for curve in made}  # in the order of a table
        self.groups = self._groups()  # the first two are shown at first

    def _measured(self) -> tuple[Curve, ...]:
        solid, dashes, dots = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
        tr = self.tr
        return (
            Curve("loss", tr("train loss"), tr("loss"), "", dots, 1.5, "third"),
            Curve("train_error", tr("train error"), tr("train"), " %", dashes, 1, "warning"),
            Curve("validation_loss", tr("validation loss"), tr("valid. loss"), "", solid, 2, "accent", seldom=True),
            Curve("validation_error", tr("validation error"), tr("valid."), " %", solid, 2, "accent", seldom=True),
            Curve("penalty_bimodal", tr("bimodal penalty"), tr("bimodal"), "", solid, 2, "accent"),
            Curve("penalty_count", tr("count penalty"), tr("count"), "", dashes, 1, "warning"),
        )

    def _set(self) -> tuple[Curve, ...]:
        solid, dashes = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine
        return (
            Curve("lambda1", "λ₁", "λ₁", "", solid, 2, "accent"),
            Curve("lambda2", "λ₂", "λ₂", "", dashes, 1, "warning"),
            Curve("rate", self.tr("weight rate"), self.tr("weights"), "", solid, 2, "accent"),
            Curve("gate_rate", self.tr("gate rate"), self.tr("gates"), "", dashes, 1, "warning", gates=True),
        )

    def _kept(self) -> tuple[Curve, ...]:
        solid, dashes = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine
        return (
            Curve("parameters_kept", self.tr("parameters kept"), self.tr("kept"), "", solid, 2, "accent"),
            Curve("weights_kept", self.tr("weights kept"), self.tr("weights"), "", dashes, 1, "warning"),
        )

    def _groups(self) -> tuple[Group, ...]:
        named = (
            (self.tr("error %, loss"), ("validation_error", "train_error", "loss")),
            (self.tr("parameters kept"), ("parameters_kept",)),
            (self.tr("error %"), ("validation_error", "train_error")),
            (self.tr("loss"), ("validation_loss", "loss")),
            (self.tr("penalties, loss"), ("penalty_bimodal", "penalty_count", "loss")),
            (self.tr("parameters, weights kept"), ("parameters_kept", "weights_kept")),
            (self.tr("lambdas"), ("lambda1", "lambda2")),
            (self.tr("rates"), ("rate", "gate_rate")),
        )
        return tuple(Group(title, tuple(self.curves[name] for name in names)) for title, names in named)
