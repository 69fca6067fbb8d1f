"""A state_dict that torch saved: read by torch's own restricted unpickler, which executes nothing of the file.

What that refuses is refused here. Before, the archive is checked for what would grow in memory.
"""

import mmap
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sparseviz.networks.stored_tensors import ModelFileError

NESTED = ("state_dict", "model_state_dict", "model")  # keys under which training programs keep it
MOST_PICKLE_BYTES = 1 << 28
_GROWS = b"bytearray"  # the one call that the restricted unpickler allows whose size is the file's to say


def load_state(path: Path) -> Mapping[Any, Any]:
    """The state_dict in a file of torch.save. Raises ModelFileError."""
    return _state_of(path, _load(path))


def _load(path: Path) -> Any:
    """What the file holds; tensors stay on disk until they are read, where the archive is not of the old form."""
    try:
        is_archive = zipfile.is_zipfile(path)
        _check_archive(path) if is_archive else _check_old(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    except ModelFileError:
        raise
    except pickle.UnpicklingError as error:
        raise ModelFileError(f"{path} was not opened: {_reason(str(error))}") from None
    except Exception as error:
        raise ModelFileError(
            f"{path} is no whole file of torch.save: {type(error).__name__}: {_first(error)}"
        ) from error


def _reason(text: str) -> str:
    """The restricted unpickler's refusal in a sentence."""
    if found := re.search(r"GLOBAL (\S+)", text):
        return (
            f"besides tensors it holds the object {found[1]}, and reading that could run code of the file; "
            "save the state_dict alone, with torch.save(model.state_dict(), ...)"
        )
    return f"torch's restricted reader refuses it ({text.splitlines()[-1] if text else 'no reason given'})"


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or "no reason given"


def _check_archive(path: Path) -> None:
    """Refuse what torch does not write: it stores its records as they are, none larger than the file."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        packed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
        if packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise ModelFileError(f"{path} is no file of torch.save: its record {(packed or ['list'])[0]} is packed")
        for entry in entries:
            if entry.filename.endswith("data.pkl"):
                _check_pickle(path, archive.read(entry) if entry.file_size <= MOST_PICKLE_BYTES else _GROWS)


def _check_old(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _check_pickle(path, content)


def _check_pickle(path: Path, content: "bytes | mmap.mmap") -> None:
    if content.find(_GROWS) >= 0:
        raise ModelFileError(f"{path} was not opened: it asks for memory that no state_dict needs")


def _state_of(path: Path, found: Any) -> Mapping[Any, Any]:
    """The state_dict, or that which lies in it under a usual name."""
    nested = [found[key] for key in NESTED if isinstance(found, dict) and isinstance(found.get(key), dict)]
    state = nested[0] if nested else found
    if not isinstance(state, Mapping):
        raise ModelFileError(f"{path} holds a {type(state).__name__}, not a state_dict; save model.state_dict()")
    return state
