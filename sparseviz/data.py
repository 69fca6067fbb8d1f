"""DATASETS: the images that a network learns, normalised and split in three.

Every split is fixed: it depends on the data alone, so that runs of different seeds face the same test images.
To add a data set, write one function with the signature of `digits` and add its line to `DATASETS`.
"""

import gzip
import hashlib
import math
import os
import struct
import urllib.request
import zlib
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from sparseviz import paths
from sparseviz.config import InputError, choose
from sparseviz.config_parts import DataConfig

Progress = Callable[[str, int, int], None]  # (file name, bytes done, bytes in all or 0)

SIDE = 28  # pixels, of every image
CLASSES = tuple("0123456789")

DIGITS_SPLIT_SEED = 1797
DIGITS_TEST, DIGITS_VALIDATION = 360, 240  # images; the other 1,197 are for training

TRAIN_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST_FILES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
VALIDATION_SHARE = 12  # the last twelfth of the training images: 5,000 of the original 60,000

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
TIMEOUT_S = 30.0  # of silence
BLOCK_BYTES = 1 << 16
MNIST_MD5 = {  # of the original file, and of its .gz on the mirrors
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", "d53e105ee54ea40749a09fcbcd1e9432"),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", "9fb629c4189551a2d022fa330f9573f3"),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", "ec29112dd5afa0611ce80d1b7f02629c"),
}

_OWN_FILES = "name the folder of your own files with --data-dir DIR (setting data.folder)"
_REMEDY = "put a sound file in its place, or remove it and let --set data.download=true fetch the original"

_Pixels = NDArray[np.float32]  # (N, H, W), in [0, 1]
_Labels = NDArray[np.int64]  # (N,)
_Files = dict[str, tuple[Path, bytes]]  # name to path and uncompressed content


class DataError(InputError):
    """A data set is missing, damaged or cannot be fetched; the message names the file and the ways out."""


class _FetchError(Exception):
    """One mirror did not give the file; the next one may."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of one of several processes: of every batch the items rank, rank + of, rank + 2 of, ..."""

    rank: int = 0
    of: int = 1

    def part(self, index: torch.Tensor) -> torch.Tensor:
        """Its items of a batch, maybe none."""
        return index if self.of == 1 else index[self.rank :: self.of]


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a data set."""

    images: torch.Tensor  # (N, C, H, W) float32, normalised
    labels: torch.Tensor  # (N,) int64

    def to(self, device: torch.device | str) -> "Split":
        """The same images and labels on `device`."""
        return Split(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Data:
    """A data set in three parts; `images * std + mean` gives pixels in [0, 1] back."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    mean: float  # of the training split's pixels, scaled to [0, 1]
    std: float
    checksum: str  # MD5 of everything that was read, uncompressed: equal for two runs that saw the same data
    note: str  # what the person should know of the files, or ""


def load_data(config: DataConfig, progress: Progress | None = None) -> Data:
    """The data set that `config` names.

    Args:
        config: its name, and where its files are or whether to fetch them.
        progress: called with (file name, bytes done, bytes in all or 0) while a file is fetched.

    Raises:
        ConfigError: no data set has this name.
        DataError: its files are missing, damaged or cannot be fetched.
    """
    return choose("data.name", config.name, DATASETS)(config, progress)


def digits(_config: DataConfig, _progress: Progress | None = None) -> Data:
    """The 1,797 handwritten digits that come with scikit-learn, enlarged from 8 x 8 to (1, 28, 28)."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - takes a second, and mnist does without

    found = load_digits()
    raw, labels = found.images.astype(np.uint8), found.target.astype(np.int64)  # (1797, 8, 8) of 0..16
    images = _enlarged(raw.astype(np.float32) / 16)
    test, validation, train = np.split(_stratified_order(labels), [DIGITS_TEST, DIGITS_TEST + DIGITS_VALIDATION])
    parts = [(images[part], labels[part]) for part in (train, validation, test)]
    return _normalised("digits", parts, checksum=_md5(raw.tobytes(), labels.astype(np.uint8).tobytes()))


def mnist(config: DataConfig, progress: Progress | None = None) -> Data:
    """MNIST from its four IDX files, raw or `.gz`, as (1, 28, 28); smaller files of the same kind are taken too.

    The files are looked for in `config.folder` (or the program's own), in its `mnist` and in its `MNIST/raw`. They
    are used as they are: bytes that are not the original's are told in `note`.

    Raises:
        DataError: a file is missing, damaged, not of 28 x 28 pixels and ten classes, or cannot be fetched.
    """
    files = {name: (path, _read(path)) for name, path in _complete(_folder(config), config, progress).items()}
    images, labels = _labelled(files, TRAIN_FILES, least=VALIDATION_SHARE)
    test = _labelled(files, TEST_FILES, least=1)
    cut = len(labels) - len(labels) // VALIDATION_SHARE
    if np.ptp(images[:cut]) == 0:  # nothing to divide by
        raise _bad(files[TRAIN_FILES[0]][0], "one value in every pixel", "images")
    parts = [(images[:cut], labels[:cut]), (images[cut:], labels[cut:]), test]
    checksum = _md5(*(content for _, content in files.values()))
    return _normalised("mnist", parts, checksum=checksum, note=_differences(files))


DATASETS: dict[str, Callable[[DataConfig, Progress | None], Data]] = {"digits": digits, "mnist": mnist}


def _normalised(name: str, parts: list[tuple[_Pixels, _Labels]], *, checksum: str, note: str = "") -> Data:
    """Train, validation and test, each pixels and labels, as Data; the pixels are overwritten."""
    training, _ = parts[0]
    mean = float(training.mean(dtype=np.float64))  # by numpy: torch's sums depend on its number of threads
    std = float(np.square(training - mean).mean(dtype=np.float64)) ** 0.5
    train, validation, test = (
        Split(torch.from_numpy(pixels).sub_(mean).div_(std)[:, None], torch.from_numpy(labels))
        for pixels, labels in parts
    )
    return Data(name, train, validation, test, CLASSES, mean, std, checksum, note)


def _md5(*contents: bytes) -> str:
    return hashlib.md5(b"".join(contents), usedforsecurity=False).hexdigest()


def _enlarged(pixels: _Pixels) -> _Pixels:
    """(N, 8, 8) to (N, 28, 28); without aligned corners, which keeps the frame: they would cut half a pixel off."""
    small = torch.from_numpy(pixels)[:, None]
    return np.asarray(functional.interpolate(small, (SIDE, SIDE), mode="bilinear", align_corners=False)[:, 0])


def _stratified_order(labels: _Labels) -> NDArray[np.intp]:
    """A fixed shuffle, every stretch of which holds the classes in nearly their overall shares."""
    # numpy promises the raw stream of a bit generator for ever, but not Generator.permutation.
    shuffled = np.argsort(np.random.PCG64(DIGITS_SPLIT_SEED).random_raw(len(labels)), kind="stable")
    place = np.empty(len(labels))  # in (0, 1): the members of a class are spread evenly
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(place[shuffled], kind="stable")]


def _folder(config: DataConfig) -> Path:
    """Where most of the four files are; the folder itself wins a draw."""
    # Path.expanduser would raise for an unknown ~user.
    own = Path(os.path.expanduser(config.folder)) if config.folder else paths.data_folder() / "mnist"  # noqa: PTH111
    try:
        return max((own, own / "mnist", own / "MNIST" / "raw"), key=lambda folder: len(_present(folder)))
    except OSError as error:
        raise DataError(f"{own} cannot be read: {error.strerror}; name another folder with --data-dir DIR") from None


def _present(folder: Path) -> dict[str, Path]:
    """Those of the four files that `folder` holds, in a fixed order; a raw one goes before its .gz."""
    both = {name: (folder / name, folder / f"{name}.gz") for name in MNIST_MD5}
    found = {name: [path for path in pair if path.is_file()] for name, pair in both.items()}
    return {name: some[0] for name, some in found.items() if some}


def _complete(folder: Path, config: DataConfig, progress: Progress | None) -> dict[str, Path]:
    """The path of every file, fetched first where it is missing and `config` says so."""
    missing = [name for name in MNIST_MD5 if name not in _present(folder)]
    if missing and not config.download:
        lacks = f"{folder} lacks {', '.join(missing)} (.gz or not)"
        raise DataError(f"mnist: {lacks}; {_OWN_FILES}, or fetch what is missing with --set data.download=true")
    for name in missing:
        _fetch(folder / f"{name}.gz", MNIST_MD5[name][1], progress)
    return _present(folder)


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; {_REMEDY}") from None


def _labelled(files: _Files, names: tuple[str, str], *, least: int) -> tuple[_Pixels, _Labels]:
    """Pixels in [0, 1] (N, 28, 28) and labels (N,), from the two files of these names."""
    (images_path, images), (labels_path, labels) = (files[name] for name in names)
    pixels = _parse(images_path, images, SIDE, SIDE)
    classes = _parse(labels_path, labels)
    if len(pixels) != len(classes):
        raise _bad(labels_path, f"{len(classes)} labels", f"{len(pixels)}, as many as {images_path} has images")
    if len(pixels) < least:
        raise _bad(images_path, f"{len(pixels)} images", f"at least {least}")
    if classes.max() >= len(CLASSES):
        raise _bad(labels_path, f"label {classes.max()} (image {classes.argmax()})", "0 to 9")
    return np.divide(pixels, 255, dtype=np.float32), classes.astype(np.int64)


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
    sums = {name: _md5(content) for name, (_, content) in files.items()}
    different = {name: md5 for name, md5 in sums.items() if md5 != MNIST_MD5[name][0]}
    return "; ".join(f"{name} is not the original file (MD5 {md5})" for name, md5 in different.items())


def _fetch(target: Path, expected: str, progress: Progress | None) -> None:
    """Put the mirrors' file of this name and MD5 in its place, whole or not at all."""
    reasons = []
    for mirror in MIRRORS:
        try:
            return _fetch_from(mirror + target.name, target, expected, progress)
        except _FetchError as error:
            reasons.append(f"{mirror}{target.name}: {error}")
    raise DataError(f"{target.name} could not be fetched ({'; '.join(reasons)}); try again later, or {_OWN_FILES}")


def _fetch_from(address: str, target: Path, expected: str, progress: Progress | None) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    digest = hashlib.md5(usedforsecurity=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file, closing(_blocks(address)) as blocks:
            for block, done, total in blocks:
                file.write(block)
                digest.update(block)
                if progress:
                    progress(target.name, done, total)
        if digest.hexdigest() != expected:
            raise _FetchError(f"MD5 {digest.hexdigest()}, expected {expected}")
        part.replace(target)
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror}; name another folder with --data-dir") from None
    finally:
        with suppress(OSError):
            part.unlink()


def _blocks(address: str) -> Generator[tuple[bytes, int, int], None, None]:
    """The answer in blocks, each with the bytes done and the bytes in all (0 where the server does not say)."""
    done = 0
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - MIRRORS are constants
            total = int(answer.headers.get("Content-Length", 0))
            while block := answer.read(BLOCK_BYTES):
                done += len(block)
                yield block, done, total
    except (OSError, HTTPException, ValueError) as error:
        raise _FetchError(str(error) or type(error).__name__) from None
    if done < total:  # read() ends early without a word
        raise _FetchError(f"the answer ended after {done} of {total} bytes")
