"""Histories for the views' tests: a simulated gate process, whose numbers agree with each other as an engine's do."""

import math
from functools import cache

import numpy as np

from sparseviz.values.cells import NEVER, Part, Planes, answer
from sparseviz.values.history import History
from sparseviz.values.snapshot import (
    HISTOGRAM_BINS,
    PREVIEW_SIDE,
    UNDECIDED,
    Event,
    LayerInfo,
    LayerSnapshot,
    Quantity,
    Snapshot,
)
from sparseviz.values.states import Phase

GATE = Quantity("gate", 0.0, 1.0, is_gate=True)
MAGNITUDE = Quantity("|w| / std", 0.0, 4.0, is_gate=False)
LENET5 = (("conv1", (20, 1, 5, 5), 20), ("conv2", (50, 20, 5, 5), 50), ("fc1", (500, 800), 500), ("fc2", (10, 500), 10))
PARAMETERS = 431_080  # of LeNet-5
STEPS_PER_EPOCH = 430


class Layer:
    """Weights and gates that drift to 0 or 1, the unimportant ones first."""

    def __init__(self, info, seed):
        self.info = info
        self._random = np.random.default_rng(seed)
        rows, columns = info.rows, info.columns
        self.weight = self._random.normal(0, 0.2, (rows, columns)).astype(np.float32)
        self.gate = np.full((rows, columns), 0.75, dtype=np.float32)
        worth = self._random.gamma(0.6, 1, (rows, 1)) * self._random.gamma(0.6, 1, (1, columns)) * np.abs(self.weight)
        self._pull = np.argsort(np.argsort(worth, axis=None)).reshape(worth.shape).astype(np.float32)
        self._pull /= worth.size  # rank in [0, 1]
        self._mask = self.kept

    @property
    def kept(self):
        return self.gate >= 0.5

    def go(self, share, stride):
        """Move the gates; `share` of the run is over, `stride` of it at once."""
        goal = 0.95 * min(3 * share, 1)
        spread = np.float32(0.2 * (1 - share) * stride**0.5)
        noise = self._random.standard_normal(self.gate.shape, dtype=np.float32) * spread
        decide = (self.gate - np.float32(0.5)) * np.float32(40 * stride * max(share - 0.55, 0))
        moved = self.gate + (self._pull - np.float32(goal)) * np.float32(6 * stride) + decide + noise
        self.gate = np.clip(moved, 0, 1, dtype=np.float32)

    def snapshot(self, *, preview=True):
        kept, open_still = self.kept, (self.gate > UNDECIDED[0]) & (self.gate < UNDECIDED[1])
        flips, self._mask = int((kept != self._mask).sum()), kept
        planes, scale = take_preview(self.weight, kept)
        dead = int((kept.sum(axis=1) == 0).sum())
        return LayerSnapshot(
            info=self.info,
            kept=int(kept.sum()),
            undecided_kept=float((open_still & kept).sum() / max(kept.sum(), 1)),
            undecided_cut=float((open_still & ~kept).sum() / max((~kept).sum(), 1)),
            gate_mean=float(self.gate.mean()),
            gate_variance=float((self.gate * (1 - self.gate)).mean()),
            flips=flips,
            dead_units=dead,
            biases_kept=self.info.biases - dead,
            threshold=0.5,
            histogram=np.histogram(self.gate, HISTOGRAM_BINS, (0, 1))[0].astype(np.int64),
            row_kept=kept.sum(axis=1).astype(np.int64),
            column_kept=kept.sum(axis=0).astype(np.int64),
            preview=planes if preview else None,
            preview_scale=scale,
        )


def take_preview(weight, kept):
    """(2, height, width) of whole blocks, cell by cell as the format's description says."""
    height, width = (math.ceil(cells / PREVIEW_SIDE) for cells in weight.shape)
    rows, columns = (range(0, cells, block) for cells, block in zip(weight.shape, (height, width), strict=True))
    masked = np.where(kept, weight, 0)
    high = np.maximum.reduceat(np.maximum.reduceat(masked, rows, axis=0), columns, axis=1)
    low = np.minimum.reduceat(np.minimum.reduceat(masked, rows, axis=0), columns, axis=1)
    extreme = np.where(high >= -low, high, low)
    scale = float(np.abs(extreme).max())
    level = np.round(127 * extreme / (scale or 1))
    level = np.where(extreme < 0, np.minimum(level, -1), np.maximum(level, 1))
    counts = np.add.reduceat(np.add.reduceat(kept.astype(int), rows, axis=0), columns, axis=1)
    sizes = np.add.reduceat(np.add.reduceat(np.ones_like(kept, int), rows, axis=0), columns, axis=1)
    share = np.where(counts > 0, np.maximum(np.round(255 * counts / sizes), 1), 0)
    return np.stack([128 + np.where(counts > 0, level, 0), share]).astype(np.uint8), scale


def info(name, shape, biases, quantity=GATE):
    matrix = shape[0], math.prod(shape[1:])
    pixels = tuple(math.ceil(cells / math.ceil(cells / PREVIEW_SIDE)) for cells in matrix)
    return LayerInfo(name, shape, biases, math.prod(shape), quantity, pixels)


def _scalars(layers, share, *, validated):
    error = 90 * math.exp(-12 * share) + 0.8 + 0.05 * math.sin(40 * share)
    weights = sum(layer.kept for layer in layers)
    return {
        "loss": 2.3 * math.exp(-9 * share) + 0.004,
        "train_error": max(85 * math.exp(-14 * share) - 0.001, 0.0),
        "validation_loss": 0.03 if validated else math.nan,
        "validation_error": error if validated else math.nan,
        "penalty_bimodal": 0.001,
        "penalty_count": 0.01,
        "lambda1": 0.001,
        "lambda2": 0.05 if share < 0.4 else 0.1,
        "rate": 1e-3,
        "gate_rate": 1e-3,
        "weights_kept": float(weights),
        "parameters_kept": float(weights + sum(layer.biases_kept for layer in layers)),
    }


@cache
def lenet5(snapshots=40, epochs=20.0, *, seed=0):
    """A run on LeNet-5 with a change of lambda2 at 40 % and the phases ramp, train, decide."""
    layers = [Layer(info(*each), seed + number) for number, each in enumerate(LENET5)]
    history = History(PARAMETERS)
    for number in range(snapshots):
        share = number / max(snapshots - 1, 1)
        step = round(share * epochs * STEPS_PER_EPOCH)
        if number:
            for layer in layers:
                layer.go(share, 1 / (snapshots - 1))
        taken = tuple(layer.snapshot() for layer in layers)
        events = (Event(step, "penalty.lambda2", 0.05, 0.1),) if number == round(0.4 * snapshots) else ()
        phase = Phase.RAMP if share < 0.1 else Phase.TRAIN if share < 0.8 else Phase.DECIDE
        scalars = _scalars(taken, share, validated=number % 2 == 0)
        history.append(Snapshot(step, step / STEPS_PER_EPOCH, share * 100, phase, scalars, taken, events))
    return history


@cache
def magnitude(snapshots=5):
    """A run of a method without gates and, until something is cut, without a threshold."""
    random = np.random.default_rng(1)
    history = History(12 * 30 + 12)
    layer = Layer(info("only", (12, 30), 12, MAGNITUDE), 3)
    for number in range(snapshots):
        size = np.asarray(np.abs(layer.weight) / layer.weight.std())
        cut = number >= 3
        layer.gate = np.where(size >= 1, 1, 0).astype(np.float32) if cut else np.ones_like(layer.weight)
        base = layer.snapshot()
        taken = LayerSnapshot(
            info=base.info,
            kept=base.kept,
            undecided_kept=math.nan,
            undecided_cut=math.nan,
            gate_mean=math.nan,
            gate_variance=math.nan,
            flips=base.flips,
            dead_units=0,
            biases_kept=12,
            threshold=1.0 if cut else math.nan,
            histogram=np.histogram(np.clip(size, 0, 4), HISTOGRAM_BINS, (0, 4))[0].astype(np.int64),
            row_kept=base.row_kept,
            column_kept=base.column_kept,
            preview=base.preview,
            preview_scale=base.preview_scale,
        )
        scalars = _scalars((taken,), number / snapshots, validated=True)
        history.append(Snapshot(number * 10, float(number), float(random.random()), Phase.TRAIN, scalars, (taken,)))
    return history


def cells(history, layer, position, part, *, source="live", arrangement=None):
    """True cells for a part (row0, row1, column0, column1) that agree with the snapshot's counts of each row."""
    row0, row1, column0, column1 = part
    now = history[position].layers[layer]
    orders = (arrangement.row_order, arrangement.column_order) if arrangement else ()
    asked = Part(now.info.name, slice(row0, row1), slice(column0, column1), 1, *orders)
    return answer(asked, history[position].step, source, planes(now)(asked.true_rows(), asked.true_columns()))


def planes(layer):
    """A source of all the layer's cells: in each row the first are kept, the others were cut in columns' order."""
    columns = layer.info.columns
    kept = np.arange(columns) < layer.row_kept[:, None]
    weight = np.asarray(np.random.default_rng(5).normal(0, 0.2, kept.shape), dtype=np.float32)
    quantity = np.where(kept, np.float32(0.998), np.float32(0.002))
    cut_at = np.where(kept, NEVER, np.arange(columns) % 7).astype(np.int32)
    every = Planes(weight, kept.astype(np.float32), quantity, np.broadcast_to(cut_at, kept.shape))
    return lambda rows, columns: every.at(rows).at(slice(None), columns)


@cache
def deep(layers=100, snapshots=40):
    """A run on a network of many small layers, of which every tenth is a convolution."""
    infos = [
        info(f"block{number // 10}.conv{number}", (8, 4, 5, 5), 8)
        if number % 10 == 0
        else info(f"block{number // 10}.fc{number}", (20, 40), 20)
        for number in range(layers)
    ]
    parts = [Layer(each, number) for number, each in enumerate(infos)]
    history = History(sum(each.weights + each.biases for each in infos))
    for number in range(snapshots):
        share = number / (snapshots - 1)
        if number:
            for place, part in enumerate(parts):
                part.go(min(share * (0.5 + place / layers), 1), 1 / (snapshots - 1))
        taken = tuple(part.snapshot(preview=False) for part in parts)
        scalars = _scalars(taken, share, validated=True)
        history.append(Snapshot(number * 10, number / 2, float(number), Phase.TRAIN, scalars, taken))
    return history
