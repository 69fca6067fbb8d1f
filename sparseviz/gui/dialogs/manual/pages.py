"""The list of the manual's pages, in chapters; or those that have what is searched for."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from sparseviz.config import InputError, manual

_NAME = Qt.ItemDataRole.UserRole


class Told(QLabel):
    """A line that says what is wrong, as plain text whatever is in it; hidden where nothing is."""

    def __init__(self) -> None:
        super().__init__(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setMinimumWidth(1)  # a long path makes no window wider
        self.hide()

    def say(self, text: str) -> None:
        """Say this, or nothing."""
        self.setText(text)
        self.setVisible(bool(text))


class PageList(QWidget):
    """Offers every page, and searches all of them."""

    chosen = Signal(str, str)  # a page's name, and the words that it was found by

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Search all pages"))
        self.search.setAccessibleName(self.tr("Search all pages of the manual"))
        self.search.setToolTip(self.tr("Pages that have all of these words (Ctrl+Shift+F)"))
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setSpacing(1)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Pages of the manual"))
        self.told = Told()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.search, self.told, self.list):
            column.addWidget(part)
        self.search.textChanged.connect(self.fill)
        self.search.returnPressed.connect(self._choose_first)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.fill()

    @Slot()
    def fill(self) -> None:
        """List all pages, or those that are found."""
        self.list.clear()
        words = self.search.text().strip()
        try:
            self._fill_found(words) if words else self._fill_all()
        except InputError as error:
            self.told.say(str(error))

    def mark(self, name: str) -> None:
        """Show which page is open."""
        for item in self._pages():
            if item.data(_NAME) == name:
                self.list.setCurrentItem(item)

    def _fill_all(self) -> None:
        self.told.say("")
        chapter = ""
        for entry in manual.entries():
            if entry.chapter != chapter:
                chapter = entry.chapter
                self._head(chapter)
            self._add(entry, entry.title)

    def _fill_found(self, words: str) -> None:
        found = manual.search(words)
        told = self.tr("Pages with these words: {0}.").format(len(found))
        self.told.say(told if found else self.tr("No page has these words."))
        for each in found:
            self._add(each.entry, f"{each.entry.title}\n{each.excerpt}")

    def _head(self, chapter: str) -> None:
        item = QListWidgetItem(chapter, self.list)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = item.font()
        font.setBold(True)
        item.setFont(font)

    def _add(self, entry: manual.Entry, text: str) -> None:
        item = QListWidgetItem(text, self.list)
        item.setData(_NAME, entry.name)
        item.setToolTip(entry.question)

    def _pages(self) -> list[QListWidgetItem]:
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item for item in items if item.data(_NAME)]

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        if name := item.data(_NAME):
            self.chosen.emit(name, self.search.text().strip())

    @Slot()
    def _choose_first(self) -> None:
        if pages := self._pages():
            self.list.setCurrentItem(pages[0])
            self._choose(pages[0])
