"""A NumPy archive of images and labels."""

import zipfile
from pathlib import Path

import numpy as np

from sparseviz.config.parts import DataConfig
from sparseviz.data.arrays import from_arrays
from sparseviz.data.data_set import Data, DataError, Progress, own_path


def load(config: DataConfig, _progress: Progress | None = None) -> Data:
    """The arrays that `arrays.from_arrays` names, from the file that `config.folder` names.

    Raises:
        DataError: the file is missing or damaged, or an array is not what it must be.
    """
    if not config.folder:
        raise DataError("npz: name the file with --data-dir FILE.npz (setting data.folder)")
    path = own_path(config, Path())
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as an .npz file: {error}") from None
    return from_arrays("npz", arrays, str(path), augmented=config.augment)
