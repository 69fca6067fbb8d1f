"""convert_run(): write beside, then rename; nothing is overwritten, and nothing is left of what failed."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sparseviz.config.whole_file import whole_file
from sparseviz.export.convert.moment import ConvertError, Moment
from sparseviz.export.convert.tables import write_tables
from sparseviz.export.convert.tensorboard import write_events
from sparseviz.export.convert.tensors import write_tensors
from sparseviz.store import RunReader


@dataclass(frozen=True, slots=True)
class Form:
    """A form for other tools."""

    ending: str  # of the file or folder beside the run, in place of .h5
    write: Callable[[Moment, Path], None]  # makes the path, a file or a folder; raises ConvertError or OSError


FORMS = {
    "csv": Form("-csv", write_tables),
    "tensorboard": Form("-tensorboard", write_events),
    "safetensors": Form(".safetensors", write_tensors),
}


def place_beside(run: Path, form: str) -> Path:
    """Where a run's conversion goes unless another place is named."""
    return run.with_name(run.stem + FORMS[form].ending)


def convert_run(run: str | Path, form: str, out: str | Path | None = None, *, step: int | None = None) -> Path:
    """Convert a run, as it stood at `step` or as it is now, to one of FORMS; gives where it is.

    Raises RunFileError for the run, ConvertError for what cannot be written or is there already.
    """
    out = Path(out) if out else place_beside(Path(run), form)
    if out.exists():
        raise ConvertError(f"{out} exists already and is not overwritten; choose another name")
    with RunReader(run) as reader, _new(out) as temporary:
        FORMS[form].write(Moment(reader, step), temporary)
    return out


@contextlib.contextmanager
def _new(out: Path) -> Iterator[Path]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(out, is_new=True) as temporary:
            yield temporary
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise ConvertError(f"{out} cannot be written: {reason}; choose another folder or name") from error
