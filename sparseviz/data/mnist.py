"""MNIST from its four IDX files."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparseviz.config import paths
from sparseviz.config.parts import DataConfig
from sparseviz.data.data_set import OWN_FILES, Data, DataError, Progress, fullest, md5, own_path
from sparseviz.data.fetching import fetch
from sparseviz.data.in_memory import Part, normalised

CLASSES = tuple("0123456789")
SIDE = 28  # pixels, of every image

TRAIN_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST_FILES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
VALIDATION_SHARE = 12  # the last twelfth of the training images: 5,000 of the original 60,000

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
MD5 = {  # of the original file, and of its .gz on the mirrors
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", "d53e105ee54ea40749a09fcbcd1e9432"),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", "9fb629c4189551a2d022fa330f9573f3"),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", "ec29112dd5afa0611ce80d1b7f02629c"),
}

_REMEDY = "put a sound file in its place, or remove it and let --set data.download=true fetch the original"

_Files = dict[str, tuple[Path, bytes]]  # name to path and uncompressed content


def load(config: DataConfig, progress: Progress | None = None) -> Data:
    """MNIST from its four IDX files, raw or `.gz`, as (1, 28, 28); smaller files of the same kind are taken too.

    The files are looked for in `config.folder` (or the program's own), in its `mnist` and in its `MNIST/raw`. They
    are used as they are: bytes that are not the original's are told in `note`.

    Raises:
        DataError: a file is missing, damaged, not of 28 x 28 pixels and ten classes, or cannot be fetched.
    """
    own = own_path(config, paths.data_folder() / "mnist")
    folder = fullest(own, "mnist", "MNIST/raw", count=lambda each: len(_present(each)))
    files = {name: (path, _read(path)) for name, path in _complete(folder, config, progress).items()}
    images, labels = _labelled(files, TRAIN_FILES, least=VALIDATION_SHARE)
    test = _labelled(files, TEST_FILES, least=1)
    cut = len(labels) - len(labels) // VALIDATION_SHARE
    if np.ptp(images[:cut]) == 0:  # nothing to divide by
        raise _bad(files[TRAIN_FILES[0]][0], "one value in every pixel", "images")
    parts = [(images[:cut], labels[:cut]), (images[cut:], labels[cut:]), test]
    checksum = md5(*(content for _, content in files.values()))
    return normalised("mnist", parts, CLASSES, checksum=checksum, note=_differences(files))


def _present(folder: Path) -> dict[str, Path]:
    """Those of the four files that `folder` holds, in a fixed order; a raw one goes before its .gz."""
    both = {name: (folder / name, folder / f"{name}.gz") for name in MD5}
    found = {name: [path for path in pair if path.is_file()] for name, pair in both.items()}
    return {name: some[0] for name, some in found.items() if some}


def _complete(folder: Path, config: DataConfig, progress: Progress | None) -> dict[str, Path]:
    """The path of every file, fetched first where it is missing and `config` says so."""
    missing = [name for name in MD5 if name not in _present(folder)]
    if missing and not config.download:
        lacks = f"{folder} lacks {', '.join(missing)} (.gz or not)"
        raise DataError(f"mnist: {lacks}; {OWN_FILES}, or fetch what is missing with --set data.download=true")
    for name in missing:
        fetch(folder / f"{name}.gz", MIRRORS, MD5[name][1], progress)
    return _present(folder)


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; {_REMEDY}") from None


def _labelled(files: _Files, names: tuple[str, str], *, least: int) -> Part:
    """Pixels in [0, 1] (N, 1, 28, 28) and labels (N,), from the two files of these names."""
    (images_path, images), (labels_path, labels) = (files[name] for name in names)
    pixels = _parse(images_path, images, SIDE, SIDE)
    classes = _parse(labels_path, labels)
    if len(pixels) != len(classes):
        raise _bad(labels_path, f"{len(classes)} labels", f"{len(pixels)}, as many as {images_path} has images")
    if len(pixels) < least:
        raise _bad(images_path, f"{len(pixels)} images", f"at least {least}")
    if classes.max() >= len(CLASSES):
        raise _bad(labels_path, f"label {classes.max()} (image {classes.argmax()})", "0 to 9")
    return np.divide(pixels[:, None], 255, dtype=np.float32), classes.astype(np.int64)


def _parse(path: Path, content: bytes, *sides: int) -> NDArray[np.uint8]:
    """The bytes of an IDX file, (N, *sides); read-only."""
    header = 8 + 4 * len(sides)  # bytes: magic number, count, sides
    if len(content) < header:
        raise _bad(path, f"{len(content)} bytes", f"a header of {header}")
    found, count, *found_sides = struct.unpack_from(f">{header // 4}I", content)
    magic = 0x0801 + len(sides)  # 8 for unsigned bytes, then the number of dimensions
    if found != magic:
        raise _bad(path, f"magic number {found}", f"{magic}")
    if found_sides != list(sides):
        raise _bad(path, f"images of {' x '.join(map(str, found_sides))} pixels", " x ".join(map(str, sides)))
    length = header + count * math.prod(sides)
    if len(content) != length:
        raise _bad(path, f"{len(content)} bytes", f"{length}, as its header says")
    return np.frombuffer(content, np.uint8, offset=header).reshape(count, *sides)


def _bad(path: Path, found: str, expected: str) -> DataError:
    return DataError(f"{path}: found {found}, expected {expected}; {_REMEDY}")


def _differences(files: _Files) -> str:
    sums = {name: md5(content) for name, (_, content) in files.items()}
    different = {name: found for name, found in sums.items() if found != MD5[name][0]}
    return "; ".join(f"{name} is not the original file (MD5 {found})" for name, found in different.items())
