"""Inference for the examples view, in threads of its own, and only while the view can be seen."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, Slot
from PySide6.QtWidgets import QFileDialog

from sparseviz.analysis.answers import Examples, Network, validation_examples
from sparseviz.config import InputError, paths
from sparseviz.config.own_code import Untrusted
from sparseviz.gui.dialogs import trust
from sparseviz.gui.qt.inbox import Inbox
from sparseviz.gui.qt.messages import in_words
from sparseviz.gui.sources.dense_training import DenseTraining
from sparseviz.gui.sources.shown import Run
from sparseviz.gui.views.examples.view import ExamplesView
from sparseviz.store import RunReader, summary
from sparseviz.values.examples import Answers, Float32Array, NetworkFacts

LIVE_MS = 1500  # the least between two questions to a run that trains
SHARE = 20  # answers take at most one part in so many of its time


@dataclass(frozen=True, slots=True)
class Seen:
    """A network, and its answers to the validation images, or why there are none."""

    network: Network
    facts: NetworkFacts
    answers: Answers | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What two networks answer to one image."""

    pixels: Float32Array  # (C, H, W)
    networks: tuple[Network, Network | None]  # the run's and the dense one
    answers: tuple[Float32Array, Float32Array | None]  # (classes,) each


class ExamplesDesk(QObject):
    """Between the window's run, a dense run and the view. The window tells it which run, and when to look."""

    def __init__(self, view: ExamplesView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.run: Run | None = None
        self.sparse: Seen | None = None
        self.dense: Seen | None = None
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="examples")  # images, and one question
        self._inbox = Inbox(self)
        self.training = DenseTraining(self._executor, self._inbox, self)
        self._position = 0
        self._asked: tuple[Run, int] | None = None  # run and step that were answered, or are being answered
        self._is_answering = self._is_comparing = False
        self._clock, self._rest_ms = QElapsedTimer(), 0.0
        self._subject: Float32Array | None = None  # what the view wants compared
        self._examples: tuple[str, Examples] | None = None  # by checksum; of the answering job alone
        self._connect()

    def _connect(self) -> None:
        self.view.asked.connect(self._compare)
        comparison = self.view.comparison
        comparison.choose_dense.connect(self.choose_dense)
        comparison.train_dense.connect(self.train_dense)
        comparison.cancel_dense.connect(self.cancel_dense)
        self.training.progressed.connect(comparison.show_progress)
        self.training.finished.connect(self._take_trained)
        self.training.failed.connect(self._show_training_ended)

    def show_run(self, run: Run | None) -> None:
        """Answer for this run from now on."""
        self.run, self.sparse, self._asked, self._rest_ms = run, None, None, 0.0
        self.view.clear()
        if run is not None and self.dense is not None and (problem := _differs(run, self.dense.facts)):
            self.dense = None
            self.view.comparison.dense.show_network(None)
            self.view.comparison.show_message(self.tr("The dense run was put away: {0}").format(problem))

    def close(self) -> None:
        """End what is under way, and begin nothing more."""
        self.run = self.sparse = self._asked = None
        self._inbox.forget()
        self.training.close()
        self._executor.shutdown(cancel_futures=True)

    # The validation images.

    def look(self, position: int) -> None:
        """Have the images answered as of the snapshot at `position`, where that is due and can be seen."""
        self._position = position
        run, view = self.run, self.view
        if run is None or self._is_answering or not view.isVisible() or view.visibleRegion().isEmpty():
            return
        wanted = (run, run.checkpoint_step(position))
        is_resting = self._clock.isValid() and self._clock.elapsed() < self._rest_ms
        if wanted == self._asked or (run.is_live and is_resting):
            return
        self._asked, self._is_answering = wanted, True
        self._clock.restart()
        show, answer = self._show_answers, self._executor.submit(self._see, run, position)
        self._inbox.ask(answer, show, show, cancelled=partial(show, None))

    def _see(self, run: Run, position: int) -> Seen:
        """In a thread of the desk."""
        source = "live" if run.is_live else "checkpoint"
        network = Network(run.info, run.checkpoint(position), source)
        facts = _facts(network, "", math.nan, run.input_shape)
        try:
            if self._examples is None or self._examples[0] != run.info.data_checksum:
                self._examples = (run.info.data_checksum, validation_examples(run.info))
        except Untrusted:
            raise
        except InputError as error:
            return Seen(network, facts, problem=str(error))
        return Seen(network, facts, network.answers(self._examples[1]))

    def _show_answers(self, found: Seen | Exception | None) -> None:
        """Show them or why there are none; None: the run has ended, and comes again as a stored one."""
        self._is_answering = False
        self._rest_ms = max(LIVE_MS, (SHARE - 1) * self._clock.elapsed())
        if self._asked is None:
            pass  # the window shows another run by now
        elif isinstance(found, Seen):
            self._show_seen(found)
        elif found is not None:
            self._show_failure(found)
        if self.run is not None and not self.run.is_live:
            self.look(self._position)  # the slider may have gone on

    def _show_failure(self, error: Exception) -> None:
        self.sparse = None
        self.view.show_network(None)
        self.view.show_problem(in_words(error))
        if isinstance(error, Untrusted):
            trust.ask(self.view, error, self._see_again)

    def _show_seen(self, seen: Seen) -> None:
        self.sparse = seen
        self.view.show_network(seen.facts)
        if seen.answers is None:
            self.view.show_problem(self.tr("{0}\n\nA drawing is read all the same.").format(seen.problem))
        else:
            self.view.show_answers(seen.answers)

    def _see_again(self) -> None:
        self._asked = None
        self.look(self._position)

    # One image.

    @Slot(object)
    def _compare(self, pixels: Float32Array | None) -> None:
        self._subject = pixels
        if pixels is None or self._is_comparing or self.sparse is None:
            return
        self._is_comparing = True
        answer = self._executor.submit(_compared, pixels, self._networks(self.sparse))
        self._inbox.ask(answer, self._show_comparison, self._refuse_comparison)

    def _networks(self, sparse: Seen) -> tuple[Network, Network | None]:
        return sparse.network, self.dense.network if self.dense else None

    def _refuse_comparison(self, error: Exception) -> None:
        self._is_comparing = False
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        self.view.comparison.show_message(in_words(error))

    def _show_comparison(self, found: Compared) -> None:
        self._is_comparing = False
        if self.sparse is None or self._subject is None:
            return
        is_newest, is_theirs = found.pixels is self._subject, found.networks == self._networks(self.sparse)
        if is_theirs and (is_newest or self.view.is_drawing()):
            self.view.show_comparison(*found.answers)
        if not (is_newest and is_theirs):
            self._compare(self._subject)  # the pen has gone on, or the training

    # The dense run.

    @Slot()
    def choose_dense(self) -> None:
        """Ask for a run file and put its network beside this run's."""
        folder = self.run.path.parent if self.run else paths.runs_folder()
        title, kinds = self.tr("Choose Dense Run"), self.tr("Runs (*.h5)")
        path, _ = QFileDialog.getOpenFileName(self.view, title, str(folder), kinds)
        if path:
            self.take_dense(Path(path))

    @Slot(Path)
    def take_dense(self, path: Path) -> None:
        """Put the newest network of a run file beside this run's; what does not fit is said."""
        if self.run is not None:
            self.view.comparison.show_message(self.tr("Reading {0}…").format(path.name))
            answer = self._executor.submit(_read_dense, path, self.run)
            self._inbox.ask(answer, self._show_dense, self._complain, untrusted=partial(self._ask_to_trust, path))

    @Slot()
    def train_dense(self) -> None:
        """Train this run's configuration without sparsity, in a process of its own."""
        if self.run is not None:
            self.view.comparison.show_message(self.tr("A dense run of the same configuration trains…"))
            self.training.start(self.run.info.config)

    @Slot()
    def cancel_dense(self) -> None:
        """End the training of the dense run; its file stays."""
        self.view.comparison.show_message(self.tr("The dense run is being stopped…"))
        self.training.cancel()

    def _ask_to_trust(self, path: Path, error: Untrusted) -> None:
        self._complain(error)
        trust.ask(self.view, error, partial(self.take_dense, path), insists=True)

    def _show_dense(self, dense: Seen) -> None:
        self.dense = dense
        self.view.comparison.dense.show_network(self.dense.facts)
        self.view.comparison.show_message(self._told(self.dense.facts))
        self._compare(self._subject)

    def _told(self, facts: NetworkFacts) -> str:
        error = self.tr("not measured") if math.isnan(facts.error) else f"{facts.error:.2f} %"
        return self.tr("Dense: {0}, {1:.3g} % of the weights kept, validation error {2}").format(
            facts.name, 100 * facts.kept, error
        )

    @Slot(Path)
    def _take_trained(self, path: Path) -> None:
        self.view.comparison.show_progress(None)
        self.view.comparison.show_message(self.tr("The dense run is trained: {0}").format(path.name))
        self.take_dense(path)

    @Slot(str)
    def _show_training_ended(self, text: str) -> None:
        self.view.comparison.show_progress(None)
        self.view.comparison.show_message(text)


def _compared(pixels: Float32Array, networks: tuple[Network, Network | None]) -> Compared:
    sparse, dense = networks
    return Compared(pixels, networks, (sparse.read(pixels), dense.read(pixels) if dense else None))


def _read_dense(path: Path, run: Run) -> Seen:
    """Raises InputError where the file is no run, or one of other images or classes."""
    with RunReader(path) as reader:
        network, shape = Network(reader.info, reader.checkpoint()), reader.input_shape
        error = summary(reader).get("error_percent", {}).get("validation")
    facts = _facts(network, path.name, math.nan if error is None else error, shape)
    if problem := _differs(run, facts):
        raise InputError(problem)
    return Seen(network, facts)


def _facts(network: Network, name: str, error: float, shape: tuple[int, ...]) -> NetworkFacts:
    return NetworkFacts(name, network.step, network.source, network.kept, error, network.classes, shape)


def _differs(run: Run, dense: NetworkFacts) -> str:
    """Why the two cannot be compared, or ""."""
    if dense.shape != run.input_shape:
        theirs, ours = ("×".join(map(str, shape)) for shape in (dense.shape, run.input_shape))
        return f"{dense.name} reads images of {theirs}, this run {ours}; choose a run with the same images"
    if dense.classes != run.info.classes:
        theirs, ours = (", ".join(classes) for classes in (dense.classes, run.info.classes))
        return f"{dense.name} knows the classes {theirs}, this run {ours}; choose a run with the same classes"
    return ""
