"""The disk budget of checkpoints: what they cost in a run's file, known before it starts, and bounded."""

from functools import lru_cache

from sparseviz.config import RunConfig
from sparseviz.config.parts import OptimizerConfig

_FLOAT = 4  # bytes of a number
_MOMENTS = {"adam": 8, "sgd": 0}  # bytes: of what an optimizer remembers of a number
_WEIGHT = 9  # bytes: of a weight's mask, quantity and snapshot of its cut


def checkpoint_bytes(config: RunConfig, parameters: int, weights: int) -> int:
    """About the size of one checkpoint with its state: a network of so many parameters, so many weights of them."""
    is_gated = config.method.name == "gated" and "weight" in config.gate.granularity.split("+")
    gates = weights * is_gated * (_FLOAT + _MOMENTS[config.optimizer.gates])
    masks = weights * (config.method.name == "magnitude")
    trained = _FLOAT * (config.optimizer.average > 0)  # beside their average
    return parameters * (_FLOAT + moment_bytes(config.optimizer) + trained) + _WEIGHT * weights + gates + masks


def moment_bytes(optimizer: OptimizerConfig) -> int:
    """What the weights' optimizer remembers of each of them."""
    return _FLOAT if optimizer.weights == "sgd" and optimizer.momentum else _MOMENTS[optimizer.weights]


def planned_checkpoint_bytes(config: RunConfig) -> int | None:
    """The size of one checkpoint before the run starts; None for a network of a person's own, which is not run yet."""
    sizes = _sizes(config.network)
    return checkpoint_bytes(config, *sizes) if sizes else None


@lru_cache(maxsize=16)
def _sizes(network: str) -> tuple[int, int] | None:
    """Parameters, and the weights among them."""
    import torch  # noqa: PLC0415  # takes seconds, and reading a run file does without

    from sparseviz.networks import MODELS, layers  # noqa: PLC0415

    if network not in MODELS:
        return None
    with torch.device("meta"):
        model = MODELS[network]()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return parameters, sum(layer.weight.numel() for layer in layers(model).values())
