"""A stored layer too large for one picture, and the memory that showing it takes."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from sparseviz.store import RunReader, RunWriter
from sparseviz.values.cells import NEVER
from sparseviz.values.snapshot import Checkpoint, Errors, LayerInfo, Snapshot
from sparseviz.values.states import Phase, RunStatus
from tests.helpers import histories
from tests.helpers.places import FORMATS


def write_run(path, rows, columns):
    """A finished run of one layer of this size in which one weight in a thousand is kept, after a small run's facts."""
    with RunReader(FORMATS / "format-2.h5") as small:
        info, inputs, first = small.info, small.test_inputs(), small.snapshots()[-1]
    pixels = histories.info("fc6", (rows, columns), rows).preview_shape
    layer = LayerInfo("fc6", (rows, columns), rows, rows * columns, histories.GATE, pixels)
    random = np.random.default_rng(0)
    weight = np.tile(random.standard_normal((256, columns), dtype=np.float32), (rows // 256, 1))
    mask = np.tile(random.random((256, columns), dtype=np.float32) < 1e-3, (rows // 256, 1))
    checkpoint = Checkpoint(
        step=first.step,
        parameters={"fc6.weight": weight, "fc6.bias": np.zeros(rows, np.float32)},
        masks={"fc6": mask},
        quantities={"fc6": mask.astype(np.float32)},
        cut_at={"fc6": np.where(mask, np.int32(NEVER), np.int32(0))},
    )
    info = replace(info, layers=(layer,), config=info.config.changed({"record.checkpoints": 2}))
    writer = RunWriter(path, info, inputs, checkpoint)
    taken = replace(
        first.layers[0],
        info=layer,
        kept=int(mask.sum()),
        row_kept=mask.sum(axis=1),
        column_kept=mask.sum(axis=0),
        preview=None,
    )
    writer.append(Snapshot(first.step, first.epoch, 1.0, Phase.FROZEN, dict(first.scalars), (taken,)))
    writer.finish(RunStatus.FINISHED, Errors())
    return weight[:8, :8].copy(), mask


def resident():
    """Bytes of memory in use by this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
