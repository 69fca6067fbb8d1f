"""A script that runs an exported file on an image, with onnxruntime, numpy and Pillow alone."""

import json
from pathlib import Path

_TEXT = '''"""Name what {model} sees in an image: python {script} IMAGE"""
import pathlib, sys
import numpy, onnxruntime
from PIL import Image

labels = {labels}
image = Image.open(sys.argv[1]).convert("{mode}").resize(({width}, {height}))
pixels = {pixels}
session = onnxruntime.InferenceSession(str(pathlib.Path(__file__).with_name("{model}")))
answers = session.run(None, {{"images": pixels}})[0][0]
print(labels[answers.argmax()])
'''


def script(  # noqa: PLR0913  # what it needs to know
    path: Path, model: Path, *, shape: tuple[int, int, int], labels: tuple[str, ...], mean: float, std: float, raw: bool
) -> str:
    """The script's text; images are (channels, height, width), light on dark as in training."""
    channels, height, width = shape
    order = "[None, None]" if channels == 1 else ".transpose(2, 0, 1)[None]"
    pixels = f"numpy.asarray(image){order}"
    if not raw:
        pixels = f"(({pixels} / 255 - {mean!r}) / {std!r}).astype(numpy.float32)"
    return _TEXT.format(
        model=model.name,
        script=path.name,
        labels=json.dumps(list(labels)),
        mode="L" if channels == 1 else "RGB",
        width=width,
        height=height,
        pixels=pixels,
    )
