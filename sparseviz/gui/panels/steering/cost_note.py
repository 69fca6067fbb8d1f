"""Estimate of what the run that is about to begin will need: of the disk at once, of memory after a moment."""

from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QLabel, QWidget

from sparseviz.config import RunConfig
from sparseviz.config.parts import checkpoint_places
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.training.budget import planned_checkpoint_bytes

_Memory = tuple[int, int | None, str]  # bytes needed, bytes free, and what to reduce; 0: not known

WAIT_MS = 600  # after the last edit; the first answer takes a second


class CostNote(QLabel):
    """Two lines below the settings. A network or data of a person's own are not run for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, wordWrap=True)
        self.setAccessibleName(self.tr("What the run will need"))
        self._config = RunConfig()
        self._memory = ""
        self._inbox = Inbox(self)
        self._thread: ThreadPoolExecutor | None = None
        self._waiting = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._waiting.timeout.connect(self._ask)

    def show_cost(self, config: RunConfig) -> None:
        """Tell of the disk, and of memory when it is known."""
        self._inbox.forget()
        self._config, self._memory = config, ""
        self._tell()
        self._waiting.start()

    def _tell(self) -> None:
        self.setText("\n".join(filter(None, (self._checkpoints(), self._memory))))

    def _checkpoints(self) -> str:
        size, record = planned_checkpoint_bytes(self._config), self._config.record
        if size is None:
            return self.tr("Checkpoints: as many as fit into {0} MB").format(record.checkpoint_budget)
        places = checkpoint_places(record, size)
        told = self.tr("Checkpoints: {0} of {1} MB, {2} MB in all")
        return told.format(places, f"{size / 1e6:.1f}", f"{places * size / 1e6:,.0f}")

    @Slot()
    def _ask(self) -> None:
        if not self.isVisible():
            return
        self._thread = self._thread or ThreadPoolExecutor(max_workers=1, thread_name_prefix="memory")
        self._inbox.ask(self._thread.submit(_memory, self._config), self._take, failed=lambda _: None)  # it is a bonus

    def _take(self, memory: _Memory) -> None:
        needed, free, remedy = memory
        if needed:
            told = self.tr("Memory: about {0} GB") if free is None else self.tr("Memory: about {0} GB of {1} GB free")
            self._memory = told.format(f"{needed / 1e9:.1f}", f"{(free or 0) / 1e9:.1f}")
            if free is not None and needed > free:
                self._memory = self.tr("⚠ {0}; {1}").format(self._memory, remedy)
            self._tell()


def _memory(config: RunConfig) -> _Memory:
    from sparseviz.training import memory  # noqa: PLC0415  # what it needs of torch takes a second to load
    from sparseviz.training.device import pick_device  # noqa: PLC0415

    planned = memory.planned_memory(config)
    if planned is None:
        return 0, None, ""
    return planned.needed, memory.free_bytes(pick_device(config.device)), memory.what_to_reduce(config)
