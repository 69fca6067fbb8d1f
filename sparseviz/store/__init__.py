"""One HDF5 file a run. The format stands in `format`; `RunWriter` writes it, `RunReader` reads it."""

from sparseviz.store.format import FORMAT_VERSION, Parent, RunFileError, RunInfo, TestInputs
from sparseviz.store.place import WriteError
from sparseviz.store.reader import RunReader
from sparseviz.store.resuming import ResumePoint, branch_configs, branch_point, resume_point
from sparseviz.store.summary import summary
from sparseviz.store.writer import RunWriter

__all__ = [
    "FORMAT_VERSION",
    "Parent",
    "ResumePoint",
    "RunFileError",
    "RunInfo",
    "RunReader",
    "RunWriter",
    "TestInputs",
    "WriteError",
    "branch_configs",
    "branch_point",
    "resume_point",
    "summary",
]
