"""Short trainings of methods that cut in rounds."""

from sparseviz.data import load_data
from sparseviz.training.trainer import Trainer
from tests.helpers.runs import short

SETTINGS = {
    "network": "tests.helpers.networks:small",
    "method.keep": 0.1,
    "method.rounds": 3,
    "method.images": 60,
    "penalty.lambda2": 0.01,
}


def trained(name, steps, **settings):
    """A short training, before its first step and after each."""
    changes = SETTINGS | {"method.name": name} | {k.replace("__", "."): v for k, v in settings.items()}
    config = short(changes)
    one = Trainer(config, load_data(config.data))
    yield one
    for _ in range(steps):
        one._train_step()
        yield one
