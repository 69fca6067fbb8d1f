"""What the window shows: a run that trains, a run from its file, or a model file."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from sparseviz.analysis.receptive import Picture
from sparseviz.store import RunInfo
from sparseviz.values.cells import Cells, Part
from sparseviz.values.history import History
from sparseviz.values.snapshot import Checkpoint, Errors
from sparseviz.values.states import RunStatus


class Shown(Protocol):
    """Layers over time, or at one moment. What it is asked is answered in another thread."""

    path: Path
    form: str  # of the file: "run", ONNX, safetensors or PyTorch
    notes: tuple[str, ...]  # what a person should know of it
    history: History
    input_shape: tuple[int, ...]  # (channels, height, width); () where it is not known
    status: RunStatus | None  # None of a model file, and of a run that can be followed no more
    errors: Errors  # when it has ended
    is_live: bool  # it trains here
    has_cells: bool  # its true weights are at hand, not previews alone
    can_export: bool
    can_resume: bool

    @property
    def info(self) -> RunInfo | None:
        """None of a model file: there is no training in it."""

    def cells(self, part: Part, position: int) -> "Future[Cells]":
        """The true weights of a part of a layer, as near as can be before the snapshot at `position`."""

    def picture(self, layer: str, unit: int, position: int) -> "Future[Picture]":
        """What an output unit sees of the input then."""

    def close(self) -> None:
        """Answer no more questions: those that are asked all the same are cancelled."""


class Run(Shown, Protocol):
    """One with a training in it, under way or over."""

    @property
    def info(self) -> RunInfo:
        """What is known of it from the beginning."""

    def checkpoint_step(self, position: int) -> int:
        """The step of what `checkpoint` would give."""

    def checkpoint(self, position: int) -> Checkpoint:
        """The network as near as can be before the snapshot at `position`: not for the GUI thread."""


def notes_on(info: RunInfo) -> tuple[str, ...]:
    """What a person should know of a run."""
    return (info.weights_note,) if info.weights_note else ()


def origin(info: RunInfo, words: str) -> str:
    """Where a run was branched, put into these words; "" for one that was not."""
    return words.format(info.parent.name, info.parent.step) if info.parent else ""


def no_answer() -> "Future[Any]":
    """A question that was cancelled."""
    never: Future[Any] = Future()
    never.cancel()
    return never
