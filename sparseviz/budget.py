"""What the checkpoints of a run cost in its file: known before it starts, and bounded."""

from functools import lru_cache

import torch

from sparseviz.config import RecordConfig, RunConfig
from sparseviz.models import MODELS, layers

LEAST_PLACES = 2  # one is whole while the other is written
_FLOAT, _WEIGHT = 4, 9  # bytes: of a parameter; of a weight's mask, decisive quantity and snapshot of its cut


def checkpoint_bytes(parameters: int, weights: int) -> int:
    """The size of one checkpoint of a network with so many parameters, so many of them weights that may be cut."""
    return _FLOAT * parameters + _WEIGHT * weights


def checkpoint_places(record: RecordConfig, size: int) -> int:
    """Places for checkpoints of this size in bytes: as many as are asked for, as far as the budget goes, at least 2."""
    return max(LEAST_PLACES, min(record.checkpoints, record.checkpoint_budget * 10**6 // max(size, 1)))


def planned_checkpoint_bytes(config: RunConfig) -> int | None:
    """The size of one checkpoint before the run starts; None for a network of a person's own, which is not run yet."""
    return _planned(config.network) if config.network in MODELS else None


@lru_cache(maxsize=16)
def _planned(network: str) -> int:
    with torch.device("meta"):
        model = MODELS[network]()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return checkpoint_bytes(parameters, sum(layer.weight.numel() for layer in layers(model).values()))
