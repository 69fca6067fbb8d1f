"""Message boxes that hold nothing up."""

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from sparseviz.config import InputError


class Messages(QObject):
    """Shows one message after the other, beside whatever the window does."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.shown: QMessageBox | None = None

    def complain(self, text: str, details: str = "") -> None:
        """Say what went wrong; `details` is for who wants to see more, such as a traceback."""
        self._say(QMessageBox.Icon.Warning, text, details)

    @Slot(str, str)
    def complain_of_run(self, text: str, details: str) -> None:
        """Say why a run failed."""
        self.complain(self.tr("The run failed: {0}").format(text), details)

    def show_about(self) -> None:
        """The method in two sentences, and its source."""
        text = self.tr(
            "Gated training gives every weight a learnable gate; the weight is kept where its gate is at or above 0.5. "
            "Two penalties push the gates to 0 and 1, and their number down: what is left is the sparse network."
        )
        source = "Srinivas, Subramanya, Babu: Training Sparse Neural Networks, arXiv 1611.06694"
        self._say(QMessageBox.Icon.Information, f"<p>{text}</p><p>{source}</p>")

    def _say(self, icon: QMessageBox.Icon, text: str, details: str = "") -> None:
        box = self.shown = QMessageBox(icon, "sparseviz", text, QMessageBox.StandardButton.Ok, self._window)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.setDetailedText(details)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(self._forget)
        box.open()

    @Slot()
    def _forget(self) -> None:
        if self.sender() is self.shown:
            self.shown = None


def in_words(error: Exception) -> str:
    """What a person is told of an error; of a fault of this program also its kind."""
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
