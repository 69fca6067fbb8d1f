"""DATASETS: the images that a network learns, normalised and split in three.

Every split is fixed: it depends on the data alone, so that runs of different seeds face the same test images.
To add a data set, write one module whose `load` has the signature of `digits.load` and add its line to `DATASETS`.
"""

from collections.abc import Callable

from sparseviz.config import choose
from sparseviz.config.parts import DataConfig
from sparseviz.data import cifar10, digits, image_folder, mnist, npz, own
from sparseviz.data.data_set import Data, DataError, Progress
from sparseviz.data.draws import Draws
from sparseviz.data.split import Batch, MemorySplit, Order, Plan, Shard, Split

__all__ = [
    "DATASETS",
    "Batch",
    "Data",
    "DataError",
    "Draws",
    "MemorySplit",
    "Order",
    "Plan",
    "Progress",
    "Shard",
    "Split",
    "expected_images",
    "load_data",
]

DATASETS: dict[str, Callable[[DataConfig, Progress | None], Data]] = {
    "digits": digits.load,
    "mnist": mnist.load,
    "cifar10": cifar10.load,
    "npz": npz.load,
    "folder": image_folder.load,
}


def load_data(config: DataConfig, progress: Progress | None = None) -> Data:
    """The data set that `config` names, one of DATASETS or a person's own function.

    Args:
        config: its name, and where its files are or whether to fetch them.
        progress: called with (file name, bytes done, bytes in all or 0) while files are fetched or looked through.

    Raises:
        ConfigError: no data set has this name.
        Untrusted: its function is one that somebody must be asked about first.
        DataError: its files are missing, damaged or cannot be fetched.
    """
    if ":" in config.name:
        return own.load(config, progress)
    return choose("data.name", config.name, DATASETS, "package.module:function or file.py:function")(config, progress)


def expected_images(config: DataConfig) -> tuple[tuple[int, int, int], int] | None:
    """(channels, height, width) of the images and about how many classes, before they are read; None: not known."""
    colours = {"rgb": 3, "gray": 1}[config.colours]
    known = {
        "digits": ((1, 28, 28), 10),
        "mnist": ((1, 28, 28), 10),
        "cifar10": ((3, 32, 32), 10),
        "folder": ((colours, config.size, config.size), 1000),
    }
    return known.get(config.name)
