"""One export in a thread of its own, which can be given up and never holds up the window."""

import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from sparseviz.export import ExportOptions

if TYPE_CHECKING:
    from sparseviz.export import ExportReport

STAGES = ("network", "onnx", "proof", "latency", "files")  # in turn; latency for a report only

# One after the other: torch's exporter has its state for the whole process, and two could choose the same file.
_worker = ThreadPoolExecutor(1, thread_name_prefix="export")


class ExportWork:
    """Exports a run file; its thread knows nothing of Qt, so that whoever asked may be gone before it ends."""

    def __init__(self, run: Path, out: Path, options: ExportOptions) -> None:
        self.out, self.options = out, options
        self.stage = ""  # "" while an export before this ends
        self._began = time.monotonic()
        self._is_given_up = Event()
        self.answer: Future[ExportReport] = _worker.submit(self._export, run)

    @property
    def stages(self) -> tuple[str, ...]:
        """Those through which it goes."""
        return tuple(stage for stage in STAGES if stage != "latency" or self.options.report)

    @property
    def seconds(self) -> int:
        """How long it has been at its stage."""
        return int(time.monotonic() - self._began)

    @property
    def is_given_up(self) -> bool:
        """Whether it ends before its next stage, or has."""
        return self._is_given_up.is_set()

    def give_up(self) -> None:
        """End before the next stage, and leave no file; once the last has begun, the files are there."""
        self._is_given_up.set()
        self.answer.cancel()

    # In its thread.

    def _export(self, run: Path) -> "ExportReport":
        from sparseviz.export import export_run  # noqa: PLC0415  # ONNX takes a second: only when needed

        return export_run(run, self.out, self.options, now_at=self._now_at)

    def _now_at(self, stage: str) -> None:
        if self.is_given_up:
            raise CancelledError
        self.stage, self._began = stage, time.monotonic()


def wait_for_exports() -> None:
    """Wait until none is under way."""
    _worker.submit(int).result()
