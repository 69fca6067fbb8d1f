"""What is read of run files to compare them: in a thread of its own, one after the other."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from sparseviz.config import RunConfig, settings
from sparseviz.config.setting import write_value
from sparseviz.gui.compare.views.mask_question import Answer, Question
from sparseviz.gui.compare.views.pairing import Side
from sparseviz.gui.compare.views.subject import Subject
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.qt.messages import in_words
from sparseviz.gui.sources.references import anchors
from sparseviz.store import RunReader
from sparseviz.store.files.signature import RunFileError
from sparseviz.values.overlap import Mask, compare

_OF_THE_PLACE = ("record.", "data.folder", "data.download", "device", "threads")  # they change no result that counts
_TOLD = ("network", "data.name", "method.name")  # apart from the settings


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Where the masks of a question come from."""

    question: Question
    files: tuple[Path, Path]

    def read(self) -> Answer:
        """Compare them. Raises RunFileError."""
        sides = self.question.first, self.question.second
        (one, step, exact), (other, step2, exact2) = map(self._read_one, self.files, sides)
        overlap, kinds, block = compare(one, other)
        return Answer(self.question, overlap, kinds, block, (step, step2), (exact, exact2))

    def _read_one(self, path: Path, side: Side) -> tuple[Mask, int, bool]:
        """The mask of the snapshot, or else of the nearest checkpoint before it; its step; whether it is exact."""
        step = side.run.history[side.position].step
        with RunReader(path) as run:
            mask = run.mask(self.question.layer, side.position)
            if mask is not None:
                return mask, step, True
            found, near = run.checkpoint_mask(self.question.layer, step)
            return near, found, found == step


def read_run(path: Path, number: int, name: str) -> Subject:
    """A run as the views take it. Raises RunFileError where it cannot be read, or has no snapshot yet."""
    with RunReader(path) as run:
        info, history = run.info, run.history()
        if not len(history):
            raise RunFileError(f"{path}: nothing is recorded in it yet; add it once the run has begun")
        config = info.config
        return Subject(
            number=number,
            name=name,
            network=config.network,
            data=config.data.name,
            method=config.method.name,
            status=run.status,
            history=history,
            errors=run.errors,
            settings=_settings(config, gated=any(layer.quantity.is_gate for layer in info.layers)),
            anchors=anchors(config, sum(layer.weights for layer in info.layers)),
        )


def _settings(config: RunConfig, *, gated: bool) -> dict[str, str]:
    """All that shapes a run; what concerns gates only where there are some."""
    names = [name for name in settings() if not name.startswith(_OF_THE_PLACE) and name not in _TOLD]
    names = [name for name in names if gated or "gate" not in name]
    return {name: write_value(config.value(name)) for name in names}


class Reading(QObject):
    """Reads runs and masks, and hands them on in Qt's thread."""

    read = Signal(Path, Subject)
    compared = Signal(Answer)
    refused = Signal(str)  # a question's masks cannot be read
    failed = Signal(Path, str)  # a file is no run that can be read

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._inbox, self._comparing = Inbox(self), Inbox(self)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compare")

    def run(self, path: Path, number: int, name: str) -> None:
        """Read a run."""
        self._inbox.ask(
            self._thread.submit(read_run, path, number, name),
            lambda run: self.read.emit(path, run),
            lambda error: self.failed.emit(path, in_words(error)),
        )

    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._inbox.is_waiting() or self._comparing.is_waiting()

    def masks(self, masks: Masks) -> None:
        """Compare two masks; an earlier question is dropped."""
        self._comparing.forget()
        self._comparing.ask(
            self._thread.submit(masks.read),
            self.compared.emit,
            lambda error: self.refused.emit(in_words(error)),
        )

    def close(self) -> None:
        """Read no more."""
        for inbox in (self._inbox, self._comparing):
            inbox.forget()
        self._thread.shutdown(wait=True, cancel_futures=True)
