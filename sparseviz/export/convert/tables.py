"""CSV: scalars, layers and histograms, a tidy table each. Headings name the unit where there is one."""

import csv
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparseviz.export.convert.moment import Moment
from sparseviz.values.snapshot import SCALARS, LayerSnapshot, Snapshot

Row = Iterable[Any]

_UNITS = {"train_error": "%", "validation_error": "%", "loss": "nats", "validation_loss": "nats"}
_UNITS |= {"undecided_kept": "share", "undecided_cut": "share"}
_MOMENT = ("step", "epoch", "time (s)", "phase")
_LAYER = (
    "kept",
    "undecided_kept",
    "undecided_cut",
    "gate_mean",
    "gate_variance",
    "flips",
    "dead_units",
    "biases_kept",
    "threshold",
)
_BIN = ("layer", "quantity", "bin_low", "bin_high", "weights")


def write_tables(moment: Moment, path: Path) -> None:
    """Make a folder with `scalars.csv`, `layers.csv` and `histograms.csv`; empty where nothing was measured."""
    snapshots = moment.snapshots()
    path.mkdir()
    _write(path / "scalars.csv", [*_MOMENT, *map(_heading, SCALARS)], map(_scalars, snapshots))
    _write(path / "layers.csv", ["step", "epoch", "layer", "weights", *map(_heading, _LAYER)], _layers(snapshots))
    _write(path / "histograms.csv", ["step", "epoch", *_BIN], _bins(snapshots))


def _heading(name: str) -> str:
    return f"{name} ({_UNITS[name]})" if name in _UNITS else name


def _scalars(at: Snapshot) -> Row:
    return (at.step, at.epoch, at.time, at.phase, *(at.scalars[name] for name in SCALARS))


def _layers(snapshots: Iterable[Snapshot]) -> Iterator[Row]:
    for at in snapshots:
        for layer in at.layers:
            yield at.step, at.epoch, layer.info.name, layer.info.weights, *(getattr(layer, name) for name in _LAYER)


def _bins(snapshots: Iterable[Snapshot]) -> Iterator[Row]:
    for at in snapshots:
        for layer in at.layers:
            for bin_ in _bins_of(layer):
                yield at.step, at.epoch, layer.info.name, layer.info.quantity.name, *bin_


def _bins_of(layer: LayerSnapshot) -> Iterator[Row]:
    edges = layer.info.quantity.bin_edges.tolist()
    return zip(edges[:-1], edges[1:], layer.histogram.tolist(), strict=True)


def _write(path: Path, headings: Row, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(headings)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value
