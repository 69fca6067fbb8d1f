"""Migrations: what files of older formats say, as a file of format 5 says it; the files themselves stay as they are.

What a new file may lack too, its readers see for themselves: masks of snapshots (not in formats 1 to 3), and when a
weight was cut (not in format 1).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

RESUMED_FROM = 3  # the first format that has what it takes to go on

# Attributes of the root that came later, as files say that have nothing to tell there.
_LATER = {"resumed": "[]", "id": "", "parent": "null", "weights_note": ""}


def root_attributes(found: Mapping[str, Any]) -> dict[str, Any]:
    """All of the root's attributes, of any format."""
    return {**_LATER, **found}


def by_channel(value: Any) -> tuple[float, ...]:
    """A mean or a deviation for each channel; before format 5 one number, as images had one channel."""
    return tuple(np.atleast_1d(value).astype(float).tolist())


def state_numbers(found: Any) -> Any:
    """The numbers of a state, which before format 5 always has what the last snapshot saw."""
    if "seen_apart" in found.dtype.names:
        return found
    more = np.ones(1, [*found.dtype.descr, ("seen_apart", "f8")])
    for name in found.dtype.names:
        more[name] = found[name]
    return more
