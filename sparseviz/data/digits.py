"""The handwritten digits that come with scikit-learn: no file, no download."""

import numpy as np
import torch
from torch.nn import functional

from sparseviz.config.parts import DataConfig
from sparseviz.data.data_set import Data, Progress, md5
from sparseviz.data.in_memory import Pixels, normalised, stratified_order

CLASSES = tuple("0123456789")
SIDE = 28  # pixels, of every image
TEST, VALIDATION = 360, 240  # images; the other 1,197 are for training


def load(_config: DataConfig, _progress: Progress | None = None) -> Data:
    """The 1,797 digits, enlarged from 8 x 8 to (1, 28, 28)."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - takes a second, and the others do without

    found = load_digits()
    raw, labels = found.images.astype(np.uint8), found.target.astype(np.int64)  # (1797, 8, 8) of 0..16
    images = enlarged(raw.astype(np.float32) / 16)
    test, validation, train = np.split(stratified_order(labels), [TEST, TEST + VALIDATION])
    parts = [(images[part], labels[part]) for part in (train, validation, test)]
    return normalised("digits", parts, CLASSES, checksum=md5(raw.tobytes(), labels.astype(np.uint8).tobytes()))


def enlarged(pixels: Pixels) -> Pixels:
    """(N, 8, 8) to (N, 1, 28, 28); without aligned corners, which keeps the frame: they would cut half a pixel off."""
    small = torch.from_numpy(pixels)[:, None]
    return np.asarray(functional.interpolate(small, (SIDE, SIDE), mode="bilinear", align_corners=False))
