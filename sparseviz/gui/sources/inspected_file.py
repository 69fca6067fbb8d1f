"""A model file that was opened to be looked at: one moment, without a training."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

from sparseviz.analysis.model_file import Cancelled, Model, open_model
from sparseviz.analysis.receptive import Picture
from sparseviz.gui.sources.shown import no_answer
from sparseviz.networks.stored_tensors import ModelFileError
from sparseviz.values.cells import Cells, Part
from sparseviz.values.snapshot import Errors
from sparseviz.values.states import RunStatus


class InspectedFile:
    """Its layers and true cells; questions are answered in the thread that has read it, one after the other."""

    info = None  # there is no training in it
    is_live, has_cells, can_export, can_resume = False, True, False, False
    status: RunStatus | None = None

    def __init__(self, path: Path, model: Model, thread: ThreadPoolExecutor) -> None:
        self.path, self.form, self.notes = path, model.file.form, model.notes
        self.history = model.history  # of one snapshot
        self.input_shape: tuple[int, ...] = ()
        self.errors = Errors()
        self._model, self._thread, self._is_closed = model, thread, False

    def cells(self, part: Part, position: int) -> "Future[Cells]":
        """The true weights of a part of a layer."""
        del position  # there is one moment
        return no_answer() if self._is_closed else self._thread.submit(self._model.cells, part)

    def picture(self, layer: str, unit: int, position: int) -> "Future[Picture]":
        """What a unit sees cannot be told: fails with ModelFileError."""
        del unit, position
        failed: Future[Picture] = Future()
        failed.set_exception(ModelFileError(f"{self.path} does not say what layer {layer} reads; open a run for that"))
        return failed

    def close(self) -> None:
        """Answer no more questions: those that are asked all the same are cancelled."""
        self._is_closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)


class Inspection:
    """A model file that is being read in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_cancelled = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-file")
        self.file = self._thread.submit(self._open)  # raises ModelFileError or Cancelled

    def _open(self) -> InspectedFile:
        return InspectedFile(self.path, open_model(self.path, self._look), self._thread)

    def _look(self) -> None:
        if self._is_cancelled.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Give up as soon as the part under way is read."""
        self._is_cancelled.set()
        self._thread.shutdown(wait=False)
