"""Latency of one thread of onnxruntime, beside the dense file: both in one run, turn by turn."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sparseviz.export.proof.verify import open_session

BATCHES = (1, 64)
SECONDS = 2.0  # for each batch size
LEAST_TURNS, MOST_TURNS = 20, 2000


@dataclass(frozen=True, slots=True)
class Latency:
    """Medians in milliseconds, one thread."""

    batch: int
    dense_ms: float  # of the file without compaction, which stores every weight
    ms: float
    turns: int

    @property
    def speed_up(self) -> float:
        """How many times faster than the dense file."""
        return self.dense_ms / self.ms


def latencies(dense: Path, path: Path, dense_images: npt.NDArray[Any], images: npt.NDArray[Any]) -> tuple[Latency, ...]:
    """Both files on the same images (N, C, H, W), each in the form that its file reads."""
    sessions = [open_session(file, threads=1) for file in (dense, path)]
    found = []
    for batch in BATCHES:
        fed = [{"images": np.resize(given, (batch, *given.shape[1:]))} for given in (dense_images, images)]
        times = _turns(sessions, fed)
        before, after = (1000 * float(np.median(each)) for each in zip(*times, strict=True))
        found.append(Latency(batch, before, after, len(times)))
    return tuple(found)


def _turns(sessions: list[Any], fed: list[dict[str, npt.NDArray[Any]]]) -> list[tuple[float, ...]]:
    for session, images in zip(sessions, fed, strict=True):
        session.run(None, images)
    times: list[tuple[float, ...]] = []
    end = time.perf_counter() + SECONDS
    while len(times) < LEAST_TURNS or (time.perf_counter() < end and len(times) < MOST_TURNS):
        times.append(tuple(_timed(session, images) for session, images in zip(sessions, fed, strict=True)))
    return times


def _timed(session: Any, images: dict[str, npt.NDArray[Any]]) -> float:
    start = time.perf_counter()
    session.run(None, images)
    return time.perf_counter() - start
