"""Finding one layer among many by its name."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QToolButton

MANY = 12  # layers: from here on a list is searched rather than read


class LayerFilter(QLineEdit):
    """A line for a part of a layer's name, or for a pattern with a *."""

    def __init__(self) -> None:
        super().__init__(clearButtonEnabled=True)
        self.setPlaceholderText(self.tr("Filter by name"))
        self.setToolTip(self.tr("Show the layers with this in their names; * stands for anything (Ctrl+F)"))
        self.setAccessibleName(self.tr("Filter layers by name"))
        for clear in self.findChildren(QToolButton):  # Qt's own, without a name
            clear.setAccessibleName(self.tr("Clear the filter"))

    def begin(self) -> None:
        """Take the keys; what is typed replaces what is there."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()


class LayerBox(QComboBox):
    """Layers to choose from; of many, a part of a name can be typed."""

    def set_names(self, names: Sequence[str], chosen: str) -> None:
        """Offer these; says nothing of the change."""
        with QSignalBlocker(self):
            self.clear()
            self.addItems(list(names))
            self.setCurrentText(chosen)  # before it can be edited: then it would be text alone
            if len(names) >= MANY and not self.isEditable():
                self._make_searchable()
            elif len(names) < MANY:
                self.setEditable(False)

    def _make_searchable(self) -> None:
        index = self.currentIndex()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        if completer := self.completer():
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        if line := self.lineEdit():
            line.setAccessibleName(self.tr("Find a layer by a part of its name"))
            line.editingFinished.connect(self._put_back)
        self.setCurrentIndex(index)

    def _put_back(self) -> None:
        """What is not a layer's name gives way to the layer that is chosen."""
        self.setEditText(self.name())

    def name(self) -> str:
        """The chosen layer's name, whatever is being typed; empty before there are any."""
        return self.itemText(self.currentIndex())


def matches(name: str, pattern: str) -> bool:
    """Whether a name passes a filter: it has the text in it or, where there is a *, is like it; case is one."""
    if "*" not in pattern:
        return pattern.casefold() in name.casefold()
    like = ".*".join(re.escape(part) for part in pattern.casefold().split("*"))
    return re.fullmatch(like, name.casefold()) is not None
