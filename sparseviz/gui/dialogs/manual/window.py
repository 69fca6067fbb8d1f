"""The manual's window: pages, search and links, forward and back; it works offline."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QSize, Qt, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QSplitter, QToolBar, QToolButton, QVBoxLayout, QWidget

from sparseviz.config import InputError, manual
from sparseviz.gui.dialogs.manual.find_bar import FindBar
from sparseviz.gui.dialogs.manual.page import PageBrowser
from sparseviz.gui.dialogs.manual.pages import PageList, Told

_SIZE = QSize(1000, 760)
_LIST_WIDTH = 230  # pixels
_NARROW = 700  # pixels: below, the list of pages makes room for the page
_OUTSIDE = ("http", "https", "mailto")  # links that the system's browser opens


@dataclass(frozen=True, slots=True)
class _Place:
    """A page that was open, and how far it was scrolled."""

    name: str
    scrolled: int = 0


class ManualWindow(QWidget):
    """Shows one page of the manual, and which there are."""

    def __init__(self) -> None:
        super().__init__()
        self._been: list[_Place] = []
        self._now = -1  # the place among those where one has been
        self.page, self.pages = PageBrowser(), PageList()
        self.find_bar, self.told, self.bar = FindBar(self.page), Told(), QToolBar()
        self._fill_bar()
        self._lay_out()
        self.page.link_chosen.connect(self.follow)
        self.pages.chosen.connect(self._open_found)
        self._name("")
        self.resize(self.screen().availableGeometry().size().boundedTo(_SIZE))

    def _fill_bar(self) -> None:
        self.back = self._add(self.tr("Back"), "Alt+Left", self.go_back)
        self.forward = self._add(self.tr("Forward"), "Alt+Right", self.go_forward)
        self.bar.addSeparator()
        self.shows_pages = self._add(self.tr("Pages"), "Ctrl+L", self._show_pages)
        self.shows_pages.setCheckable(True)
        self.shows_pages.setChecked(True)
        self._add(self.tr("Find in Page"), "Ctrl+F", self.find_bar.ask)
        self._add(self.tr("Search All Pages"), "Ctrl+Shift+F", self._search)
        for button in self.bar.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close = QAction(self.tr("Close"), self)
        close.setShortcut("Ctrl+W")
        close.triggered.connect(self.close)
        self.addAction(close)

    def _add(self, text: str, key: str, do: object) -> QAction:
        action = self.bar.addAction(text)
        action.setShortcut(QKeySequence(key))
        action.setToolTip(f"{text} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
        action.triggered.connect(do)
        return action

    def _lay_out(self) -> None:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.page, self.find_bar, self.told):
            column.addWidget(part)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setAccessibleName(self.tr("Pages and page"))
        split.addWidget(self.pages)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([_LIST_WIDTH, _SIZE.width() - _LIST_WIDTH])
        split.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(6, 2, 6, 6)
        whole.addWidget(self.bar)
        whole.addWidget(split, 1)

    # Going somewhere.

    def open(self, name: str, anchor: str = "") -> None:
        """Show a page, from the heading with this anchor on; going back leads to where one was."""
        self._remember()
        del self._been[self._now + 1 :]
        if anchor or not self._been or self._been[-1].name != name:
            self._been.append(_Place(name))
        self._now = len(self._been) - 1
        self._show(name)
        if anchor and not self.page.go_to(anchor):
            self._tell(self.tr("This page has no part “{0}”.").format(anchor))

    @Slot(str)
    def follow(self, link: str) -> None:
        """Go where a link of the page leads; addresses outside are for the system's browser."""
        url = QUrl(link)
        path = url.path()
        if url.scheme() in _OUTSIDE:
            QDesktopServices.openUrl(url)
        elif not url.scheme() and not url.host() and (path.endswith(".md") or not path):
            here = self._been[self._now].name if self._been else manual.CONTENTS
            self.open(path.removesuffix(".md") or here, url.fragment())
        else:
            self._tell(self.tr("{0} is no page of the manual.").format(link))

    @Slot()
    def go_back(self) -> None:
        """Show the page that was open before."""
        self._go(self._now - 1)

    @Slot()
    def go_forward(self) -> None:
        """Show the page that one went back from."""
        self._go(self._now + 1)

    def _go(self, number: int) -> None:
        self._remember()
        self._now = number
        place = self._been[number]
        self._show(place.name)
        self.page.verticalScrollBar().setValue(place.scrolled)

    def _remember(self) -> None:
        if self._been:
            scrolled = self.page.verticalScrollBar().value()
            self._been[self._now] = replace(self._been[self._now], scrolled=scrolled)

    @Slot(str, str)
    def _open_found(self, name: str, words: str) -> None:
        self.open(name)
        if words:
            self.find_bar.find_words(words)
        if self.width() < _NARROW:
            self.shows_pages.setChecked(False)
            self._show_pages(False)
        self.page.setFocus()

    # What is shown.

    def _show(self, name: str) -> None:
        self._tell("")
        try:
            text = manual.read(name)
        except InputError as error:
            self._tell(self.tr("This page cannot be shown: {0}").format(error))
            text = ""
        self.page.show_page(text)
        self.pages.mark(name)
        self._name((manual.headings(text) or [name])[0])
        self.back.setEnabled(self._now > 0)
        self.forward.setEnabled(self._now < len(self._been) - 1)

    def _name(self, title: str) -> None:
        self.setWindowTitle(self.tr("{0} — sparseviz manual").format(title) if title else self.tr("sparseviz manual"))

    def _tell(self, text: str) -> None:
        self.told.say(text)

    @Slot(bool)
    def _show_pages(self, shown: bool) -> None:
        self.pages.setVisible(shown)

    @Slot()
    def _search(self) -> None:
        self.shows_pages.setChecked(True)
        self.pages.show()
        self.pages.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.pages.search.selectAll()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the list of pages where it gets too narrow for both, and show it where it is wide again."""
        super().resizeEvent(event)
        wide, before = event.size().width() >= _NARROW, event.oldSize()
        if wide != (before.width() >= _NARROW or not before.isValid()):
            self.shows_pages.setChecked(wide)
            self.pages.setVisible(wide)
