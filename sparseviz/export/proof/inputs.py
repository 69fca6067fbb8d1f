"""What a file is proven on: the run's own images, the whole test set where it is there, and noise."""

from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparseviz.data import Data, DataError, load_data
from sparseviz.export.options import ExportOptions
from sparseviz.export.proof.verify import Inputs
from sparseviz.store import RunInfo, TestInputs
from sparseviz.store.format import TEST_BYTES
from sparseviz.values.examples import Float32Array, planes

NOISE_SEED = 0
NOISE_IMAGES = 256
MOST_BYTES = 256 << 20  # of test images that are read


@dataclass(frozen=True, slots=True)
class ProofInputs:
    """Three sets of images; without the data set's files two."""

    stored: Inputs  # of the run file
    test_set: Inputs | None
    random: Inputs
    note: str  # why the test set is not read, or how much of it, or ""


def proof_inputs(info: RunInfo, stored: TestInputs, options: ExportOptions) -> ProofInputs:
    """Images for the proof; reading the test set is an act that the exported file records."""
    as_fed = _Feeder(planes(info.mean), planes(info.std), raw=options.raw_pixels)
    note, test_set = "", None
    if not options.test_set:
        note = "it was not asked for"
    else:
        folder = options.data_folder or info.config.data.folder
        try:
            data = load_data(info.config.data.model_copy(update={"download": False, "workers": 0, "folder": folder}))
        except DataError as error:
            note = f"the data set's files are not there ({error})"
        else:
            with closing(data):
                test_set, note = _test_set(data, info, as_fed)
    shape = (min(NOISE_IMAGES, TEST_BYTES // stored.images[0].nbytes or 1), *stored.images.shape[1:])
    noise = np.random.default_rng(NOISE_SEED).standard_normal(shape, dtype=np.float32)
    return ProofInputs(as_fed(stored.images, stored.labels), test_set, as_fed(noise, None), note)


def _test_set(data: Data, info: RunInfo, as_fed: "_Feeder") -> tuple[Inputs | None, str]:
    if data.checksum != info.data_checksum:
        return None, "the data set's files are not those of the run"
    number = data.test.within(MOST_BYTES)
    note = f"{number:,} of its {len(data.test):,} images, evenly spread" if number < len(data.test) else ""
    return as_fed(*data.test.collect(data.test.spread(number))), note


@dataclass(frozen=True, slots=True)
class _Feeder:
    """Turns normalised images into what the file reads."""

    mean: Float32Array  # (C, 1, 1)
    std: Float32Array
    raw: bool

    def __call__(self, images: npt.NDArray[np.float32], labels: npt.NDArray[np.int64] | None) -> Inputs:
        if not self.raw:
            return Inputs(images, images, labels)
        pixels = np.clip(np.rint((images * self.std + self.mean) * 255), 0, 255).astype(np.uint8)
        normalised = (pixels.astype(np.float32) / 255 - self.mean) / self.std
        return Inputs(normalised.astype(np.float32), pixels, labels)
