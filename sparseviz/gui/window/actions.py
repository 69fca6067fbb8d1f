"""QActions of the menus and the tool bar, each with the key where a hand would look for it."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QAction, QColor, QIcon, QKeySequence, QPainter, QPalette, QPixmap, QUndoStack
from PySide6.QtWidgets import QApplication, QStyle, QWidget

_Icon = QStyle.StandardPixmap
_ICON_PIXELS = 32
_BLACK = (_Icon.SP_MediaPlay, _Icon.SP_MediaPause, _Icon.SP_MediaSkipForward, _Icon.SP_MediaStop)


class Actions(QObject):
    """The program's actions; the window connects and enables them."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._icons: dict[QAction, QStyle.StandardPixmap] = {}
        self.open = self._make(self.tr("&Open Run or Model…"), QKeySequence.StandardKey.Open, _Icon.SP_DialogOpenButton)
        self.export = self._make(self.tr("&Export ONNX…"), "Ctrl+E", _Icon.SP_DialogSaveButton)
        self.open_config = self._make(self.tr("Open &Configuration…"), "Ctrl+Shift+O")
        self.save_config = self._make(self.tr("Save Con&figuration…"), "Ctrl+Alt+S")
        self.save_view = self._make(self.tr("Save &View…"), QKeySequence.StandardKey.Save)
        self.picture = self._make(self.tr("Save &Picture of Window…"), "Ctrl+Shift+S")
        self.animation = self._make(self.tr("Save &Animation…"), "Ctrl+Alt+A")
        self.quit = self._make(self.tr("&Quit"), QKeySequence.StandardKey.Quit)
        self.undo = self._make(self.tr("&Undo"), QKeySequence.StandardKey.Undo)
        self.redo = self._make(self.tr("&Redo"), QKeySequence.StandardKey.Redo)
        self.train = self._make(self.tr("&Train"), "F5", _Icon.SP_MediaPlay)
        self.pause = self._make(self.tr("&Pause"), "F6", _Icon.SP_MediaPause)
        self.pause.setCheckable(True)
        self.step = self._make(self.tr("&Step"), "F10", _Icon.SP_MediaSkipForward)
        self.steps = self._make(self.tr("Ru&n Steps…"), "Ctrl+F10")
        self.epoch = self._make(self.tr("Run to &End of Epoch"), "Shift+F10")
        self.resume = self._make(self.tr("Resume From Fi&le"), "Ctrl+F5")
        self.branch = self._make(self.tr("&Branch From Here"), "Ctrl+B")
        self.branch.setCheckable(True)
        self.freeze = self._make(self.tr("&Freeze Masks"), "F8")
        self.stop = self._make(self.tr("St&op"), "Shift+F5", _Icon.SP_MediaStop)
        self.read_test = self._make(self.tr("&Read Test Set at the End"))
        self.read_test.setCheckable(True)
        self.read_test.setChecked(True)
        self.previous = self._make(self.tr("Pre&vious Snapshot"), "Ctrl+Left")
        self.next = self._make(self.tr("&Next Snapshot"), "Ctrl+Right")
        self.first = self._make(self.tr("F&irst Snapshot"), "Ctrl+Home")
        self.last = self._make(self.tr("&Last Snapshot"), "Ctrl+End")
        self.play = self._make(self.tr("Pl&ay Snapshots"), "Ctrl+Space", _Icon.SP_MediaPlay)
        self.play.setCheckable(True)
        self.play.toggled.connect(self._name_play)
        self.compare = self._make(self.tr("&Compare Runs…"), "Ctrl+Shift+C")
        self.reset_layout = self._make(self.tr("&Reset Layout"))
        self.full_screen = self._make(self.tr("&Full Screen"), "F11")
        self.explain = self._make(self.tr("&What Is This?"), "Shift+F1")
        self.manual = self._make(self.tr("&Manual"))
        self.manual_here = self._make(self.tr("Manual on &This View"), "F1")
        self.shortcuts = self._make(self.tr("&Keyboard Shortcuts"), "Ctrl+F1")
        self.about = self._make(self.tr("&About sparseviz"))
        self._explain()
        self._tint()
        window.installEventFilter(self)

    def _make(
        self, text: str, key: QKeySequence.StandardKey | str | None = None, icon: QStyle.StandardPixmap | None = None
    ) -> QAction:
        action = QAction(text, self)
        if key is not None:
            action.setShortcuts([QKeySequence(key)] if isinstance(key, str) else QKeySequence.keyBindings(key))
        if icon in _BLACK:
            self._icons[action] = icon
        elif icon is not None:
            action.setIcon(QApplication.style().standardIcon(icon))
        return action

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's palette."""
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        return super().eventFilter(watched, event)

    def _tint(self) -> None:
        """Give the style's black icons the colour of the text beside them."""
        palette = self._window.palette()
        for action, name in self._icons.items():
            shape, icon = QApplication.style().standardIcon(name), QIcon()
            for mode, group in (
                (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
                (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
            ):
                icon.addPixmap(_filled(shape, palette.color(group, QPalette.ColorRole.ButtonText)), mode)
            action.setIcon(icon)

    def _explain(self) -> None:
        tips = {
            self.train: self.tr("Train the network as the steering panel says"),
            self.pause: self.tr("Wait after this step, or go on"),
            self.step: self.tr("Do one step, then pause"),
            self.steps: self.tr("Do as many steps as you say, then pause"),
            self.epoch: self.tr("Train until the epoch is over, then pause"),
            self.freeze: self.tr("Keep the masks as they are, and fine-tune the weights that are left"),
            self.stop: self.tr("End the run here; its file stays and can be exported"),
            self.play: self.tr("Show one snapshot after the other, to the last; or stay at this one"),
            self.animation: self.tr("Save how a view changes over a stored run, as an animated GIF"),
            self.save_view: self.tr("Save the view that has the focus, as PNG, SVG or CSV"),
            self.compare: self.tr("Lay runs over each other, in a window of their own"),
            self.explain: self.tr("What the control or view that has the focus is for"),
            self.reset_layout: self.tr("Put every dock back where it was at first"),
            self.resume: self.tr("Go on with the stopped or interrupted run that is shown, in a new file beside it"),
            self.export: self.tr("Write the sparse network as ONNX, with proof"),
            self.read_test: self.tr("The test set is read once, when the run has ended; unless this is off"),
        }
        for action, tip in tips.items():
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{tip} ({keys})" if keys else tip)
        self._tips = {action: action.toolTip() for action in tips}

    def explain_these(self, actions: Iterable[QAction], why_not: str) -> None:
        """Say why they cannot be used now; with "" what they do."""
        for action in actions:
            action.setToolTip(why_not or self._tips[action])

    def follow(self, edits: QUndoStack) -> None:
        """Let undo and redo name what they would do."""
        self.undo.setEnabled(False)
        self.redo.setEnabled(False)
        edits.canUndoChanged.connect(self.undo.setEnabled)
        edits.canRedoChanged.connect(self.redo.setEnabled)
        edits.undoTextChanged.connect(self._name_undo)
        edits.redoTextChanged.connect(self._name_redo)

    @Slot(bool)
    def _name_play(self, plays: bool) -> None:
        self._icons[self.play] = _Icon.SP_MediaPause if plays else _Icon.SP_MediaPlay
        self.play.setText(self.tr("P&ause Snapshots") if plays else self.tr("Pl&ay Snapshots"))
        self._tint()

    @Slot(str)
    def _name_undo(self, edit: str) -> None:
        self.undo.setText(self.tr("&Undo {0}").format(edit).rstrip())

    @Slot(str)
    def _name_redo(self, edit: str) -> None:
        self.redo.setText(self.tr("&Redo {0}").format(edit).rstrip())


def _filled(shape: QIcon, colour: QColor) -> QPixmap:
    """The icon's shape in one colour."""
    picture = shape.pixmap(_ICON_PIXELS)
    painter = QPainter(picture)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(picture.rect(), colour)
    painter.end()
    return picture
