"""Downloads of a data set's files: whole, with the right sum, or not at all."""

import hashlib
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import closing
from http.client import HTTPException
from pathlib import Path

from sparseviz.config.whole_file import whole_file
from sparseviz.data.data_set import OWN_FILES, DataError, Progress

TIMEOUT_S = 30.0  # of silence
BLOCK_BYTES = 1 << 16


class _FetchError(Exception):
    """One mirror did not give the file; the next one may."""


def fetch(target: Path, homes: Sequence[str], expected: str, progress: Progress | None) -> None:
    """Put the file of this name and MD5 in its place, from the first home (an address that ends in /) that has it."""
    reasons = []
    for home in homes:
        try:
            return _fetch_from(home + target.name, target, expected, progress)
        except _FetchError as error:
            reasons.append(f"{home}{target.name}: {error}")
    raise DataError(f"{target.name} could not be fetched ({'; '.join(reasons)}); try again later, or {OWN_FILES}")


def _fetch_from(address: str, target: Path, expected: str, progress: Progress | None) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as part, part.open("wb") as file, closing(_blocks(address)) as blocks:
            for block, done, total in blocks:
                file.write(block)
                digest.update(block)
                if progress:
                    progress(target.name, done, total)
            if digest.hexdigest() != expected:
                raise _FetchError(f"MD5 {digest.hexdigest()}, expected {expected}")
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror}; name another folder with --data-dir") from None


def _blocks(address: str) -> Generator[tuple[bytes, int, int], None, None]:
    """The answer in blocks, each with the bytes done and the bytes in all (0 where the server does not say)."""
    done = 0
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - homes are constants
            total = int(answer.headers.get("Content-Length", 0))
            while block := answer.read(BLOCK_BYTES):
                done += len(block)
                yield block, done, total
    except (OSError, HTTPException, ValueError) as error:
        raise _FetchError(str(error) or type(error).__name__) from None
    if done < total:  # read() ends early without a word
        raise _FetchError(f"the answer ended after {done} of {total} bytes")
