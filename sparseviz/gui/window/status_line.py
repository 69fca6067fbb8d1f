"""Status bar: progress, speed and time left."""

import math

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar

from sparseviz.gui.sources.shown import Shown, origin
from sparseviz.store import RunInfo
from sparseviz.values.history import History
from sparseviz.values.snapshot import planned_epochs, totals

_FEW_LETTERS = 60  # pixels
_SPEED_SNAPSHOTS = 8  # the newest, over which speed is measured


class StatusLine(QStatusBar):
    """How far a run is, how fast it goes, and where its file lies."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Status"))
        self.epoch, self.facts, self.writer, self.file = QLabel(), QLabel(), _Shortened(), QLabel()
        self.bar = QProgressBar()
        self.bar.setFixedWidth(200)
        self.bar.setAccessibleName(self.tr("Progress of the run"))
        self.bar.hide()
        for widget in (self.epoch, self.bar, self.facts):
            self.addWidget(widget)
        for widget in (self.writer, self.file):
            self.addPermanentWidget(widget)

    def show_text(self, text: str) -> None:
        """Say one thing, without a run."""
        self.bar.hide()
        self.epoch.clear()
        self.facts.setText(text)
        self.file.clear()

    def show_writer(self, text: str) -> None:
        """Who writes the run that is watched; "" for nobody."""
        self.writer.setText(text)
        told = self.tr("Another process trains this run, and the window follows it: {0}").format(text)
        self.writer.setToolTip(told if text else "")

    def show_download(self, name: str, done: int, total: int) -> None:
        """How far a data set is fetched or looked through, in bytes."""
        self.bar.show()
        self.bar.setRange(0, 1000 if total else 0)
        self.bar.setValue(1000 * done // max(total, 1))
        self.facts.setText(self.tr("reading data, {0}: {1:.1f} MB").format(name, done / 1e6))

    def show_run(self, run: Shown, *, live: bool) -> None:
        """The newest snapshot's place in the run; of a model file its size."""
        if not len(run.history):
            return
        told, where = self._state(run.history), str(run.path)
        if run.info is None:
            self.bar.hide()
            self.epoch.clear()
            told = [self.tr("{0} file, not a run").format(run.form), *told, *run.notes[:1]]
        else:
            epochs = planned_epochs(run.history.events(), run.info.config.epochs)
            self._show_time(run.history, run.info, epochs)
            pretrained = [self.tr("from pretrained weights")] if run.notes else []
            told = self._speed(run.history, run.info, epochs) * live + told + pretrained
            where += origin(run.info, self.tr(", branched from {0} at step {1:,}"))
        self.facts.setText("  ·  ".join(told))
        self.facts.setToolTip("\n".join(run.notes))
        self.file.setText(run.path.name)
        self.file.setToolTip(where)

    def _show_time(self, history: History, info: RunInfo, epochs: int) -> None:
        newest = history[len(history) - 1]
        self.epoch.setText(self.tr("epoch {0:.1f} / {1}").format(newest.epoch, epochs))
        if not self.currentMessage():  # which it would hide
            self.bar.show()
        self._show_progress(newest.step, epochs * info.steps_per_epoch)

    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setUpdatesEnabled(False)  # else setValue paints all that waits to be painted, at once
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.setUpdatesEnabled(True)

    def _speed(self, history: History, info: RunInfo, epochs: int) -> list[str]:
        begin, end = history[max(0, len(history) - 1 - _SPEED_SNAPSHOTS)], history[len(history) - 1]
        seconds = end.time - begin.time
        if end.step == begin.step or seconds <= 0:
            return []
        steps_a_second = (end.step - begin.step) / seconds
        images = steps_a_second * info.images["train"] / info.steps_per_epoch
        left = (epochs * info.steps_per_epoch - end.step) / steps_a_second
        return [self.tr("{0:,.0f} images/s").format(images), self.tr("{0} left").format(_duration(left))]

    def _state(self, history: History) -> list[str]:
        size = totals(history[len(history) - 1], history.parameters)
        kept = self.tr("kept {0:,} of {1:,} ({2:.3g}×)")
        errors = history.scalar("validation_error")
        read = errors[[math.isfinite(error) for error in errors]]
        told = [self.tr("validation error {0:.2f} %").format(read[-1])] if len(read) else []
        return [kept.format(size.parameters_kept, size.parameters, size.compression), *told]


class _Shortened(QLabel):
    """A text that gives way where there is no room; its tool tip has all of it."""

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(min(self.sizeHint().width(), _FEW_LETTERS), super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """As much as there is room for."""
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter = QPainter(self)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        painter.end()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
