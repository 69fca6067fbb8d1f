"""A folder of images in which every class is a folder; read while it is needed, never all at once.

Layouts: `train/CLASS/...` (some of which validate) and `val/CLASS/...` (or `valid`, `validation`, `test`), which is
ImageNet's; the same with both `val`, which validates, and `test`; or `CLASS/...`, which is split in three.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sparseviz.config import ConfigError
from sparseviz.config.parts import DataConfig
from sparseviz.data.data_set import Data, DataError, Progress, md5, own_path
from sparseviz.data.decoding import SUFFIXES, Recipe
from sparseviz.data.image_index import Looked, Stamp, look_through, stamp_of
from sparseviz.data.image_stream import ImageFiles, ImageStream, StreamedSplit
from sparseviz.data.in_memory import stratified_order

TRAIN, HELD_OUT = "train", ("val", "valid", "validation", "test")
VALIDATION_SHARE, MOST_VALIDATION = 12, 10_000  # a twelfth of `train`, but no more images than this
TEST_SHARE = 5  # a fifth of one folder, and two fifteenths to validate: as of the embedded digits

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation by channel, as torchvision has them
GRAY = ((0.449,), (0.226,))  # their means
NAMED = 5  # of the files that cannot be read

LAYOUT = (
    "give every class a folder: DIR/train/CLASS/image.jpg and DIR/val/CLASS/image.jpg (or test), "
    "or DIR/CLASS/image.jpg, which is split"
)


@dataclass(frozen=True, slots=True)
class _Listing:
    """The files of a part: their classes' folders, in order, and each file's name below the root and its class."""

    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]

    def chosen(self, places: NDArray[np.intp]) -> "_Listing":
        return _Listing(self.classes, tuple(self.names[place] for place in places), self.labels[places])


def load(config: DataConfig, progress: Progress | None = None) -> Data:
    """The folder's images, (channels, size, size), as a stream; files that cannot be read are left out and told.

    Raises:
        DataError: the folder cannot be read, its layout is none of those above, or too few images are left.
        ConfigError: mean or std have not one number a channel.
    """
    root = _root(config)
    try:
        parts = _parts(root)
        listed = dict(_listed(root, parts))
    except OSError as error:
        raise DataError(f"{error.filename or root} cannot be read: {error.strerror}") from None
    if not listed:
        raise DataError(f"{root} has no images; {LAYOUT}")
    looked = look_through(root, listed, progress)
    sound = [name for name, found in looked.items() if not found.problem]
    return _streamed(config, root, _split(root, parts, sound), looked)


def _root(config: DataConfig) -> Path:
    if not config.folder:
        raise DataError("folder: name the folder of your images with --data-dir DIR (setting data.folder)")
    root = own_path(config, Path())
    if not root.is_dir():
        raise DataError(f"{root} is no folder that can be read; name another with --data-dir DIR")
    return root


def _parts(root: Path) -> tuple[str, ...]:
    """The folders that hold classes, relative to the root; the root itself where there is no `train`."""
    if not (root / TRAIN).is_dir():
        return ("",)
    held_out = [name for name in HELD_OUT if any(_folders(root / name))]
    if not held_out:
        raise DataError(f"{root} has a folder train, but no folder val or test with a folder for every class; {LAYOUT}")
    return (TRAIN, held_out[0], *(["test"] if "test" in held_out[1:] else []))  # two: one validates, one tests


def _folders(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        yield from sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _listed(root: Path, parts: tuple[str, ...]) -> Iterator[tuple[str, Stamp]]:
    """Names below the root, by part, class and name, whatever order the disk has."""
    for part in parts:
        for name in _folders(root / part):
            yield from _images(root, root / part / name)


def _images(root: Path, folder: Path) -> Iterator[tuple[str, Stamp]]:
    found = [
        Path(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in SUFFIXES
    ]
    for path in sorted(path for path in found if not path.name.startswith(".")):
        yield path.relative_to(root).as_posix(), stamp_of(path)


def _split(root: Path, parts: tuple[str, ...], sound: list[str]) -> list[_Listing]:
    """Training, validation and test images, by a rule that asks for nothing but classes and numbers."""
    classes = tuple(_folders(root / parts[0]))
    if len(classes) < 2:
        raise DataError(
            f"{root / parts[0]} has {len(classes)} folders of classes, and needs two at the least; {LAYOUT}"
        )
    first, *others = (_listing(root / part, classes, part, sound) for part in parts)
    if lost := sorted(set(range(len(classes))) - set(first.labels.tolist())):
        folder = root / parts[0] / classes[lost[0]]
        raise DataError(f"{folder} has no image that can be read; put the class's images in it, or remove it")
    if len(others) == 2:
        return [first, *others]
    number = len(first.names)
    ends = [min(number // VALIDATION_SHARE, MOST_VALIDATION)] if others else [number * 2 // 15]
    if not ends[0]:
        raise DataError(f"{root / parts[0]} has {number} images that can be read, too few to split; add more")
    validation, train, test = np.split(
        np.arange(number), [ends[0], number if others else number - number // TEST_SHARE]
    )
    return [first.chosen(train), first.chosen(validation), *(others or [first.chosen(test)])]


def _listing(folder: Path, classes: tuple[str, ...], part: str, sound: list[str]) -> _Listing:
    """The files of a part that can be read, in an order every stretch of which has all classes."""
    prefix = f"{part}/" if part else ""
    names = [name for name in sound if name.startswith(prefix)]
    found = [name.removeprefix(prefix).split("/")[0] for name in names]
    if strange := sorted(set(found) - set(classes)):
        raise DataError(f"{folder / strange[0]} is a class that train does not have; remove it, or add it there")
    if not names:
        raise DataError(f"{folder} has no image that can be read; {LAYOUT}")
    number = {name: place for place, name in enumerate(classes)}
    labels = np.array([number[name] for name in found], dtype=np.int64)
    return _Listing(classes, tuple(names), labels).chosen(stratified_order(labels))


def _streamed(config: DataConfig, root: Path, lists: list[_Listing], looked: Mapping[str, Looked]) -> Data:
    recipe = Recipe(config.size, config.crop, 1 if config.colours == "gray" else 3)
    names = [name for found in lists for name in found.names]
    stream = ImageStream(ImageFiles(root, names, recipe), config.workers)
    mean, std = _normalisation(config)
    ends = np.cumsum([len(found.names) for found in lists])
    train, validation, test = (
        StreamedSplit(
            stream,
            np.arange(end - len(found.names), end),
            torch.from_numpy(found.labels),
            recipe,
            torch.tensor(mean)[:, None, None],
            torch.tensor(std)[:, None, None],
            config.augment,
        )
        for found, end in zip(lists, ends, strict=True)
    )
    checksum = md5("\n".join(f"{name} {looked[name].md5}" for name in sorted(names)).encode())
    return Data("folder", train, validation, test, lists[0].classes, mean, std, checksum, _note(looked))


def _normalisation(config: DataConfig) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean, std = GRAY if config.colours == "gray" else IMAGENET
    for name, values in (("mean", config.mean), ("std", config.std)):
        if values and len(values) != len(mean):
            raise ConfigError(f"data.{name}: {len(values)} numbers for {len(mean)} channels; give one a channel")
    return config.mean or mean, config.std or std


def _note(looked: Mapping[str, Looked]) -> str:
    broken = [f"{name} ({found.problem})" for name, found in looked.items() if found.problem]
    more = f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
    named = ", ".join(broken[:NAMED]) + more
    return f"{len(broken)} of {len(looked)} images cannot be read and are left out: {named}" if broken else ""
