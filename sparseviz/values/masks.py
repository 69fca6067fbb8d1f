"""Bit-packed masks of all layers, one row a snapshot: small enough to keep them all."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sparseviz.values.snapshot import ByteArray, IntArray, LayerInfo

MOST_WEIGHTS = 1_000_000  # of a network whose masks are kept at every snapshot


def pack(masks: Iterable[npt.NDArray[np.bool_]]) -> ByteArray:
    """The layers' masks, in any shape, as bits in row-major order, each from a byte of its own on."""
    return np.concatenate([np.packbits(mask.reshape(-1)) for mask in masks])


def unpack(row: ByteArray, layer: LayerInfo) -> npt.NDArray[np.bool_]:
    """A layer's mask, (rows, columns), from its own bytes."""
    return np.unpackbits(row, count=layer.weights).astype(np.bool_).reshape(layer.rows, layer.columns)


def places(layers: Sequence[LayerInfo]) -> dict[str, slice]:
    """Which bytes of a row are each layer's."""
    ends: IntArray = np.cumsum([0, *(-(-layer.weights // 8) for layer in layers)])
    return {layer.name: slice(int(one), int(other)) for layer, (one, other) in zip(layers, pairwise(ends), strict=True)}


def are_kept(layers: Sequence[LayerInfo]) -> bool:
    """Whether the network is small enough."""
    return sum(layer.weights for layer in layers) < MOST_WEIGHTS


def row_bytes(layers: Sequence[LayerInfo]) -> int:
    """The length of a row."""
    return sum(-(-layer.weights // 8) for layer in layers)
