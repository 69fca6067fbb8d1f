"""From the dense file to the one that is shipped: compaction, storage, input."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from sparseviz.export.graph.compact import Compaction, compact
from sparseviz.export.graph.layers import LayerChange, changes, layers_of
from sparseviz.export.graph.onnx_file import save
from sparseviz.export.graph.pixels import read_raw_pixels
from sparseviz.export.graph.quantized import quantize
from sparseviz.export.graph.storage import store
from sparseviz.export.options import ExportOptions
from sparseviz.store import RunInfo


@dataclass(frozen=True, slots=True)
class Finished:
    """What was done to the dense file."""

    layers: tuple[LayerChange, ...]
    compaction: Compaction | None


def finish(dense: Path, file: Path, options: ExportOptions, info: RunInfo, metadata: Mapping[str, str]) -> Finished:
    """Write `file` from `dense` as the options say."""
    model = ir.load(dense)
    before = layers_of(model)
    compaction = None
    if options.compact:
        model, compaction = _compacted(model, dense)
    finished = Finished(changes(before, layers_of(model), compaction), compaction)
    if options.raw_pixels:
        read_raw_pixels(model, info.mean, info.std)
    if options.storage == "coo" or options.half:
        store(model, coo=options.storage == "coo", half=options.half)
    if options.int8:
        save(model, file, metadata)
        quantize(file, file)
        save(ir.load(file), file, metadata)
    elif compaction or options.raw_pixels or options.storage == "coo" or options.half:
        save(model, file, metadata)
    else:
        shutil.copyfile(dense, file)
    return finished


def _compacted(model: ir.Model, dense: Path) -> tuple[ir.Model, Compaction]:
    """The smaller graph; the old one where nothing was gained."""
    found = compact(model)
    if len(ir.to_proto(model).SerializeToString()) <= dense.stat().st_size:
        return model, found
    return ir.load(dense), Compaction(0, (), 0, found.left_alone)
