"""What stands above the settings while they are those of a branch."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class BranchNote(QFrame):
    """Names the checkpoint that is branched and what is changed against it; can be left."""

    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.head, self.changed, self.cancel = QLabel(), QLabel(), QPushButton(self.tr("Cancel"))
        for label, name in ((self.head, self.tr("Branch")), (self.changed, self.tr("Changed in the branch"))):
            label.setWordWrap(True)
            label.setAccessibleName(name)
        self.cancel.setAccessibleName(self.tr("Cancel the branch"))
        self.cancel.setToolTip(self.tr("Make no branch; the settings are again those of the run"))
        self.cancel.clicked.connect(self.left)
        column, row = QVBoxLayout(self), QHBoxLayout()
        row.addWidget(self.head, 1)
        row.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        column.addWidget(self.changed)
        self.hide()

    def show_parent(self, name: str, step: int, *, has_ended: bool) -> None:
        """Say what is branched where, and what to do."""
        head = self.tr("Branch of {0} from step {1:,}").format(name, step)
        ended = self.tr("The run ends there, so more epochs are proposed. ") if has_ended else ""
        told = self.tr("Change settings, then Train (F5): a new run, in a new file.")
        self.head.setText(f"<b>{head}</b><br>{ended}{told}")

    def show_changes(self, lines: list[str]) -> None:
        """Say what differs from the parent."""
        nothing = self.tr("Nothing is changed yet: it would go on as its parent.")
        self.changed.setText("\n".join([self.tr("Changed:"), *lines]) if lines else nothing)
