"""The bar that finds words in the page that is shown."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from sparseviz.gui.dialogs.manual.page import PageBrowser


class FindBar(QWidget):
    """Hidden until it is asked for; Enter finds the next place, Shift+Enter the one before, Esc hides it."""

    def __init__(self, page: PageBrowser) -> None:
        super().__init__()
        self._page = page
        self.words = QLineEdit(clearButtonEnabled=True)
        self.words.setPlaceholderText(self.tr("Find in this page"))
        self.words.setAccessibleName(self.tr("Find in this page"))
        self.told = QLabel()
        self.previous, self.next = QPushButton(self.tr("&Previous")), QPushButton(self.tr("&Next"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 1)
        for part in (self.told, self.previous, self.next):
            row.addWidget(part)
        self.words.textChanged.connect(self.told.clear)
        self.words.returnPressed.connect(self.find_next)
        self.next.clicked.connect(self.find_next)
        self.previous.clicked.connect(self.find_previous)
        self.hide()

    def ask(self) -> None:
        """Show the bar, ready for words."""
        self.show()
        self.words.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.words.selectAll()

    def find_words(self, words: str) -> None:
        """Find these words, or the first of them where they do not stand together."""
        self.show()
        together = words.casefold() in self._page.toPlainText().casefold()
        self.words.setText(words if together else words.split(maxsplit=1)[0])
        self.find_next()

    @Slot()
    def find_next(self) -> None:
        """Go to the next place with the words."""
        self._tell(found=self._page.find_words(self.words.text()))

    @Slot()
    def find_previous(self) -> None:
        """Go to the place with the words before this."""
        self._tell(found=self._page.find_words(self.words.text(), backward=True))

    def _tell(self, *, found: bool) -> None:
        self.told.setText("" if found or not self.words.text() else self.tr("not on this page"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc hides the bar, Shift+Enter goes back."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            self._page.setFocus()
        elif event.key() == Qt.Key.Key_Return and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.find_previous()
        else:
            super().keyPressEvent(event)
