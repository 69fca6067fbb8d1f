"""Undo commands: edits of a configuration."""

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from sparseviz.config import RunConfig

_ANY = 1  # all edits may be asked whether they merge


class Edit(QUndoCommand):
    """From one configuration to another; edits of one stroke of a slider become one."""

    def __init__(
        self, before: RunConfig, after: RunConfig, text: str, stroke: int | None, apply: Callable[[RunConfig], None]
    ) -> None:
        super().__init__(text)
        self.before, self.after = before, after
        self.stroke, self._apply = stroke, apply

    def undo(self) -> None:
        """Put back the configuration before it."""
        self._apply(self.before)

    def redo(self) -> None:
        """Do it, for the first time or again."""
        self._apply(self.after)

    def id(self) -> int:
        """Which edits may merge."""
        return _ANY

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in the next edit of the same stroke; one that ends where it began is none."""
        if not isinstance(other, Edit) or self.stroke is None or self.stroke != other.stroke:
            return False
        self.after = other.after
        self.setObsolete(self.before == self.after)
        return True
