"""How a layer's weights lie in its picture: as the matrix, sorted or not, or as kernels or images side by side."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sparseviz.values.cells import Order, Part
from sparseviz.values.snapshot import CountArray, IntArray, LayerInfo, LayerSnapshot

KINDS = ("matrix", "kernels", "images")
MOST_TILED = 4_000_000  # weights of a layer that is drawn as kernels or images: all of it is read for that
_ROOM = 0.25  # of what is in sight, on each side: moving a little asks for nothing
_WRAPPED = 3  # filters that read no more inputs than this stand in rows and columns, like images


@dataclass(frozen=True)
class Bars:
    """What is kept in each row or column of the picture, from `start` on and so wide."""

    start: npt.NDArray[Any]
    width: float
    kept: CountArray | IntArray


@dataclass(frozen=True)
class Arrangement:
    """Places in the picture and the weights that are there."""

    kind: str  # one of KINDS
    shape: tuple[int, int]  # of the picture, in cells
    matrix: tuple[int, int]
    tile: tuple[int, int] | None = None  # rows and columns of a kernel or an image
    index: npt.NDArray[np.int32] | None = None  # of `shape`: number of the weight at each place, -1 for none
    row_order: Order | None = None  # of a sorted matrix: the row at each place
    column_order: Order | None = None

    def at(self, row: int, column: int) -> tuple[int, int] | None:
        """Row and column of the matrix of the weight at a place."""
        if self.index is not None:
            number = int(self.index[row, column])
            return divmod(number, self.matrix[1]) if number >= 0 else None
        return (
            row if self.row_order is None else int(self.row_order[row]),
            column if self.column_order is None else int(self.column_order[column]),
        )

    def spread(self, plane: npt.NDArray[Any], nothing: Any) -> npt.NDArray[Any]:
        """A plane of all the layer's weights, (rows, columns), as the picture has it."""
        if self.index is None:
            return plane
        return np.where(self.index >= 0, plane.reshape(-1)[self.index], plane.dtype.type(nothing))

    def of_unit(self, unit: int) -> tuple[int, int, int, int]:
        """Where an output unit stands: row, column, height, width."""
        if self.tile is None:
            order = self.row_order
            return (unit if order is None else int(np.flatnonzero(order == unit)[0])), 0, 1, self.shape[1]
        height, width = self.tile
        if not self._is_wrapped():
            return unit * height, 0, height, self.shape[1]
        down, across = divmod(unit, self.shape[1] // width)
        return down * height, across * width, height, width

    def shows(self, part: Part) -> bool:
        """Whether a part has the order of this arrangement."""
        pairs = ((part.row_order, self.row_order), (part.column_order, self.column_order))
        return all(
            one is other or (one is not None and other is not None and np.array_equal(one, other))
            for one, other in pairs
        )

    def part(self, layer: str, window: tuple[int, int, int, int], most: int) -> Part:
        """What to ask for to fill a window (row0, row1, column0, column1) with no more than `most` cells.

        There is some room around it where that leaves any. Kernels and images need all of the layer.
        """
        if self.index is not None:
            return Part(layer, slice(0, self.matrix[0]), slice(0, self.matrix[1]))
        row0, row1, column0, column1 = window
        block = 1
        while (row1 - row0) * (column1 - column0) > most * block**2:
            block *= 2
        spare = most * block**2 / max((row1 - row0) * (column1 - column0), 1)
        room = _ROOM if spare >= (1 + 2 * _ROOM) ** 2 else 0.0
        rows, columns = (
            _widened(first, last, room, block, cells)
            for first, last, cells in zip((row0, column0), (row1, column1), self.matrix, strict=True)
        )
        return Part(layer, rows, columns, block, self.row_order, self.column_order)

    def bars(self, layer: LayerSnapshot) -> tuple[Bars, Bars] | None:
        """What is kept in rows and columns; none of images, where a row is no unit."""
        if self.kind == "images" or self._is_wrapped():
            return None
        if self.tile is None:
            rows = layer.row_kept if self.row_order is None else layer.row_kept[self.row_order]
            columns = layer.column_kept if self.column_order is None else layer.column_kept[self.column_order]
            return Bars(np.arange(len(rows)), 1, rows), Bars(np.arange(len(columns)), 1, columns)
        inputs = layer.info.shape[1]
        of_inputs = layer.column_kept.reshape(inputs, -1).sum(axis=1)
        outputs = np.arange(len(layer.row_kept))
        return (
            Bars(outputs * self.tile[0], self.tile[0], layer.row_kept),
            Bars(np.arange(inputs) * self.tile[1], self.tile[1], of_inputs),
        )

    def _is_wrapped(self) -> bool:
        return self.tile is not None and self.shape[0] // self.tile[0] != self.matrix[0]


def _widened(first: int, last: int, room: float, block: int, cells: int) -> slice:
    more = round(room * (last - first))
    begin = max(first - more, 0) // block * block
    return slice(begin, min(-(-(last + more) // block) * block, cells))


def kinds_for(info: LayerInfo, input_shape: tuple[int, ...]) -> tuple[str, ...]:
    """The arrangements that a layer can have; `input_shape` is (channels, height, width) if it reads the input."""
    if info.weights <= MOST_TILED and len(info.shape) == 4 and math.prod(info.shape[2:]) > 1:
        return ("matrix", "kernels")
    images = len(input_shape) == 3 and info.columns == math.prod(input_shape) and info.weights <= MOST_TILED
    return ("matrix", "images") if images and len(info.shape) == 2 else ("matrix",)


def arrange(
    kind: str, layer: LayerSnapshot, input_shape: tuple[int, ...], *, sort_rows: bool, sort_columns: bool
) -> Arrangement:
    """The arrangement of this kind; only a matrix is sorted, the fullest rows and columns first."""
    info = layer.info
    matrix = info.rows, info.columns
    if kind == "matrix":
        rows, columns = (
            np.argsort(-kept, kind="stable") if sort else None
            for kept, sort in ((layer.row_kept, sort_rows), (layer.column_kept, sort_columns))
        )
        return Arrangement(kind, matrix, matrix, row_order=rows, column_order=columns)
    numbers = np.arange(info.weights, dtype=np.int32)
    if kind == "kernels":
        outputs, inputs, height, width = info.shape
        if inputs > _WRAPPED:
            index = numbers.reshape(info.shape).transpose(0, 2, 1, 3).reshape(outputs * height, inputs * width)
            return Arrangement(kind, index.shape, matrix, (height, width), index)
        return _wrapped(kind, numbers.reshape(outputs, inputs, height, width), matrix)
    return _wrapped(kind, numbers.reshape(info.rows, *input_shape), matrix)


def _wrapped(kind: str, numbers: npt.NDArray[np.int32], matrix: tuple[int, int]) -> Arrangement:
    """Units (N, channels, height, width) as images in rows and columns, a unit's channels side by side."""
    units, channels, height, width = numbers.shape
    tiles = numbers.transpose(0, 2, 1, 3).reshape(units, height, channels * width)
    across = math.ceil(math.sqrt(units * height / (channels * width)))
    down = math.ceil(units / across)
    index = np.full((down * across, height, channels * width), -1, np.int32)
    index[:units] = tiles
    grid = index.reshape(down, across, height, -1).transpose(0, 2, 1, 3).reshape(down * height, -1)
    return Arrangement(kind, grid.shape, matrix, (height, channels * width), grid)
