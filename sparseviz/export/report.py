"""What an export has done, as values and JSON."""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sparseviz.export.graph.compact import Compaction
from sparseviz.export.graph.layers import LayerChange
from sparseviz.export.options import ExportOptions
from sparseviz.export.proof.latency import Latency
from sparseviz.export.proof.verify import Proof


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and how it is known to be right."""

    path: Path
    step: int  # of the checkpoint
    bytes: int
    parameters: int
    parameters_kept: int
    compression: float
    weights_kept: int  # nonzero weights in the file, at most
    proof: Proof  # on the images in the run file
    random: Proof  # on noise
    test_set: Proof | None  # on the whole test set
    test_set_note: str  # why the test set was not read, or how much of it, or ""
    options: ExportOptions
    bytes_gzip: int
    dense_bytes: int  # of the file without compaction, which stores every weight
    dense_bytes_gzip: int
    layers: tuple[LayerChange, ...]
    compaction: Compaction | None
    latency: tuple[Latency, ...]  # measured for a report only
    files: tuple[Path, ...]  # written beside the model

    @property
    def multiply_adds(self) -> tuple[int, int, int]:
        """For one image: of the dense file, of this one, and the limit, that of the kept weights alone."""
        after = [layer.after for layer in self.layers if layer.after]
        return (
            sum(layer.before.multiply_adds for layer in self.layers),
            sum(layer.multiply_adds for layer in after),
            sum(layer.nonzero_multiply_adds for layer in after),
        )

    @property
    def bytes_a_kept_weight(self) -> float:
        """Bytes on disk over nonzero weights."""
        return self.bytes / max(self.weights_kept, 1)

    def as_json(self) -> dict[str, Any]:
        """As plain values; what was not measured is None."""
        dense, here, limit = self.multiply_adds
        named = {
            "path": str(self.path),
            "files": [str(path) for path in self.files],
            "multiply_adds": {"dense": dense, "file": here, "kept weights alone": limit},
            "speed_up": {str(found.batch): found.speed_up for found in self.latency},
        }
        plain: dict[str, Any] = _plain(asdict(replace(self, path=Path(), files=())) | named)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
