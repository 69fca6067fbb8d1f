"""The signature of a run file, and the error that names one."""

from sparseviz.config.errors import InputError

FORMAT = "sparseviz run"

FORMAT_VERSION = 5


class RunFileError(InputError):
    """A run file cannot be read or written; the message names it."""
