"""From a file to pixels: decoded by Pillow, upright, cut out and brought to one size."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels = NDArray[np.uint8]
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # of a random crop: share of the image, width over height
TRIES = 10
UNIFORMS = 4 * TRIES + 1  # that a training image takes


class UnreadableError(Exception):
    """An image cannot be read; says why, not which."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How images become pixels (size, size, channels)."""

    size: int
    crop: float  # share of the shorter side that is cut out of the middle
    channels: int

    def evaluated(self, path: Path) -> Pixels:
        """The middle of the image. Raises UnreadableError."""
        image = self._read(path, math.ceil(self.size / self.crop))
        side = (self.size, self.size)
        return self._pixels(ImageOps.fit(image, side, Image.Resampling.BILINEAR, bleed=(1 - self.crop) / 2))

    def trained(self, path: Path, uniforms: NDArray[np.float64]) -> Pixels:
        """A random part, maybe mirrored, as UNIFORMS numbers in [0, 1) say (Szegedy et al. 2015)."""
        image = self._read(path, 4 * self.size)  # the smallest crops are about a quarter of a side
        box = random_box(image.size, uniforms[:-1])
        cut = image.resize((self.size, self.size), Image.Resampling.BILINEAR, box=box)
        pixels = self._pixels(cut)
        return np.ascontiguousarray(pixels[:, ::-1]) if uniforms[-1] < 0.5 else pixels

    def check(self, path: Path) -> None:
        """Raise UnreadableError where the image cannot be decoded to its end."""
        self._read(path, self.size)

    def _read(self, path: Path, least: int) -> Image.Image:
        """Upright, in gray or in colour; a large JPEG is decoded to no more than it takes for sides of `least`."""
        try:
            with Image.open(path) as image:
                image.draft(None, (least, least))
                return _plain(ImageOps.exif_transpose(image), "L" if self.channels == 1 else "RGB")
        except Exception as error:  # noqa: BLE001  # Pillow raises whatever a damaged file makes of its parsers
            raise UnreadableError(_reason(error)) from None

    def _pixels(self, image: Image.Image) -> Pixels:
        return np.asarray(image).reshape(self.size, self.size, self.channels)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is no image that Pillow knows" if type(error).__name__ == "UnidentifiedImageError" else str(error)


def _plain(image: Image.Image, mode: str) -> Image.Image:
    """Gray or colour, 8 bits: 16 bits are scaled, what is transparent lies on white, CMYK and palettes are resolved."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)).convert(mode)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert(mode)
    return image.convert(mode)


def random_box(size: tuple[int, int], uniforms: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a part of random area and ratio; the largest in the middle where none fits."""
    width, height = size
    for area, ratio, left, top in uniforms.reshape(-1, 4).tolist():
        wanted = width * height * (AREA[0] + area * (AREA[1] - AREA[0]))
        shape = math.exp(math.log(RATIO[0]) + ratio * math.log(RATIO[1] / RATIO[0]))
        across, down = math.sqrt(wanted * shape), math.sqrt(wanted / shape)
        if across <= width and down <= height:
            x, y = left * (width - across), top * (height - down)
            return x, y, x + across, y + down
    across, down = min(width, height * RATIO[1]), min(height, width / RATIO[0])
    x, y = (width - across) / 2, (height - down) / 2
    return x, y, x + across, y + down
