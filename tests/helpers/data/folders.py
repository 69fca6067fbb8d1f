"""Folders of images that tests train on: real files, drawn from a seed."""

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"blue": (40, 60, 210), "green": (40, 190, 60), "red": (220, 50, 40)}  # by class


def picture(colour: tuple[int, int, int], seed: int, size: tuple[int, int] = (40, 32)) -> Image.Image:
    """(width, height) of noise around a colour."""
    noise = np.random.default_rng(seed).normal(0, 40, (size[1], size[0], 3))
    return Image.fromarray(np.clip(noise + colour, 0, 255).astype(np.uint8))


def class_folders(folder: Path, each: int, *, classes=tuple(COLOURS), suffix=".png", seed=0) -> Path:
    """`each` images of every class."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for image in range(each):
            path = folder / name / f"{name}-{image:03d}{suffix}"
            picture(COLOURS.get(name, (9, 9, 9)), seed + 1000 * number + image).save(path)
    return folder


def train_and_val(folder: Path, each=24, held=6, *, val="val", **choices) -> Path:
    """ImageNet's layout."""
    class_folders(folder / "train", each, **choices)
    class_folders(folder / val, held, seed=500_000, **choices)
    return folder
