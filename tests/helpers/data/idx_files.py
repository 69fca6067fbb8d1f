"""Small files in the form of MNIST's."""

import gzip
import struct
from pathlib import Path

import numpy as np

from sparseviz.data import mnist

NAMES = (*mnist.TRAIN_FILES, *mnist.TEST_FILES)
TRAIN, TEST = 36, 5  # images; 36 / 12 = 3 of them validate


def images_file(count: int, *, magic=2051, side=28, seed=0) -> bytes:
    return struct.pack(">4I", magic, count, side, side) + np.random.default_rng(seed).bytes(count * side * side)


def labels_file(count: int, *, magic=2049, highest=9) -> bytes:
    return struct.pack(">2I", magic, count) + bytes(i % (highest + 1) for i in range(count))


def small_mnist() -> dict[str, bytes]:
    contents = (images_file(TRAIN), labels_file(TRAIN), images_file(TEST, seed=1), labels_file(TEST))
    return dict(zip(NAMES, contents, strict=True))


def write(folder: Path, contents: dict[str, bytes], *, packed=False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}{'.gz' if packed else ''}").write_bytes(gzip.compress(content) if packed else content)
    return folder
