"""Presenter: what the window says and draws of a run, or of a model file, which has no training to tell of."""

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from sparseviz.gui.qt.redraws import Job
from sparseviz.gui.sources.references import references
from sparseviz.gui.sources.shown import Shown, origin
from sparseviz.gui.window.layout import Layout


class Presentation(QObject):
    """Hands what is shown to title, time bar, status line and views."""

    def __init__(self, layout: Layout, window: QMainWindow) -> None:
        super().__init__(window)
        self._layout, self._window = layout, window

    def begin(self, run: Shown | None, *, live: bool) -> None:
        """Show another one from now on; None: nothing."""
        is_model = run is not None and run.info is None
        self._layout.weights.choices.set_trained(not is_model)
        curves = self.tr("A model file has no training in it, so there are no curves. Open a run to see how one went.")
        examples = self.tr("A model file does not tell its images. Open a run to see how its network answers them.")
        self._layout.curves.set_why_empty(curves if is_model else "")
        self._layout.examples.set_why_empty(examples if is_model else "")
        if run is None:
            return
        self._layout.weights.set_input_shape(run.input_shape)
        parent = ""
        if run.info is not None:
            parent = origin(run.info, self.tr(", branched from {0} at step {1:,}"))
            self._layout.curves.set_references(references(run.info.config))
        self._window.setWindowTitle(f"{run.path.name}{parent} — sparseviz")
        self.show_time(run, live=live)

    def show_time(self, run: Shown, *, live: bool) -> None:
        """Say in the time bar how long it is by now."""
        if run.info is None:
            self._layout.time.show_no_time(
                self.tr("a model file has one moment, and no time"), self.tr("model file: no time")
            )
        else:
            self._layout.time.show_length(run.history, live=live)

    def parts(self, run: Shown, position: int, *, live: bool) -> list[Job]:
        """What draws the snapshot at a position, a view each, and last what says where the run stands."""
        views = [partial(view.draw, run.history, position) for view in self._layout.seen_views()]
        return [*views, partial(self._tell, run, live=live)]

    def _tell(self, run: Shown, *, live: bool) -> None:
        self._layout.status.show_run(run, live=live)
        self._layout.show_ending(run.errors)
