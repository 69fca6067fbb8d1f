"""An animated GIF, written frame by frame: only the last one is kept in memory."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from PIL import Image, ImageChops
from PIL.GifImagePlugin import getdata
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from sparseviz.config.whole_file import whole_file
from sparseviz.gui.dialogs.view_file import cannot_write

_FOR_EVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"  # played again and again
_END = b";"


class GifFile:
    """Written beside, then renamed. Each method raises ViewFileError where the file cannot be written."""

    def __init__(self, path: Path, frames_a_second: int) -> None:
        self.path, self.frames = path, 0
        self._duration_ms = 1000 // frames_a_second
        self._last: Image.Image | None = None
        self._whole = contextlib.ExitStack()
        with self._writing():
            temporary = self._whole.enter_context(whole_file(path))
            self._file = self._whole.enter_context(temporary.open("wb"))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            raise cannot_write(self.path, error) from None

    def add(self, picture: QImage) -> Self:
        """Add a frame; one of another size than the first is made to fit it."""
        frame = _as_pillow(picture if self._last is None else _fitted(picture, self._last.size))
        place = (0, 0, *frame.size)
        with self._writing():
            if self._last is None:
                self._file.write(b"GIF89a" + struct.pack("<HHBBB", *frame.size, 0x70, 0, 0) + _FOR_EVER)
            else:  # what stays as it was is not stored again; a frame that is the same is one pixel
                place = ImageChops.difference(frame, self._last).getbbox() or (0, 0, 1, 1)
            # Not the default: median cut gives up the colour of a thin line, and takes eight times as long.
            colours = frame.crop(place).quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            for block in getdata(colours, place[:2], duration=self._duration_ms, include_color_table=True):
                self._file.write(block)
        self._last, self.frames = frame, self.frames + 1
        return self

    def finish(self) -> None:
        """End the file and give it its name; a file that had it before is replaced."""
        with self._writing():
            self._file.write(_END)
            self._whole.close()

    def discard(self) -> None:
        """Leave nothing behind; a finished file stays."""
        with contextlib.suppress(OSError):  # a full disk, again
            self._whole.__exit__(GeneratorExit, GeneratorExit(), None)


def _fitted(picture: QImage, size: tuple[int, int]) -> QImage:
    return picture.scaled(*size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)


def _as_pillow(picture: QImage) -> Image.Image:
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    size, stride = (plain.width(), plain.height()), plain.bytesPerLine()
    return Image.frombytes("RGB", size, bytes(plain.constBits()), "raw", "RGB", stride, 1)
