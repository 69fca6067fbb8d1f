"""open_model(): a model file as a history of one snapshot, and its true cells."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sparseviz.analysis.model_file.layer import Spread, StoredCells, measure_layer, measure_spread
from sparseviz.analysis.model_file.safetensors_file import read_safetensors
from sparseviz.analysis.model_file.state_dict import read_state_dict
from sparseviz.config.paths import MODEL_SUFFIXES, is_model_file
from sparseviz.networks.stored_tensors import ModelFileError, TensorFile
from sparseviz.values.cells import Cells, Part, Pyramids, answer
from sparseviz.values.history import History
from sparseviz.values.snapshot import SCALARS, LayerSnapshot, Snapshot
from sparseviz.values.states import Phase


def _read_onnx(path: Path) -> TensorFile:
    from sparseviz.export.graph.read_weights import read_onnx  # noqa: PLC0415  # ONNX takes a second: only when needed

    return read_onnx(path)


READERS: dict[str, Callable[[Path], TensorFile]] = {".onnx": _read_onnx, ".safetensors": read_safetensors}


class Cancelled(Exception):  # noqa: N818  # nothing went wrong
    """Nobody waits for the file any more."""


@dataclass(frozen=True, slots=True)
class Model:
    """A file's layers as a view takes them. Questions are asked by one thread at a time."""

    file: TensorFile
    history: History  # of one snapshot
    spreads: dict[str, Spread]  # by layer
    _pyramids: Pyramids = field(default_factory=Pyramids)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the file: what was left out, and numbers that are none."""
        odd = sum(spread.not_finite for spread in self.spreads.values())
        told = f"{odd:,} weights are no finite numbers (NaN or infinite); they count as kept"
        return (*self.file.notes, told) if odd else self.file.notes

    def cells(self, part: Part) -> Cells:
        """The true weights of a part of a layer. Raises ModelFileError."""
        layer = next(tensor for tensor in self.file.layers if tensor.name == part.layer)
        source = StoredCells(layer, self.spreads[part.layer])
        shape = layer.shape[0], math.prod(layer.shape[1:])
        planes = self._pyramids.planes(source, part, shape, part.layer)
        return answer(part, 0, "file", planes, ages=False)


def open_model(path: Path, look: Callable[[], None] = lambda: None) -> Model:
    """Read a model file; nothing in it is executed. `look` is called now and then, and may raise.

    Every weight is read twice, a band of a layer at a time. Raises ModelFileError, which names file and reason.
    """
    try:
        return _opened(path, look)
    except (ModelFileError, Cancelled):
        raise
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise ModelFileError(f"{path} needs more memory than there is") from error
    except Exception as error:  # whatever a library makes of a damaged file
        raise ModelFileError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _opened(path: Path, look: Callable[[], None]) -> Model:
    file = _read(path)
    if not file.layers:
        why = "; ".join(file.notes[:1]) or "no floating tensor has two or more dimensions"
        raise ModelFileError(f"{path} has no layer to show: {why}")
    spreads, layers = {}, []
    for number, tensor in enumerate(file.layers, start=1):
        spreads[tensor.name] = measure_spread(tensor, look)
        layers.append(measure_layer(tensor, spreads[tensor.name], look, is_last=number == len(file.layers)))
    history = History(sum(layer.info.weights for layer in layers) + file.others)
    history.append(_snapshot(tuple(layers), file.others))
    return Model(file, history, spreads)


def _read(path: Path) -> TensorFile:
    if not is_model_file(path):
        raise ModelFileError(f"{path}: the name of a model file ends in {', '.join(MODEL_SUFFIXES)}")
    if not path.is_file():
        raise ModelFileError(f"{path} is not there, or is no file")
    return READERS.get(path.suffix.lower(), read_state_dict)(path)


def _snapshot(layers: tuple[LayerSnapshot, ...], others: int) -> Snapshot:
    """Only sizes are known of a model file: it has no time, no error and no penalty."""
    kept = sum(layer.kept for layer in layers)
    lost = sum(layer.info.biases - layer.biases_kept for layer in layers)
    scalars = dict.fromkeys(SCALARS, math.nan) | {"weights_kept": kept, "parameters_kept": kept + others - lost}
    return Snapshot(step=0, epoch=0.0, time=0.0, phase=Phase.FROZEN, scalars=scalars, layers=layers)
