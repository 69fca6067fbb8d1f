"""The runs that are compared, in their order: shown or hidden, added, removed, moved."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sparseviz.gui.compare.views.subject import Subject, sign_of
from sparseviz.gui.qt.theme import mute, theme_of
from sparseviz.gui.views.base import percent
from sparseviz.values.states import RunStatus

_ICON = QSize(34, 18)
_PATH, _RUN = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class RunList(QWidget):
    """A line a run with its sign, its number and its name; Space shows or hides it."""

    changed = Signal()  # the runs that are shown, or their order
    removed = Signal(Path)
    opened = Signal(Path)
    add_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.sheet, self.empty = QListWidget(), QLabel(self._invitation(), wordWrap=True)
        self.add_ = self._action(self.tr("Add…"), self.tr("Add runs (Ctrl+O)"), "Ins", self.add_asked.emit)
        told = self.tr("Remove the chosen runs (Delete)"), self.tr("Move up (Alt+Up)"), self.tr("Move down (Alt+Down)")
        self.remove = self._action(self.tr("Remove"), told[0], "Del", self.remove_chosen)
        self.up = self._action("▲", told[1], "Alt+Up", lambda: self.move_chosen(-1))
        self.down = self._action("▼", told[2], "Alt+Down", lambda: self.move_chosen(1))
        self._set_up()
        self._arrange()
        self.sheet.itemChanged.connect(self._change)
        self.sheet.model().rowsMoved.connect(self.changed)
        self.sheet.itemActivated.connect(lambda item: self.opened.emit(item.data(_PATH)))
        self._tell()

    def _invitation(self) -> str:
        return self.tr(
            "Add runs (Ctrl+O), drop their files here, or choose some in the run list and press Ctrl+Shift+C."
        )

    def _set_up(self) -> None:
        self.sheet.setAccessibleName(self.tr("Runs that are compared"))
        self.sheet.setAccessibleDescription(
            self.tr("Space shows or hides a run, Delete removes it, Alt+Up and Alt+Down move it, Enter opens it.")
        )
        self.sheet.setIconSize(_ICON)
        self.sheet.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.sheet.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.sheet.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.sheet.setSpacing(1)
        self.sheet.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setContentsMargins(12, 12, 12, 12)
        mute(self.empty, theme_of(self.palette()))

    def _arrange(self) -> None:
        row, column = QHBoxLayout(), QVBoxLayout(self)
        row.setSpacing(2)
        for action in (self.add_, self.remove, self.up, self.down):
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAccessibleName(action.toolTip())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        row.addStretch(1)
        column.setContentsMargins(4, 4, 2, 4)
        column.addLayout(row)
        column.addWidget(self.sheet, 1)
        column.addWidget(self.empty, 1)

    def _action(self, text: str, told: str, key: str, do: Callable[[], object]) -> QAction:
        """Listens to its key while the focus is in the list."""
        action = QAction(text, self)
        action.setToolTip(told)
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda *_: do())
        self.addAction(action)
        return action

    # What is in it.

    def _items(self) -> list[QListWidgetItem]:
        return [self.sheet.item(row) for row in range(self.sheet.count())]

    def paths(self) -> dict[int, Path]:
        """The file of every run that is there, by its number."""
        return {item.data(_RUN).number: item.data(_PATH) for item in self._items()}

    def runs(self) -> tuple[Subject, ...]:
        """Those that are shown, in their order."""
        return tuple(item.data(_RUN) for item in self._items() if item.checkState() == Qt.CheckState.Checked)

    def add(self, path: Path, run: Subject) -> None:
        """Add a run at the end, shown."""
        item = QListWidgetItem()
        item.setData(_PATH, path)
        self._put(item, run)
        item.setFlags((item.flags() | Qt.ItemFlag.ItemIsUserCheckable) & ~Qt.ItemFlag.ItemIsDropEnabled)
        item.setCheckState(Qt.CheckState.Checked)
        item.setIcon(self._icon(run))
        self._write(item)
        with QSignalBlocker(self.sheet):
            self.sheet.addItem(item)
        if self.sheet.currentRow() < 0:
            self.sheet.setCurrentRow(0)
        self._tell()
        self.changed.emit()

    def replace(self, path: Path, run: Subject) -> None:
        """Show what a file says by now."""
        with QSignalBlocker(self.sheet):
            for item in (item for item in self._items() if item.data(_PATH) == path):
                self._put(item, run)
        self.changed.emit()

    def unfinished(self) -> list[tuple[Path, Subject]]:
        """Those that were still trained when they were read."""
        found = [(item.data(_PATH), item.data(_RUN)) for item in self._items()]
        return [(path, run) for path, run in found if run.status == RunStatus.TRAINING]

    def _put(self, item: QListWidgetItem, run: Subject) -> None:
        item.setData(_RUN, run)
        item.setToolTip(self._told(item.data(_PATH), run))

    def _write(self, item: QListWidgetItem) -> None:
        """Say which run it is, and that it is hidden where it is."""
        run = item.data(_RUN)
        hidden = item.checkState() != Qt.CheckState.Checked
        facts = f"{run.method} · {run.network} · {run.data}"
        item.setText(f"{run.label}\n{self.tr('hidden: {0}').format(facts) if hidden else facts}")

    def _change(self, item: QListWidgetItem) -> None:
        with QSignalBlocker(self.sheet):
            self._write(item)
        self.changed.emit()

    def _told(self, path: Path, run: Subject) -> str:
        sizes = run.totals()
        kept = percent(sizes.parameters_kept / sizes.parameters)
        parts = (str(path), f"{run.method}, {run.network}, {run.data}, {run.status}")
        return "\n".join((*parts, self.tr("{0:,} parameters kept, {1} %").format(sizes.parameters_kept, kept)))

    def _icon(self, run: Subject) -> QIcon:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(_ICON * ratio)
        picture.setDevicePixelRatio(ratio)
        theme = theme_of(self.palette())
        picture.fill(theme.background)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sign_of(run.number, theme).paint(painter, QRectF(1, 0, _ICON.width() - 2, _ICON.height()))
        painter.end()
        icon = QIcon(picture)
        icon.addPixmap(picture, QIcon.Mode.Selected)  # not tinted, or the colour would be lost
        return icon

    def _tell(self) -> None:
        there = self.sheet.count() > 0
        self.sheet.setVisible(there)
        self.empty.setVisible(not there)
        for action in (self.remove, self.up, self.down):
            action.setEnabled(there)

    # What a person does.

    def _chosen(self) -> list[QListWidgetItem]:
        return [item for item in self._items() if item.isSelected()]

    def remove_chosen(self) -> None:
        """Take the selected runs out; their files stay."""
        chosen = self._chosen()
        for item in chosen:
            self.sheet.takeItem(self.sheet.row(item))
            self.removed.emit(item.data(_PATH))
        self._tell()
        if chosen:
            self.changed.emit()

    def move_chosen(self, by: int) -> None:
        """Move the current run up or down."""
        row = self.sheet.currentRow()
        if not (row >= 0 and 0 <= row + by < self.sheet.count()):
            return
        with QSignalBlocker(self.sheet):
            item = self.sheet.takeItem(row)
            self.sheet.insertItem(row + by, item)
            self.sheet.setCurrentItem(item)
        self.changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "down"):
            mute(self.empty, theme_of(self.palette()))
            with QSignalBlocker(self.sheet):
                for item in self._items():
                    item.setIcon(self._icon(item.data(_RUN)))
