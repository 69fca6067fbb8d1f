"""Data: a data set in three parts, and what can be wrong with one."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparseviz.config import InputError
from sparseviz.config.parts import DataConfig
from sparseviz.data.split import Split

Progress = Callable[[str, int, int], None]  # (file or folder name, bytes done, bytes in all or 0)

OWN_FILES = "name the folder of your own files with --data-dir DIR (setting data.folder)"


class DataError(InputError):
    """A data set is missing, damaged or cannot be fetched; the message names the file and the ways out."""


@dataclass(frozen=True, slots=True)
class Data:
    """A data set in three parts; `images * std + mean`, by channel, gives pixels in [0, 1] back."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    mean: tuple[float, ...]  # by channel, of pixels scaled to [0, 1]
    std: tuple[float, ...]
    checksum: str  # MD5 of everything that was read, uncompressed: equal for two runs that saw the same data
    note: str = ""  # what the person should know of the files

    def close(self) -> None:
        """End the processes that read images."""
        for split in (self.train, self.validation, self.test):
            split.close()


def md5(*contents: bytes) -> str:
    """The MD5 of these bytes in a row."""
    digest = hashlib.md5(usedforsecurity=False)
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def own_path(config: DataConfig, otherwise: Path) -> Path:
    """The person's folder or file, `~` followed; `otherwise` where none is named."""
    # Path.expanduser would raise for an unknown ~user.
    return Path(os.path.expanduser(config.folder)) if config.folder else otherwise  # noqa: PTH111


def fullest(own: Path, *subfolders: str, count: Callable[[Path], int]) -> Path:
    """The one of a folder and its subfolders with the most of what `count` finds; the folder itself wins a draw."""
    try:
        return max((own, *(own / name for name in subfolders)), key=count)
    except OSError as error:
        raise DataError(f"{own} cannot be read: {error.strerror}; name another folder with --data-dir DIR") from None
