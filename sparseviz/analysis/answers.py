"""A run's network as it was at one step, ready to answer images: with its cut weights at 0, as export ships it.

All of it may be used beside a run that trains: it draws nothing from torch's default generator, sets no thread
count, and has no parametrization whose cache it would share.
"""

from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch

from sparseviz.config import InputError
from sparseviz.data import DataError, load_data
from sparseviz.networks.baked import baked_model
from sparseviz.store import RunInfo
from sparseviz.values.examples import Answers, Float32Array, longer_side, planes
from sparseviz.values.snapshot import Checkpoint, IntArray

BATCH = 250  # images
MOST_BYTES = 64 << 20  # of images that are held to be shown


@dataclass(frozen=True, slots=True)
class Examples:
    """Images of a data set, as the network reads them and as a person sees them."""

    images: Float32Array  # (N, C, H, W), normalised
    pixels: Float32Array  # the same from 0 to 1
    labels: IntArray  # (N,)
    box: int  # pixels, of the longer side of a digit


def validation_examples(info: RunInfo) -> Examples:
    """The validation images of a run, read again from its data set; nothing is downloaded.

    All of them, or an even spread of as many as fit in MOST_BYTES.

    Raises DataError where they are gone, or are not those that the run was trained on.
    """
    data = load_data(info.config.data.model_copy(update={"download": False, "workers": 0}))
    if data.checksum != info.data_checksum:
        raise DataError(
            f"{data.name}: the data set's files are not those that the run was trained on "
            f"(MD5 {data.checksum}, the run's {info.data_checksum}); put the run's own files in their place"
        )
    with closing(data):
        images, labels = data.validation.collect(data.validation.spread(data.validation.within(MOST_BYTES)))
    pixels = np.clip(images * planes(data.std) + planes(data.mean), 0, 1)
    return Examples(images, pixels, labels, longer_side(pixels))


class Network:
    """Answers images; `source` says where its weights are from, "live" or "checkpoint".

    Raises InputError where the network cannot be built any more.
    """

    def __init__(self, info: RunInfo, checkpoint: Checkpoint, source: str = "checkpoint") -> None:
        self.step, self.source, self.classes = checkpoint.step, source, info.classes
        masks = checkpoint.masks.values()
        self.kept = sum(int(mask.sum()) for mask in masks) / max(sum(mask.size for mask in masks), 1)  # of the weights
        self._mean, self._std = planes(info.mean), planes(info.std)
        self._model = baked_model(info.config.network, checkpoint, len(info.classes))

    @torch.no_grad()
    def probabilities(self, images: Float32Array) -> Float32Array:
        """The softmax over the classes (N, classes) for normalised images (N, C, H, W). Raises InputError."""
        try:
            parts = [self._model(part).softmax(dim=1) for part in torch.split(torch.from_numpy(images), BATCH)]
        except RuntimeError as error:
            raise InputError(f"the network cannot read images of shape {images.shape[1:]}: {error}") from error
        found = torch.cat(parts).numpy()
        if not np.isfinite(found).all():
            raise InputError(f"the network's answers at step {self.step} are no finite numbers: its training failed")
        return np.asarray(found, dtype=np.float32)

    def read(self, pixels: Float32Array) -> Float32Array:
        """The probabilities (classes,) for one image (C, H, W) of pixels from 0 to 1, normalised as the run's are."""
        return np.asarray(self.probabilities((pixels[None] - self._mean) / self._std)[0])

    def answers(self, examples: Examples) -> Answers:
        """The answers to a data set's images."""
        return Answers(
            images=examples.pixels,
            labels=examples.labels,
            probabilities=self.probabilities(examples.images),
            classes=self.classes,
            step=self.step,
            source=self.source,
            box=examples.box,
        )
