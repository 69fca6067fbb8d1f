"""What a file is proven on: the run's own images, the whole test set where it is there, and noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparseviz.data import DataError, load_data
from sparseviz.export.options import ExportOptions
from sparseviz.export.verify import Inputs
from sparseviz.store import RunInfo, TestInputs

NOISE_SEED = 0
NOISE_IMAGES = 256


@dataclass(frozen=True, slots=True)
class ProofInputs:
    """Three sets of images; without the data set's files two."""

    stored: Inputs  # of the run file
    test_set: Inputs | None
    random: Inputs
    note: str  # why the test set is not read, or ""


def proof_inputs(info: RunInfo, stored: TestInputs, options: ExportOptions) -> ProofInputs:
    """Images for the proof; reading the test set is an act that the exported file records."""
    as_fed = _Feeder(info.mean, info.std, raw=options.raw_pixels)
    note, test_set = "", None
    if not options.test_set:
        note = "it was not asked for"
    else:
        folder = options.data_folder or info.config.data.folder
        try:
            data = load_data(info.config.data.model_copy(update={"download": False, "folder": folder}))
        except DataError as error:
            note = f"the data set's files are not there ({error})"
        else:
            if data.checksum == info.data_checksum:
                test_set = as_fed(data.test.images.numpy(), data.test.labels.numpy())
            else:
                note = "the data set's files are not those of the run"
    shape = (NOISE_IMAGES, *stored.images.shape[1:])
    noise = np.random.default_rng(NOISE_SEED).standard_normal(shape, dtype=np.float32)
    return ProofInputs(as_fed(stored.images, stored.labels), test_set, as_fed(noise, None), note)


@dataclass(frozen=True, slots=True)
class _Feeder:
    """Turns normalised images into what the file reads."""

    mean: float
    std: float
    raw: bool

    def __call__(self, images: npt.NDArray[np.float32], labels: npt.NDArray[np.int64] | None) -> Inputs:
        if not self.raw:
            return Inputs(images, images, labels)
        pixels = np.clip(np.rint((images * self.std + self.mean) * 255), 0, 255).astype(np.uint8)
        normalised = (pixels.astype(np.float32) / 255 - self.mean) / self.std
        return Inputs(normalised.astype(np.float32), pixels, labels)
