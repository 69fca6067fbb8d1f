"""Two masks that a view asks for, and what they have in common."""

from dataclasses import dataclass

from sparseviz.gui.compare.views.pairing import Side
from sparseviz.values.overlap import Kinds, Overlap


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Two masks of the same layer that are wanted."""

    first: Side
    second: Side
    layer: str


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What they have in common."""

    question: Question
    overlap: Overlap
    kinds: Kinds  # see overlap.compare
    block: int
    steps: tuple[int, int]  # at which each mask was
    exact: tuple[bool, bool]  # the snapshot's own, or else the nearest checkpoint's
