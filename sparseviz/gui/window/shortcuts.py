"""Keyboard shortcuts on one page: what the menus, the views and the window itself listen to."""

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QMenu, QMenuBar, QTextBrowser, QVBoxLayout, QWidget

from sparseviz.gui.views.base import Pane

Section = tuple[str, list[tuple[str, str]]]  # a heading; what keys do, and the keys


class ShortcutsPage(QDialog):
    """All keys, by where they are listened to."""

    def __init__(self, bar: QMenuBar, panes: Iterable[Pane], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard Shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(520, 600)
        menus = [(menu, menu.title().replace("&", "")) for menu in bar.findChildren(QMenu) if menu.parent() is bar]
        self.sections: list[Section] = [(title, keys_of(menu)) for menu, title in menus]
        self.sections += [(self.tr("In “{0}”").format(pane.title()), pane.keys()) for pane in panes]
        self.sections.append((self.tr("Everywhere"), self._everywhere()))
        self.text = QTextBrowser()
        self.text.setAccessibleName(self.tr("All keys"))
        self.text.setHtml("".join(_as_html(heading, rows) for heading, rows in self.sections if rows))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)

    def _everywhere(self) -> list[tuple[str, str]]:
        return [
            (self.tr("next, previous control or view"), "Tab, Shift+Tab"),
            (self.tr("open a menu"), self.tr("Alt and the letter underlined")),
            (self.tr("move a slider or a choice"), self.tr("arrow keys")),
            (self.tr("at the time slider: first, last snapshot; play or pause"), self.tr("Home, End; Space")),
            (self.tr("press the button that is framed"), self.tr("Space")),
        ]


def keys_of(menu: QMenu) -> list[tuple[str, str]]:
    """The actions of a menu and of those inside it that have a key."""
    rows: list[tuple[str, str]] = []
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            rows += keys_of(inner)
        elif not action.shortcut().isEmpty():
            rows.append((name_of(action), ", ".join(_texts(action.shortcuts()))))
    return rows


def _texts(keys: Iterable[QKeySequence]) -> list[str]:
    """The keys as they are written; without those that some keyboards have for one thing, as "Save"."""
    texts = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys]
    return [text for text in texts if len(text) < 4 or "+" in text] or texts


def name_of(action: QAction) -> str:
    """An action's text without the signs that belong to a menu."""
    return action.text().replace("&", "").rstrip("…")


def _as_html(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{escape(name)}</td><td><b>{escape(keys)}</b></td></tr>" for name, keys in rows)
    return f'<h3>{escape(heading)}</h3><table width="100%" cellpadding="2">{lines}</table>'
