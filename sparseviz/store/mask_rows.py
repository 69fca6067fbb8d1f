"""The masks of every snapshot, as a run file has them below a million weights (from format 4 on)."""

import h5py
import numpy as np
import numpy.typing as npt

from sparseviz.store.files.opening import renewed
from sparseviz.values import masks
from sparseviz.values.cells import IntPlane, Order, Planes, Source
from sparseviz.values.snapshot import LayerInfo

Mask = npt.NDArray[np.bool_]
NAME = "snapshots/masks"


class MaskRows:
    """One layer's masks over time; valid while its file is open."""

    def __init__(self, file: h5py.File, layers: tuple[LayerInfo, ...], layer: LayerInfo) -> None:
        self._rows, self._layer = renewed(file[NAME]), layer
        self._place = masks.places(layers)[layer.name]

    def at(self, position: int) -> Mask:
        """True where the snapshot at `position` kept the weight, (rows, columns)."""
        return masks.unpack(self._rows[position, self._place], self._layer)

    def cut_at(self, position: int, known: IntPlane, seen: int) -> IntPlane:
        """The snapshot, up to the one at `position`, that last saw each weight cut, (rows, columns).

        `known` says so of the first `seen` snapshots; it is not changed.
        """
        found = np.array(known)
        before = self.at(seen - 1) if 0 < seen <= position else None
        for number in range(seen, position + 1):
            now = self.at(number)
            found[~now if before is None else before & ~now] = number
            before = now
        return found


class ExactPlanes:
    """A `Source` with the weights of a checkpoint, and the mask and the ages of a snapshot that follows it."""

    def __init__(self, checkpoint: Source, kept: Mask, cut_at: IntPlane) -> None:
        self._checkpoint, self._kept, self._cut_at = checkpoint, kept, cut_at

    def __call__(self, rows: slice | Order, columns: slice | Order) -> Planes:
        """Rows and columns of the layer's matrix, by a slice or by their numbers."""
        planes: Planes = self._checkpoint(rows, columns)
        kept = self._kept[rows][:, columns].astype(np.float32)
        return planes._replace(kept=kept, cut_at=self._cut_at[rows][:, columns])
