"""Data of a person's own: a function, named as package.module:function or file.py:function."""

from collections.abc import Mapping

from sparseviz.config.own_code import OwnCodeError, in_words, load_function
from sparseviz.config.parts import DataConfig
from sparseviz.data.arrays import NAMES, from_arrays
from sparseviz.data.data_set import Data, DataError, Progress


def load(config: DataConfig, _progress: Progress | None = None) -> Data:
    """What the function makes of `config`: a Data, or a dict of arrays as of an .npz file.

    Raises:
        DataError: the function fails (with its traceback), or gives something else.
    """
    try:
        function = load_function(config.name)
    except OwnCodeError as error:
        raise DataError(f"data.name: '{config.name}': {error}") from error
    try:
        found = function(config)
    except Exception as error:
        raise DataError(f"data.name: '{config.name}' failed: {in_words(error)}") from error
    if isinstance(found, Data):
        return found
    if isinstance(found, Mapping):
        return from_arrays(config.name, found, config.name, augmented=config.augment)
    raise DataError(
        f"data.name: '{config.name}' gave {type(found).__name__}; return a sparseviz.data.Data, or a dict of {NAMES}"
    )
