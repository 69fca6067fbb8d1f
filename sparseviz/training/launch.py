"""The torchrun environment: a process's place among those that train one network; imported without torch."""

import os
from datetime import timedelta
from functools import cache
from typing import Any

CONNECT_S = 300.0  # for all processes to come together; a large machine's nodes do not start at once


def processes() -> int:
    """How many train together; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process among them, from 0, which alone writes and speaks."""
    return int(os.environ.get("RANK", "0")) if processes() > 1 else 0


def local_rank() -> int:
    """Its number among those on this machine, which is its GPU's."""
    return int(os.environ.get("LOCAL_RANK", "0")) if processes() > 1 else 0


@cache
def store() -> Any:
    """The store that torchrun keeps for its processes, a torch.distributed.Store; it outlives each of them."""
    from torch.distributed.rendezvous import rendezvous  # noqa: PLC0415  # the window and `--help` do without torch

    return next(iter(rendezvous("env://", timeout=timedelta(seconds=CONNECT_S))))[0]


@cache
def is_first_to_tell() -> bool:
    """Whether this process is to say why it cannot go on: what ends one ends all, and the first knows the cause."""
    if processes() == 1:
        return True
    try:
        return bool(store().add("told", 1) == 1)
    except Exception:  # noqa: BLE001  # without the store nothing can be settled, and something must be said
        return rank() == 0
