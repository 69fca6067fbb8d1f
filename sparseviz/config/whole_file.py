"""Files that are written whole, and only then get their name."""

import os
from pathlib import Path


def rename_to_new(temporary: Path, path: Path) -> None:
    """Give a finished file its name. Raises FileExistsError where that is taken: plain rename overwrites on POSIX."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        temporary.rename(path)
    else:
        temporary.unlink()
