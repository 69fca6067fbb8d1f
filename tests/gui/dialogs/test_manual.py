"""The manual's window: pages by F1, links, search, back and forward; nothing is fetched, whatever a page holds."""

import shutil

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QAccessible, QColor, QDesktopServices, QImage, QTextDocument, QTextTable
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListWidget, QTextBrowser, QWidget

from sparseviz.config import manual
from sparseviz.gui.dialogs.export.dialog import ExportDialog
from sparseviz.gui.dialogs.manual.page import PageBrowser
from sparseviz.gui.dialogs.manual.pages import PageList
from sparseviz.gui.dialogs.manual.window import ManualWindow
from sparseviz.gui.qt import appearance
from sparseviz.gui.qt.theme import theme_of
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.layout import Layout
from tests.helpers.gui.pixels import READABLE, contrast

NAMES = [entry.name for entry in manual.entries()]
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def book(qtbot):
    """The manual's window at its contents."""
    made = ManualWindow()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    activate(made, qtbot)
    made.open("contents")
    return made


@pytest.fixture
def page(qtbot):
    """A page alone."""
    made = PageBrowser()
    qtbot.addWidget(made)
    made.resize(740, 600)
    made.show()
    return made


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """The manual of an installation from which files can be taken."""
    folder = shutil.copytree(manual.folder(), tmp_path / "manual")
    monkeypatch.setattr(manual, "folder", lambda: folder)
    return folder


def activate(window, qtbot) -> None:
    """Wait until keys go to a window."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def shown(book: ManualWindow) -> str:
    return book.windowTitle().partition(" — ")[0]


def rows(book: ManualWindow) -> list[str]:
    listed = book.pages.list
    return [listed.item(row).text() for row in range(listed.count())]


def top_heading(book: ManualWindow) -> str:
    """The text at the top of what is in sight."""
    return book.page.cursorForPosition(QPoint(20, 20)).block().text()


class TestOpening:
    def test_that_f1_opens_the_page_of_the_view_that_has_the_focus(self, window, qtbot):
        layout = window.findChild(Layout)
        titles = set()
        for body in layout.bodies:
            layout.go_to(body)
            qtbot.keyClick(window, Qt.Key.Key_F1)
            titles.add(shown(window.manual.window))
            activate(window, qtbot)
        assert len(titles) == len(layout.bodies)
        assert titles >= {
            "Steering",
            "Penalty",
            "Weights",
            "Curves and time",
            "Gates",
            "Layers",
            "Examples",
            "Run list",
        }
        assert "The window" not in titles

    def test_that_f1_elsewhere_opens_the_page_of_the_window(self, window, qtbot):
        window.findChild(Layout).presets.setFocus()
        qtbot.keyClick(window, Qt.Key.Key_F1)
        assert shown(window.manual.window) == "The window"

    def test_that_a_floating_view_has_its_page_too(self, window, qtbot):
        dock = next(dock for dock in window.findChild(Layout).docks if dock.objectName() == "gates")
        dock.setFloating(True)
        gates = window.findChild(Layout).gates
        window.findChild(Layout).go_to(gates)
        qtbot.waitUntil(lambda: gates is QApplication.focusWidget() or gates.isAncestorOf(QApplication.focusWidget()))
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F1)
        assert shown(window.manual.window) == "Gates"

    def test_that_the_menu_opens_the_contents_once_and_closes_it_with_the_window(self, window):
        window.findChild(Actions).manual.trigger()
        first = window.manual.window
        assert shown(first) == "The manual"
        window.findChild(Actions).manual.trigger()
        assert window.manual.window is first
        window.close()
        assert not first.isVisible()

    def test_that_f1_opens_the_pages_of_export_and_of_comparing_from_there(self, opened, qtbot):
        opened.export()
        dialog = opened.findChild(ExportDialog)
        activate(dialog, qtbot)
        qtbot.keyClick(dialog, Qt.Key.Key_F1)
        assert shown(opened.manual.window) == "Export and deployment"
        assert opened.manual.window.isEnabled()
        dialog.close()
        opened.findChild(Actions).compare.trigger()
        comparing = opened.files.comparing.window
        activate(comparing, qtbot)
        qtbot.keyClick(comparing, Qt.Key.Key_F1)
        assert shown(opened.manual.window) == "Compare"


class TestPages:
    @pytest.mark.parametrize("name", NAMES)
    def test_that_a_page_is_shown_whole_with_its_tables_and_pictures(self, page, name):
        text = manual.read(name)
        page.show_page(text)
        plain = page.toPlainText()
        assert [heading for heading in manual.headings(text) if heading not in plain] == []
        assert "|---|" not in plain
        assert "](" not in plain
        tables = [frame for frame in page.document().rootFrame().childFrames() if isinstance(frame, QTextTable)]
        assert len(tables) == text.count("\n|---") + text.count("\n| ---")
        assert all(table.columns() > 1 for table in tables)
        assert plain.count("\ufffc") == text.count("![")

    def test_that_every_setting_is_read_as_its_help_is_written(self, page):
        page.show_page(manual.read("settings"))
        assert '{conv1 = 0.9, "fc*" = 0.6}' in page.toPlainText()
        assert "g (1 - g)" in page.toPlainText()

    def test_that_code_keeps_its_lines_and_indentation(self, page):
        page.show_page(manual.read("networks"))
        assert "\n    layers = nn.Linear(784, 64)" in page.toPlainText()

    @pytest.mark.parametrize("width", [500, 740, 1500])
    def test_that_a_picture_is_never_wider_than_the_page(self, page, width):
        page.show_page(manual.read("first-run"))
        page.resize(width, 600)
        image = page.document().resource(
            QTextDocument.ResourceType.ImageResource.value, QUrl("pictures/window-dark.png")
        )
        assert isinstance(image, QImage)
        assert 0.9 * width - 60 < image.width() / image.devicePixelRatio() < width
        assert page.horizontalScrollBar().maximum() == 0

    @pytest.mark.parametrize("name", NAMES)
    def test_that_no_page_is_wider_than_the_window_at_its_usual_size(self, page, name):
        page.show_page(manual.read(name))
        assert page.horizontalScrollBar().maximum() == 0

    @pytest.mark.parametrize("dark", [True, False])
    def test_that_links_code_and_headings_of_tables_can_be_read_in_both_themes(self, book, qapp, dark):
        book.open("methods")
        appearance.apply(qapp, dark=dark)
        theme = theme_of(book.page.palette())
        grounds, links = set(), set()
        block = book.page.document().begin()
        while block.isValid():
            parts = block.begin()
            while not parts.atEnd():
                form = parts.fragment().charFormat()
                if form.isAnchor():
                    links.add(form.foreground().color().name())
                elif form.background().style() != Qt.BrushStyle.NoBrush:
                    grounds.add(form.background().color().name())
                parts += 1
            block = block.next()
        assert len(links) == 1
        assert grounds
        assert all(contrast(QColor(link), theme.background) >= READABLE for link in links)
        assert all(contrast(theme.text, QColor(ground)) >= READABLE for ground in grounds)

    def test_that_following_the_palette_leaves_the_page_where_it_is(self, book, qapp):
        book.open("methods")
        book.page.verticalScrollBar().setValue(300)
        appearance.apply(qapp, dark=True)
        assert book.page.verticalScrollBar().value() == 300


class TestLinks:
    def test_that_a_link_leads_to_its_page_and_heading(self, book):
        book.follow("reproduction.md#beyond")
        assert (shown(book), top_heading(book)) == ("Reproduction", "Beyond")
        book.follow("#imagenet")
        assert book.page.textCursor().block().text() == "ImageNet"

    def test_that_a_click_follows_a_link(self, book):
        book.page.anchorClicked.emit(QUrl("gates.md"))
        assert shown(book) == "Gates"

    def test_that_back_and_forward_go_where_one_was_to_the_same_line(self, book, qtbot):
        assert not book.back.isEnabled()
        book.open("methods")
        book.page.verticalScrollBar().setValue(250)
        book.follow("penalties.md")
        qtbot.keyClick(book, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        assert (shown(book), book.page.verticalScrollBar().value()) == ("The methods", 250)
        qtbot.keyClick(book, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        assert (shown(book), book.back.isEnabled()) == ("The manual", False)
        qtbot.keyClick(book, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
        assert (shown(book), book.forward.isEnabled()) == ("The methods", True)
        book.open("gates")
        assert not book.forward.isEnabled()

    def test_that_an_address_outside_is_for_the_browser_of_the_system(self, book, monkeypatch):
        asked: list[QUrl] = []
        monkeypatch.setattr(QDesktopServices, "openUrl", asked.append)
        book.follow("https://arxiv.org/abs/1611.06694")
        assert asked == [QUrl("https://arxiv.org/abs/1611.06694")]
        assert shown(book) == "The manual"

    @pytest.mark.parametrize(
        "link", ["file:///etc/passwd", "../presets/lenet5-digits.toml", "//host/gates.md", "javascript:1", "x.py"]
    )
    def test_that_any_other_link_is_told_and_opens_nothing(self, book, monkeypatch, link):
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: pytest.fail("opened"))
        book.follow(link)
        assert "is no page of the manual" in book.told.text()
        assert book.told.isVisible()
        assert shown(book) == "The manual"

    def test_that_a_link_to_nowhere_says_so_and_names_the_pages(self, book):
        book.follow("nowhere.md")
        assert "no page 'nowhere'" in book.told.text()
        assert "gates" in book.told.text()
        book.follow("gates.md#nowhere")
        assert "no part “nowhere”" in book.told.text()
        book.follow("gates.md")
        assert not book.told.isVisible()

    @pytest.mark.parametrize(
        "source", ["https://example.org/a.png", "file:///etc/hostname", "../../icons/sparseviz.svg", "//host/a.png"]
    )
    def test_that_a_page_reads_no_picture_but_the_manuals_own(self, page, source):
        page.show_page(f"# A page\n\nBefore ![a picture of something else]({source}) after\n")
        assert "Before" in page.toPlainText()
        kind = QTextDocument.ResourceType.ImageResource
        for name in (source, QUrl(source)):
            assert page.loadResource(kind.value, name) is None
        assert page.loadResource(QTextDocument.ResourceType.HtmlResource.value, QUrl("gates.md")) is None
        assert page.loadResource(kind.value, QUrl("pictures/methods.png")).width() == 1200


class TestSearch:
    def test_that_pages_with_all_words_are_listed_with_an_excerpt_title_first(self, book, qtbot):
        qtbot.keyClick(book, Qt.Key.Key_F, CTRL | SHIFT)
        assert book.pages.search.hasFocus()
        qtbot.keyClicks(book.pages.search, "Slurm machines")
        assert rows(book)[0].startswith("Many machines\n")
        assert "slurm" in " ".join(rows(book)).lower()
        assert book.pages.told.text() == f"Pages with these words: {len(rows(book))}."

    def test_that_enter_opens_the_first_and_finds_the_words_in_it(self, book, qtbot):
        book.pages.search.setText("Teboulle")
        qtbot.keyClick(book.pages.search, Qt.Key.Key_Return)
        assert shown(book) == "The methods"
        assert book.page.textCursor().selectedText().lower() == "teboulle"
        book.pages.search.setText("Slurm machines")
        qtbot.keyClick(book.pages.search, Qt.Key.Key_Return)
        assert shown(book) == "Many machines"
        assert book.page.textCursor().selectedText() == "Slurm"

    def test_that_nothing_found_is_told_and_clearing_lists_all_again(self, book):
        everything = rows(book)
        book.pages.search.setText("xyzzy")
        assert (rows(book), book.pages.told.text()) == ([], "No page has these words.")
        book.pages.search.clear()
        assert rows(book) == everything
        assert not book.pages.told.isVisible()

    def test_that_words_are_found_in_the_page_forward_back_and_round(self, book, qtbot):
        book.open("gates")
        qtbot.keyClick(book, Qt.Key.Key_F, CTRL)
        qtbot.keyClicks(book.find_bar.words, "histogram")
        places = []
        for key in ((Qt.Key.Key_Return,), (Qt.Key.Key_Return,), (Qt.Key.Key_Return, SHIFT)):
            qtbot.keyClick(book.find_bar.words, *key)
            places.append(book.page.textCursor().position())
        assert book.page.textCursor().selectedText() == "histogram"
        assert places[0] == places[2] or places[0] == places[1]
        book.find_bar.words.setText("xyzzy")
        book.find_bar.find_next()
        assert book.find_bar.told.text() == "not on this page"
        qtbot.keyClick(book.find_bar.words, Qt.Key.Key_Escape)
        assert not book.find_bar.isVisible()

    def test_that_a_click_on_a_page_of_the_list_opens_it_and_on_a_chapter_does_not(self, book):
        for title, expected in (("Words", "Words"), ("Behind it", "Words")):
            item = book.pages.list.findItems(title, Qt.MatchFlag.MatchExactly)[0]
            book.pages.list.itemClicked.emit(item)
            assert shown(book) == expected

    def test_that_the_search_itself_is_of_words_not_of_markup(self):
        assert manual.search("") == []
        assert {each.entry.name for each in manual.search("PROXIMAL")} >= {"methods", "settings"}
        assert all("](" not in each.excerpt and "`" not in each.excerpt for each in manual.search("the"))


class TestRoom:
    def test_that_the_list_makes_room_in_a_narrow_window_and_comes_back(self, book, qtbot):
        assert book.pages.isVisible()
        book.resize(500, 600)
        assert (book.pages.isVisible(), book.shows_pages.isChecked()) == (False, False)
        qtbot.waitUntil(lambda: book.page.width() > 450)
        qtbot.keyClick(book, Qt.Key.Key_L, CTRL)
        assert book.pages.isVisible()
        book.pages.chosen.emit("gates", "")
        assert not book.pages.isVisible()
        book.resize(900, 600)
        assert book.pages.isVisible()

    def test_that_it_begins_without_the_list_where_it_begins_narrow(self, qtbot):
        made = ManualWindow()
        qtbot.addWidget(made)
        made.resize(500, 600)
        made.show()
        assert not made.pages.isVisible()

    def test_that_every_control_has_a_name_and_tab_reaches_all(self, book):
        kinds = (QAbstractButton, QLineEdit, QListWidget, QTextBrowser)
        book.find_bar.ask()
        controls = [
            widget
            for widget in book.findChildren(QWidget)
            if isinstance(widget, kinds) and widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        assert len(controls) > 7
        for widget in controls:
            assert QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name).strip(), widget
        found = set()
        for _ in range(60):
            found.add(book.focusWidget())
            book.focusNextChild()
        assert {widget for widget in controls if widget.isEnabled()} <= found


class TestBroken:
    def test_that_a_page_that_is_missing_is_told_with_its_file(self, broken, book):
        (broken / "gates.md").unlink()
        book.open("gates")
        assert str(broken / "gates.md") in book.told.text()
        assert book.page.toPlainText() == ""
        book.go_back()
        assert shown(book) == "The manual"

    def test_that_missing_contents_are_told_and_f1_does_not_fail(self, broken, window, qtbot):
        (broken / "contents.md").unlink()
        qtbot.keyClick(window, Qt.Key.Key_F1)
        opened = window.manual.window
        assert str(broken / "contents.md") in opened.told.text()
        assert str(broken / "contents.md") in opened.pages.told.text()

    def test_that_a_page_that_is_no_text_is_told(self, broken, book):
        (broken / "gates.md").write_bytes(b"\xff\xfe\x00")
        book.open("gates")
        assert "cannot be read" in book.told.text()

    def test_that_a_long_path_that_is_told_makes_no_window_wider_and_is_no_markup(self, book):
        book.follow(f"file:///<b>{'long' * 100}</b>")
        assert "<b>" in book.told.text()
        assert book.told.textFormat() == Qt.TextFormat.PlainText
        assert book.minimumSizeHint().width() < 500

    def test_that_a_missing_picture_leaves_the_page_readable(self, broken, page):
        (broken / "pictures" / "methods.png").unlink()
        page.show_page(manual.read("methods"))
        assert "All of them on the embedded digits" in page.toPlainText()

    def test_that_a_search_over_a_broken_manual_says_what_is_missing(self, broken, qtbot):
        listed = PageList()
        qtbot.addWidget(listed)
        (broken / "gates.md").unlink()
        listed.search.setText("gate")
        assert str(broken / "gates.md") in listed.told.text()
