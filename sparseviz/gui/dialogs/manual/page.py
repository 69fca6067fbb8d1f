"""The browser of one page: Markdown in the window's colours, with pictures that fit it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QUrl, Signal, Slot
from PySide6.QtGui import (
    QFontDatabase,
    QImage,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextImageFormat,
    QTextLength,
    QTextOption,
    QTextTable,
)
from PySide6.QtWidgets import QTextBrowser

from sparseviz.config import manual
from sparseviz.gui.qt.theme import mix, theme_of

_MARGIN = 14  # pixels around the page
_CELL = 5  # pixels inside a cell of a table
_ABOVE = (0, 0, 20, 14, 14, 14, 14)  # pixels above a paragraph, and above headings of each level
_BELOW, _BELOW_ITEM = 9, 3  # pixels below a paragraph or heading, and below an item of a list
_LINE = 118  # percent of a line's own height
_PICTURE = "\ufffc"  # stands in the text for one
_Property = QTextFormat.Property


class PageBrowser(QTextBrowser):
    """Shows a page's Markdown; a link is told, not followed, and nothing but the manual's pictures is loaded."""

    link_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Page of the manual"))
        self.setOpenLinks(False)
        self.setWordWrapMode(QTextOption.WrapMode.WordWrap)  # no word is torn in a narrow table
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # else the text moves once it appears
        self.document().setDocumentMargin(_MARGIN)
        self._markdown = ""
        self.anchorClicked.connect(self._choose)

    def show_page(self, markdown: str) -> None:
        """Show a page from its beginning."""
        self._markdown = markdown
        self._render()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def go_to(self, anchor: str) -> bool:
        """Bring the heading with this anchor to the top; whether there is one."""
        for block in self._blocks():
            if block.blockFormat().headingLevel() and manual.anchor(block.text()) == anchor:
                self.setTextCursor(QTextCursor(block))
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(round(top))
                return True
        return False

    def find_words(self, words: str, *, backward: bool = False) -> bool:
        """Select the next place with these words, from the other end after the last; whether there is one."""
        flags = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        if self.find(words, flags):
            return True
        before = self.textCursor()
        self.moveCursor(QTextCursor.MoveOperation.End if backward else QTextCursor.MoveOperation.Start)
        if found := self.find(words, flags):
            return found
        self.setTextCursor(before)
        return False

    # The looks.

    def _render(self) -> None:
        document = self.document()
        document.clear()  # with its pictures
        document.setMarkdown(self._markdown, QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
        whole = QTextCursor(document)
        whole.beginEditBlock()  # laid out once
        self._set_apart()
        self._colour_code()
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._rule(frame)
        whole.endEditBlock()
        self._fit_pictures()

    def _set_apart(self) -> None:
        """Room above headings and below paragraphs; none of it in tables and blocks of code."""
        for block in self._blocks():
            form, cursor = block.blockFormat(), QTextCursor(block)
            if _is_code(form) or cursor.currentTable():
                continue
            form.setTopMargin(_ABOVE[form.headingLevel()] if block.position() else 0)
            form.setBottomMargin(_BELOW_ITEM if block.textList() else _BELOW)
            if _PICTURE not in block.text():
                form.setLineHeight(_LINE, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.setBlockFormat(form)

    def _colour_code(self) -> None:
        """Blocks of code lie on a ground of their own, and long lines of them are wrapped."""
        theme = theme_of(self.palette())
        ground = mix(theme.text, theme.background, 0.92)
        for block in self._blocks():
            form = block.blockFormat()
            if _is_code(form):
                form.setBackground(ground)
                form.setNonBreakableLines(False)
                form.setBottomMargin(0 if _is_code(block.next().blockFormat()) else _BELOW)
                QTextCursor(block).setBlockFormat(form)
            for cursor, style in _fragments(block):
                if style.fontFixedPitch():
                    style.setFontFamilies([QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()])
                    style.setBackground(ground)
                    cursor.setCharFormat(style)

    def _rule(self, table: QTextTable) -> None:
        """Rule a table, with its headings on a ground of their own."""
        theme = theme_of(self.palette())
        form = table.format()
        form.setBorderCollapse(True)
        form.setBorder(1)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderBrush(theme.grid)
        form.setCellPadding(_CELL)
        form.setCellSpacing(0)
        form.setTopMargin(_BELOW / 2)
        form.setBottomMargin(_BELOW)
        form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 99))  # Qt does not count the ruled edge
        table.setFormat(form)
        first = table.cellAt(0, 0)
        if first.firstCursorPosition().block() != first.lastCursorPosition().block():
            first.firstCursorPosition().deleteChar()  # Qt's reader leaves a line there after a block of code
        for column in range(table.columns()):
            cell = table.cellAt(0, column)
            style = cell.format()
            style.setBackground(mix(theme.text, theme.background, 0.88))
            cell.setFormat(style)

    def _fit_pictures(self) -> None:
        """Scale each picture to the room beside the margins, where it is wider."""
        room = self.viewport().width() - 2 * _MARGIN
        for cursor, style in [each for block in self._blocks() for each in _fragments(block)]:
            if not style.isImageFormat():
                continue
            image, form = QImage(str(_picture(style.toImageFormat().name()) or "")), QTextImageFormat(style)
            if not image.isNull():
                ratio = self.devicePixelRatioF()
                width = max(min(room, image.width()), 1)
                image = image.scaledToWidth(round(width * ratio), Qt.TransformationMode.SmoothTransformation)
                image.setDevicePixelRatio(ratio)
                form.setWidth(width)
                form.setHeight(image.height() / ratio)
                self.document().addResource(QTextDocument.ResourceType.ImageResource, QUrl(form.name()), image)
                cursor.setCharFormat(form)

    def _blocks(self) -> Iterator[QTextBlock]:
        block = self.document().begin()
        while block.isValid():
            yield block
            block = block.next()

    # Qt's own events.

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """The manual's pictures; nothing else is read, whatever a page names."""
        path = _picture(QUrl(name).toString()) if kind == QTextDocument.ResourceType.ImageResource.value else None
        return QImage(str(path)) if path else None

    @Slot(QUrl)
    def _choose(self, link: QUrl) -> None:
        self.link_chosen.emit(link.toString())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the pictures to the new width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_pictures()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette; the page stays where it is."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_markdown"):
            at = self.verticalScrollBar().value()
            self._render()
            self.verticalScrollBar().setValue(at)


def _is_code(form: QTextBlockFormat) -> bool:
    """Whether a block is a line of a block of code."""
    return form.hasProperty(_Property.BlockCodeFence) or form.hasProperty(_Property.BlockCodeLanguage)


def _picture(name: str) -> Path | None:
    """The file of a picture that a page names, if it is one of the manual's."""
    home = (manual.folder() / "pictures").resolve()
    path = (manual.folder() / name).resolve()
    return path if path.parent == home and path.is_file() else None


def _fragments(block: QTextBlock) -> list[tuple[QTextCursor, QTextCharFormat]]:
    """The parts of a block that look alike, each as a selection and its format."""
    found = []
    parts = block.begin()
    while not parts.atEnd():
        part = parts.fragment()
        cursor = QTextCursor(block)
        cursor.setPosition(part.position())
        cursor.setPosition(part.position() + part.length(), QTextCursor.MoveMode.KeepAnchor)
        found.append((cursor, part.charFormat()))
        parts += 1
    return found
