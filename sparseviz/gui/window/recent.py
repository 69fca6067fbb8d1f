"""Recent-files menu: the runs that were opened last."""

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QMenu, QWidget

from sparseviz.gui.qt.window_settings import window_settings

MOST = 10
_KEY = "runs/recent"


class RecentRuns(QMenu):
    """Kept among the window's settings, so that all windows share it; whether a file is there is asked when opened."""

    chosen = Signal(Path)
    missed = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(self.tr("Open &Recent"), parent)
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)
        self.fill()

    @property
    def paths(self) -> list[Path]:
        """The newest first."""
        kept = window_settings().value(_KEY, [])
        texts = [kept] if isinstance(kept, str) else kept if isinstance(kept, list) else []  # Qt gives one as a text
        return [Path(str(text)) for text in texts if text][:MOST]

    def add(self, path: Path) -> None:
        """Put a run first."""
        path = path.absolute()
        self._keep([path, *(other for other in self.paths if other != path)])

    def _keep(self, found: list[Path]) -> None:
        settings = window_settings()
        settings.setValue(_KEY, [str(path) for path in found[:MOST]])
        settings.sync()

    @Slot()
    def fill(self) -> None:
        """Offer each run under its number, then to forget them all."""
        self.clear()
        for number, path in enumerate(self.paths, start=1):
            key, name = f"&{number}" if number < MOST else "1&0", f"{path.name} — {path.parent.name}"
            action = self.addAction(f"{key}  {name.replace('&', '&&')}")
            action.setToolTip(str(path))
            action.triggered.connect(lambda *_, path=path: self._choose(path))
        if self.isEmpty():
            self.addAction(self.tr("Runs that are opened will be here")).setEnabled(False)
            return
        self.addSeparator()
        self.addAction(self.tr("&Clear This List")).triggered.connect(lambda: self._keep([]))

    def _choose(self, path: Path) -> None:
        if path.is_file():
            self.chosen.emit(path)
            return
        self._keep([other for other in self.paths if other != path])
        self.missed.emit(self.tr("{0} is not there any more; it is taken off the list of recent runs.").format(path))
