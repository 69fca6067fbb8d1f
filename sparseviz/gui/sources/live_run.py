"""A run that trains now, as the window sees it."""

from concurrent.futures import Future
from pathlib import Path

from sparseviz.analysis.receptive import Picture, receptive_picture
from sparseviz.gui.sources.shown import notes_on
from sparseviz.store import RunInfo
from sparseviz.training.trainer import Trainer
from sparseviz.values.cells import Cells, Part
from sparseviz.values.history import History
from sparseviz.values.snapshot import Checkpoint, Errors
from sparseviz.values.states import RunStatus


class LiveRun:
    """A run that trains now: what the window reads and the commands it gives."""

    form, is_live = "run", True
    status: RunStatus | None = RunStatus.TRAINING
    has_cells, can_export, can_resume = True, False, False  # until it has ended, and is read from its file

    def __init__(self, trainer: Trainer, info: RunInfo, path: Path) -> None:
        self.trainer, self.info, self.path = trainer, info, path
        self.history = History(info.parameters, info.config.record.previews)  # appended to by the training thread alone
        self.input_shape, self.notes, self.errors = trainer.test.shape, notes_on(info), Errors()

    def close(self) -> None:
        """Nothing: the training thread ends it."""

    def cells(self, part: Part, position: int) -> "Future[Cells]":
        """The true weights as they are now; the trainer answers between two steps."""
        del position  # only the present is at hand
        return self.trainer.cells(part)

    def picture(self, layer: str, unit: int, position: int) -> "Future[Picture]":
        """What an output unit sees of the input now."""
        del position
        trainer, network, shape, classes = (
            self.trainer,
            self.info.config.network,
            self.input_shape,
            len(self.info.classes),
        )
        return trainer.ask(lambda: receptive_picture(network, trainer.checkpoint(), layer, unit, shape, classes))

    def checkpoint_step(self, position: int) -> int:
        """The step of what `checkpoint` would give: now."""
        del position
        return self.trainer.step

    def checkpoint(self, position: int) -> Checkpoint:
        """A copy of the network as it is now. Waits for the trainer: not for the GUI thread."""
        del position
        return self.trainer.ask(self.trainer.checkpoint).result()
