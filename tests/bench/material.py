"""What is trained and recorded in the measurements."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from sparseviz.config import RunConfig
from sparseviz.config.parts import DataConfig
from sparseviz.data import Data, MemorySplit, Split, load_data
from sparseviz.runs.recording import record_run
from sparseviz.training.trainer import Trainer

BATCH = 128
STEPS_PER_EPOCH = 9  # whole batches of the 1,197 embedded digits


def data() -> Data:
    """The embedded digits, as many as make whole batches; one image is validated, so that validating costs nothing."""
    found = load_data(DataConfig())
    return replace(found, train=training(), validation=_first(found.validation, 1))


def training() -> MemorySplit:
    """The images that are trained on."""
    return _first(load_data(DataConfig()).train, BATCH * STEPS_PER_EPOCH)


def _first(split: Split, number: int) -> MemorySplit:
    images, labels = split.collect(torch.arange(number))
    return MemorySplit(torch.from_numpy(images), torch.from_numpy(labels))


def config(network: str, **changes: Any) -> RunConfig:
    """Gated training without phases, in batches of 128; double underscores stand for dots."""
    plain = {"network": network, "batch_size": BATCH, "epochs": 100_000, "penalty.lambda2": 1e-2}
    return RunConfig().changed(plain | {name.replace("__", "."): value for name, value in changes.items()})


def trainer(network: str, **changes: Any) -> Trainer:
    """A trainer of its own, after whose making torch's random state is known."""
    made = Trainer(config(network, **changes), data())
    torch.manual_seed(0)
    return made


def recorded(path: Path, network: str, **changes: Any) -> Path:
    """A run that is trained now, on the embedded digits, and its file."""
    return record_run(config(network, **changes), path)
