"""Labels in a plot: which of its spots each takes, so that it covers no other, and how they look."""

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QColor, QFont

from sparseviz.gui.qt.theme import Theme


def choose_spots(
    labels: Iterable[Sequence[QRectF]], taken: Iterable[QRectF] = (), *, crowded: bool = False
) -> list[int | None]:
    """Greedy: label by label the number of the first of its spots that is free of `taken` and of the labels before.

    A label without a free spot has None or, where they may stand `crowded`, the one that covers fewest.
    """
    filled, found = list(taken), list[int | None]()
    for spots in labels:
        covered = [sum(map(spot.intersects, filled)) for spot in spots]
        at = min(range(len(spots)), key=covered.__getitem__, default=None)
        if at is not None and (crowded or not covered[at]):
            filled.append(spots[at])
            found.append(at)
        else:
            found.append(None)
    return found


def ground(theme: Theme, opaque: int = 190) -> QBrush:
    """What a label stands on: of a line that goes on under it a trace is left."""
    colour = QColor(theme.background)
    colour.setAlpha(opaque)
    return QBrush(colour)


def dress(label: Any, ink: QColor, under: QBrush, font: QFont, margin: float) -> None:
    """Write a TextItem in this ink and font, with a margin of so many pixels."""
    label.setColor(ink)
    label.textItem.setFont(font)
    label.textItem.document().setDocumentMargin(margin)
    label.fill = under
