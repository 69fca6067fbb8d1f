"""What the person can choose of an export."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparseviz.config import InputError

STORAGES = ("dense", "coo")
OPSETS = (18, 23)  # the least and the greatest that torch's exporter and onnxruntime both know
Storage = Literal["dense", "coo"]


class ExportError(InputError):
    """A file cannot be written, or is not proven."""


class OptionError(ExportError):
    """Options that do not go together."""

    status = 2  # wrong use


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How the file is written; the defaults write the network as it was trained, cut weights as zeros."""

    compact: bool = False  # take out units, filters and inputs that change no output
    storage: Storage = "dense"  # or "coo": values with their places, put into zeros when the file is loaded
    half: bool = False  # weights stored as float16; the file computes in float32 all the same
    int8: bool = False  # weights in 8 bits by onnxruntime's quantizer
    raw_pixels: bool = False  # the file reads uint8 pixels, (batch, channels, height, width), and normalises itself
    opset: int | None = None  # torch's own unless given
    report: bool = False  # write .json and .md beside the file, with latencies
    script: bool = False  # write a Python script beside the file that runs it on an image
    test_set: bool = True  # prove on the whole test set where its files are there; they are never downloaded
    data_folder: str | None = None  # where the data set's files are; as the run had it unless given
    licence: str = ""  # of the exported model, for its metadata

    def __post_init__(self) -> None:
        if self.int8 and (self.half or self.storage == "coo"):
            raise OptionError("int8 cannot be combined with coo or half: it has a storage of its own")
        if self.storage not in STORAGES:
            raise OptionError(f"storage '{self.storage}': choose one of {', '.join(STORAGES)}")
        if self.opset is not None and not OPSETS[0] <= self.opset <= OPSETS[1]:
            raise OptionError(f"opset {self.opset}: choose one from {OPSETS[0]} to {OPSETS[1]}")

    @property
    def kind(self) -> str:
        """The storage in a word: how exact the file can be depends on it."""
        return "int8" if self.int8 else "float16" if self.half else "float32"

    def companions(self, out: Path) -> dict[str, Path]:
        """The other files that are written beside `out`, by what they are."""
        found = {"json": out.with_suffix(".json"), "markdown": out.with_suffix(".md")} if self.report else {}
        return found | ({"script": out.with_name(f"{out.stem}_onnx.py")} if self.script else {})
