"""A script that runs an exported file on an image, with onnxruntime, numpy and Pillow alone."""

import json
from dataclasses import dataclass
from pathlib import Path

_TEXT = '''"""Name what {model} sees in an image: python {script} IMAGE"""
import pathlib, sys
import numpy, onnxruntime
from PIL import Image{ops}

labels = {labels}
image = {image}
pixels = {pixels}
session = onnxruntime.InferenceSession(str(pathlib.Path(__file__).with_name("{model}")))
answers = session.run(None, {{"images": pixels}})[0][0]
print(labels[answers.argmax()])
'''


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes the input of an exported file."""

    shape: tuple[int, int, int]  # channels, height, width
    mean: tuple[float, ...]  # by channel, of pixels from 0 to 1
    std: tuple[float, ...]
    raw: bool  # whether the file takes pixels as they are
    crop: float | None = None  # share of the shorter side that is cut out of the middle; None: all, as it is

    def image(self) -> str:
        """The expression of an image of the right size."""
        channels, height, width = self.shape
        mode = "L" if channels == 1 else "RGB"
        if self.crop is None:
            return f'Image.open(sys.argv[1]).convert("{mode}").resize(({width}, {height}))'
        upright = f'ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("{mode}")'
        bleed = round((1 - self.crop) / 2, 6)
        return f"ImageOps.fit({upright}, ({width}, {height}), Image.Resampling.BILINEAR, bleed={bleed})"

    def pixels(self) -> str:
        """The expression of what the file is fed."""
        gray = self.shape[0] == 1
        order, mean, std = ("[None, None]", self.mean[0], self.std[0]) if gray else ("", self.mean, self.std)
        pixels = f"numpy.asarray(image){order}"
        if not self.raw:
            pixels = f"(({pixels} / 255 - {mean!r}) / {std!r}).astype(numpy.float32)"
        return pixels if gray else f"{pixels}.transpose(2, 0, 1)[None]"


def script(path: Path, model: Path, labels: tuple[str, ...], preprocessing: Preprocessing) -> str:
    """The script's text; images are as in training, digits light on dark."""
    return _TEXT.format(
        model=model.name,
        script=path.name,
        labels=json.dumps(list(labels)),
        ops="" if preprocessing.crop is None else ", ImageOps",
        image=preprocessing.image(),
        pixels=preprocessing.pixels(),
    )
