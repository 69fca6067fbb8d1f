"""Arrays by name as Data: what an .npz file or a person's own function gives."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparseviz.data.data_set import Data, DataError, md5
from sparseviz.data.in_memory import Part, Pixels, normalised

NAMES = "train_images, train_labels, test_images, test_labels and, if you like, validation_images, validation_labels"
VALIDATION_SHARE = 10  # the last tenth of the training images, where none are given to validate


def from_arrays(name: str, arrays: Mapping[str, Any], source: str, *, augmented: bool = False) -> Data:
    """Data of these arrays (NAMES; `classes` are the names of the classes, else their numbers).

    Images are uint8 (N, H, W) or (N, H, W, C), or floats (N, H, W) or (N, C, H, W) that are taken as they are; all are
    normalised by channel. Raises DataError, which names source, array and shape.
    """
    found = {part: _part(arrays, part, source) for part in ("train", "validation", "test") if _has(arrays, part)}
    for part in ("train", "test"):
        if part not in found:
            raise DataError(f"{source} lacks {part}_images; it needs {NAMES}")
    if "validation" not in found:
        images, labels = found["train"]
        cut = len(labels) - len(labels) // VALIDATION_SHARE
        found |= {"train": (images[:cut], labels[:cut]), "validation": (images[cut:], labels[cut:])}
    parts = [found[part] for part in ("train", "validation", "test")]
    _check(found, source)
    sums = md5(*(np.ascontiguousarray(values).tobytes() for part in parts for values in part))
    return normalised(name, parts, _classes(arrays, found, source), checksum=sums, augmented=augmented)


def _has(arrays: Mapping[str, Any], part: str) -> bool:
    return f"{part}_images" in arrays or f"{part}_labels" in arrays


def _part(arrays: Mapping[str, Any], part: str, source: str) -> Part:
    for name in (f"{part}_images", f"{part}_labels"):
        if name not in arrays:
            raise DataError(f"{source} lacks {name}; it needs {NAMES}")
    images = _pixels(np.asarray(arrays[f"{part}_images"]), f"{source}: {part}_images")
    labels = np.asarray(arrays[f"{part}_labels"])
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise DataError(
            f"{source}: {part}_labels is {_facts(labels)}, expected whole numbers ({len(images)},), one an image"
        )
    return images, labels.astype(np.int64)


def _pixels(images: NDArray[Any], name: str) -> Pixels:
    """(N, C, H, W) float32, a copy."""
    is_bytes = images.dtype == np.uint8
    if images.ndim not in (3, 4) or not (is_bytes or images.dtype.kind == "f") or not images.size:
        raise DataError(
            f"{name} is {_facts(images)}, expected uint8 (N, H, W[, C]) or floats (N, H, W) or (N, C, H, W)"
        )
    if images.ndim == 3:
        images = images[:, None]
    elif is_bytes:
        images = np.moveaxis(images, 3, 1)
    pixels = np.array(images, dtype=np.float32, order="C")
    if not np.isfinite(pixels).all():
        raise DataError(f"{name} holds numbers that are not finite; remove those images")
    return np.divide(pixels, 255, out=pixels) if is_bytes else pixels


def _facts(array: NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape}"


def _check(parts: Mapping[str, Part], source: str) -> None:
    shape = parts["train"][0].shape[1:]
    for part, (images, labels) in parts.items():
        if not len(labels):
            raise DataError(f"{source}: too few {part} images; add more")
        if images.shape[1:] != shape:
            raise DataError(
                f"{source}: {part}_images are of {images.shape[1:]} each (channels, height, width), train_images of "
                f"{shape}"
            )
        if labels.min() < 0:
            raise DataError(f"{source}: {part}_labels holds {labels.min()}; classes are counted from 0")


def _classes(arrays: Mapping[str, Any], parts: Mapping[str, Part], source: str) -> tuple[str, ...]:
    number = 1 + max(int(labels.max()) for _, labels in parts.values())
    if "classes" not in arrays:
        return tuple(map(str, range(number)))
    names = tuple(str(name) for name in np.asarray(arrays["classes"]).tolist())
    if len(names) < number:
        raise DataError(f"{source}: classes has {len(names)} names, but labels go up to {number - 1}")
    return names
