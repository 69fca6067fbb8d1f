"""File dialogs, and what is done with what is chosen: runs, models, views, pictures of the window, configurations."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QWidget

from sparseviz.config import InputError, RunConfig, paths
from sparseviz.config.paths import MODEL_SUFFIXES
from sparseviz.gui.compare.opening import Comparing
from sparseviz.gui.compare.views.base import CompareView
from sparseviz.gui.dialogs import view_file
from sparseviz.gui.qt.messages import Messages
from sparseviz.gui.views.base import Pane
from sparseviz.gui.window.actions import Actions
from sparseviz.gui.window.layout import Layout


class Files(QObject):
    """Asks which file, reads or writes it, and says what went wrong."""

    run_chosen = Signal(Path)

    def __init__(
        self, actions: Actions, layout: Layout, messages: Messages, run: Callable[[], Path | None], window: QMainWindow
    ) -> None:
        super().__init__(window)
        self._actions, self._layout, self._messages, self._run, self._window = actions, layout, messages, run, window
        self._folder: Path | None = None  # where the last file went
        for action, slot in (
            (actions.open, self.choose_run),
            (actions.save_view, self.choose_focused),
            (actions.picture, self.choose_picture),
            (actions.animation, self.choose_animation),
            (actions.open_config, self.choose_config),
            (actions.save_config, self.choose_config_file),
        ):
            action.triggered.connect(slot)
        layout.save_asked.connect(self.choose_view)
        self.comparing = Comparing(actions, layout.runs, run, window)
        self.comparing.run_chosen.connect(self.run_chosen)
        self.comparing.save_asked.connect(self.choose_view)
        layout.recent.chosen.connect(self.run_chosen)
        layout.recent.missed.connect(messages.complain)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    # What is dropped on the window.

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take files of this machine that are dropped."""
        if isinstance(event, QDropEvent) and watched is self._window:  # a QDragEnterEvent is one
            found = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
            if found:
                event.acceptProposedAction()
            if found and event.type() == QEvent.Type.Drop:
                self.take(found)
            return bool(found)
        return super().eventFilter(watched, event)

    def take(self, found: list[Path]) -> None:
        """Open the first: a run, a model, a configuration, or a folder in the run list."""
        if len(found) > 1:
            told = self.tr("{0} was opened, the first of {1}; a window shows one run.")
            self._layout.status.showMessage(told.format(found[0].name, len(found)))
        if found[0].is_dir():
            self._layout.runs.show_folder(found[0])
            self._layout.go_to(self._layout.runs)
        elif found[0].suffix != ".toml":
            self.run_chosen.emit(found[0])
        elif self._actions.open_config.isEnabled():
            self.open_config(found[0])
        else:
            self._messages.complain(self.tr("A run is training. Stop it before opening a configuration."))

    @Slot()
    def choose_run(self) -> None:
        """Ask for a run file, or a model file to look at."""
        run = self._run()
        folder = str(run.parent if run else paths.runs_folder())
        runs, models = "*.h5 *.h5.status", " ".join(f"*{suffix}" for suffix in MODEL_SUFFIXES)
        forms = (
            self.tr("Runs and models ({0})").format(f"{runs} {models}"),
            self.tr("Runs ({0})").format(runs),
            self.tr("Models: ONNX, safetensors, PyTorch state_dict ({0})").format(models),
        )
        path, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open Run or Model"), folder, ";;".join(forms))
        if path:
            self.run_chosen.emit(Path(path))

    @Slot()
    def choose_focused(self) -> None:
        """Save the view that has the focus."""
        if pane := self._layout.focused_pane():
            self.choose_view(pane)
        else:
            told = self.tr("Click a view, or go to one with Alt and its number, then save it.")
            self._layout.status.showMessage(told)

    @Slot(QObject)
    def choose_view(self, pane: Pane) -> None:
        """Ask for a file and a form, and save a view in it."""
        picture = self.tr("PNG at {0}× the size on screen (*.png)")
        forms = {picture.format(scale): (".png", scale) for scale in view_file.SCALES}
        forms |= {self.tr("SVG, lines and text (*.svg)"): (".svg", 1), self.tr("CSV, the values (*.csv)"): (".csv", 1)}
        title = self.tr("Save “{0}”").format(pane.title())
        name = re.sub(r"\W+", "-", pane.title().lower()).strip("-")
        stem = "comparison" if isinstance(pane, CompareView) else self._stem()
        path, form = self._ask(title, f"{stem}-{name}", list(forms), 1, pane.window())
        if path is not None:
            suffix, scale = forms.get(form, (".png", 1))
            self._try(lambda: view_file.save_view(pane, _named(path, suffix), scale))

    @Slot()
    def choose_picture(self) -> None:
        """Ask for a file and save a picture of the window in it."""
        path, _ = self._ask(self.tr("Save Picture"), self._stem(), [self.tr("PNG (*.png)")])
        if path is not None:
            self.save_picture(path)

    def save_picture(self, path: Path) -> None:
        """Save the window as it is now."""
        self._try(lambda: view_file.save_picture(self._window, _named(path, ".png")))

    @Slot()
    def choose_animation(self) -> None:
        """Ask what is to be animated, and save it."""
        from sparseviz.gui.dialogs.animation import AnimationDialog  # noqa: PLC0415  # Pillow would delay the start

        AnimationDialog(self._layout, self._ask_for_gif, self._window).open()

    def _ask_for_gif(self) -> Path | None:
        """Where an animation goes. Raises ViewFileError where a name that was not typed is taken."""
        path, _ = self._ask(self.tr("Save Animation"), self._stem(), [self.tr("Animated GIF (*.gif)")])
        return None if path is None else _named(path, ".gif")

    @Slot()
    def choose_config(self) -> None:
        """Ask for a TOML file and put it into the steering panel."""
        question = self.tr("Open Configuration"), str(self._start()), self.tr("Configurations (*.toml)")
        path, _ = QFileDialog.getOpenFileName(self._window, *question)
        if path:
            self._folder = Path(path).parent
            self.open_config(Path(path))

    def open_config(self, path: Path) -> None:
        """Put a TOML file into the steering panel; what cannot be used is said, and the panel stays as it is."""
        told = self.tr("open {0}").format(path.name)
        self._try(lambda: self._layout.steering.set_config(RunConfig.load(path), told))

    @Slot()
    def choose_config_file(self) -> None:
        """Ask for a TOML file and save the steering panel's configuration in it."""
        forms = [self.tr("Configurations (*.toml)")]
        path, _ = self._ask(self.tr("Save Configuration"), self._stem(), forms)
        if path is not None:
            self.save_config(path)

    def save_config(self, path: Path) -> None:
        """Save the steering panel's configuration."""
        text = self._layout.steering.config.as_toml()
        self._try(lambda: view_file.write(_named(path, ".toml"), text.encode))

    def _ask(
        self, title: str, name: str, forms: list[str], first: int = 0, over: QWidget | None = None
    ) -> tuple[Path | None, str]:
        question = title, str(self._start() / name), ";;".join(forms), forms[first]
        path, form = QFileDialog.getSaveFileName(over or self._window, *question)
        if not path:
            return None, form
        self._folder = Path(path).parent
        return Path(path), form

    def _start(self) -> Path:
        run = self._run()
        return self._folder or (run.parent if run else paths.runs_folder())

    def _stem(self) -> str:
        run = self._run()
        return run.stem.replace(".", "-") if run else "sparseviz"

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except InputError as error:
            self._messages.complain(str(error))


def _named(path: Path, suffix: str) -> Path:
    """The path with a suffix, where the person typed none. Raises ViewFileError where that name is taken."""
    if path.suffix:
        return path
    named = path.with_suffix(suffix)
    if named.exists():
        raise view_file.ViewFileError(f"{named} exists already; to replace it, type its name with {suffix}")
    return named
