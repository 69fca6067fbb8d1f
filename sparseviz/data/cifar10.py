"""CIFAR-10 from its binary version (Krizhevsky 2009)."""

import tarfile
from pathlib import Path

import numpy as np

from sparseviz.config import paths
from sparseviz.config.parts import DataConfig
from sparseviz.data.data_set import OWN_FILES, Data, DataError, Progress, fullest, md5, own_path
from sparseviz.data.fetching import fetch
from sparseviz.data.in_memory import Part, normalised

HOMES = ("https://www.cs.toronto.edu/~kriz/",)
ARCHIVE, ARCHIVE_MD5 = "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"
SUBFOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE, NAMES_FILE = "test_batch.bin", "batches.meta.txt"
FILES = (*TRAIN_FILES, TEST_FILE, NAMES_FILE)
SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # bytes: the label, then red, green, blue
VALIDATION_SHARE = 10  # the last tenth of the training images: 5,000 of the original 50,000

_REMEDY = "put a sound file in its place, or remove it and let --set data.download=true fetch the original"


def load(config: DataConfig, progress: Progress | None = None) -> Data:
    """CIFAR-10, (3, 32, 32), from the files in `config.folder` (or the program's own) or its `cifar-10-batches-bin`.

    Smaller files of the same kind are taken too. With `config.augment` training images are shifted and mirrored.

    Raises:
        DataError: a file is missing or damaged, or the archive cannot be fetched.
    """
    own = own_path(config, paths.data_folder() / "cifar10")
    folder = _complete(own, config, progress)
    contents = {name: _read(folder / name) for name in FILES}
    classes = tuple(contents[NAMES_FILE].decode(errors="replace").split())
    if len(classes) < 2:
        raise DataError(f"{folder / NAMES_FILE}: found {len(classes)} names of classes; {_REMEDY}")
    read = [_records(folder / name, contents[name], len(classes)) for name in TRAIN_FILES]
    images, labels = (np.concatenate(values) for values in zip(*read, strict=True))
    cut = len(labels) - max(len(labels) // VALIDATION_SHARE, 1)
    test = _records(folder / TEST_FILE, contents[TEST_FILE], len(classes))
    parts = [(images[:cut], labels[:cut]), (images[cut:], labels[cut:]), test]
    return normalised("cifar10", parts, classes, checksum=md5(*contents.values()), augmented=config.augment)


def _complete(own: Path, config: DataConfig, progress: Progress | None) -> Path:
    """Where the files are, fetched and unpacked first where one is missing and `config` says so."""
    folder = fullest(own, SUBFOLDER, count=lambda each: len(FILES) - len(_missing(each)))
    if missing := _missing(folder):
        if not config.download:
            raise DataError(
                f"cifar10: {folder} lacks {', '.join(missing)}; {OWN_FILES}, or fetch the original with "
                "--set data.download=true"
            )
        fetch(own / ARCHIVE, HOMES, ARCHIVE_MD5, progress)
        _unpack(own / ARCHIVE, own / SUBFOLDER)
        folder = own / SUBFOLDER
    return folder


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if not (folder / name).is_file()]


def _unpack(archive: Path, folder: Path) -> None:
    """The seven files, by name; the archive is not kept."""
    try:
        folder.mkdir(exist_ok=True)
        with tarfile.open(archive) as packed:
            for name in FILES:
                member = packed.extractfile(f"{SUBFOLDER}/{name}")
                if member is None:
                    raise DataError(f"{archive}: {name} is no file in it; {_REMEDY}")
                (folder / name).write_bytes(member.read())
        archive.unlink()
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise DataError(f"{archive} cannot be unpacked: {error}; name another folder with --data-dir") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}; {_REMEDY}") from None


def _records(path: Path, content: bytes, classes: int) -> Part:
    """Pixels in [0, 1] (N, 3, 32, 32) and labels (N,)."""
    if not content or len(content) % RECORD:
        raise DataError(f"{path}: found {len(content)} bytes, expected images of {RECORD} bytes each; {_REMEDY}")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= classes:
        found = f"label {labels.max()} (image {labels.argmax()})"
        raise DataError(f"{path}: found {found}, expected 0 to {classes - 1}; {_REMEDY}")
    return np.divide(records[:, 1:].reshape(-1, *SHAPE), 255, dtype=np.float32), labels
