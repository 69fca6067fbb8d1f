"""One HDF5 file a run. The format stands in `format`; `RunWriter` writes it, `RunReader` reads it."""

from sparseviz.store.format import FORMAT_VERSION, RunFileError, RunInfo, TestInputs
from sparseviz.store.reader import RunReader
from sparseviz.store.summary import summary
from sparseviz.store.writer import RunWriter

__all__ = ["FORMAT_VERSION", "RunFileError", "RunInfo", "RunReader", "RunWriter", "TestInputs", "summary"]
