"""The rows that a run file appends, one a snapshot, read together and made into snapshots."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from sparseviz.store.files import pieces
from sparseviz.store.format import LAYER_NUMBERS
from sparseviz.values.snapshot import SCALARS, Event, LayerInfo, LayerSnapshot, Snapshot
from sparseviz.values.states import PHASES

Events = Mapping[int, tuple[Event, ...]]  # by snapshot
Previews = Mapping[int, Mapping[int, Any]]  # by snapshot and layer
_SCALARS = ["step", "epoch", "time", "phase", *SCALARS]
_NUMBERS = [name for name, _ in LAYER_NUMBERS]  # as LayerSnapshot has them, one after the other


class Rows:
    """The rows from `start` to `stop`, of which snapshots are made when the file is not needed any more."""

    def __init__(
        self, dataset: Callable[[str], h5py.Dataset], layers: tuple[LayerInfo, ...], start: int, stop: int
    ) -> None:
        def read(name: str) -> npt.NDArray[Any]:
            return pieces.read(dataset(f"snapshots/{name}"), start, stop)

        self._layers, self._start = layers, start
        self._scalars = read("scalars")[_SCALARS].tolist()
        self._numbers = read("layers")[_NUMBERS].tolist()
        self._histograms = pieces.frozen(read("histogram"), np.int64)
        self._row_kept = _by_layer(read("row_kept"), [layer.rows for layer in layers])
        self._column_kept = _by_layer(read("column_kept"), [layer.columns for layer in layers])

    def snapshots(self, previews: Previews, events: Events) -> Iterator[Snapshot]:
        """A snapshot of every row."""
        every = zip(self._scalars, self._numbers, self._histograms, self._row_kept, self._column_kept, strict=True)
        for position, (scalars, *of_layers) in enumerate(every, start=self._start):
            step, epoch, time, phase, *values = scalars
            seen, named = previews.get(position, {}), dict(zip(SCALARS, values, strict=True))
            fields: Iterator[tuple[Any, ...]] = (  # in the order that LayerSnapshot has them in
                (info, *numbers, *arrays, seen.get(index))
                for index, (info, numbers, *arrays) in enumerate(zip(self._layers, *of_layers, strict=True))
            )
            layers = tuple(LayerSnapshot(*each) for each in fields)
            yield Snapshot(step, epoch, time, PHASES[phase], named, layers, events.get(position, ()))


def _by_layer(table: npt.NDArray[Any], sizes: list[int]) -> list[tuple[Any, ...]]:
    """Of every row the part of every layer; nobody can write to them."""
    parts = np.split(pieces.frozen(table, np.int32), np.cumsum(sizes)[:-1], axis=1)
    return list(zip(*parts, strict=True))
