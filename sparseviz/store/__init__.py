"""One HDF5 file a run. The format stands in `format`; `RunWriter` writes it, `RunReader` reads it."""

from typing import TYPE_CHECKING, Any

from sparseviz.config.lazy import attribute

if TYPE_CHECKING:
    from sparseviz.store.files.place import WriteError
    from sparseviz.store.files.signature import FORMAT_VERSION, RunFileError
    from sparseviz.store.format import Parent, RunInfo, TestInputs
    from sparseviz.store.reader import RunReader
    from sparseviz.store.resuming import ResumePoint, branch_configs, branch_point, resume_point
    from sparseviz.store.run_summary import summary
    from sparseviz.store.writer import RunWriter

_HOMES = {
    **dict.fromkeys(("FORMAT_VERSION", "RunFileError"), "files.signature"),
    **dict.fromkeys(("Parent", "RunInfo", "TestInputs"), "format"),
    **dict.fromkeys(("ResumePoint", "branch_configs", "branch_point", "resume_point"), "resuming"),
    "RunReader": "reader",
    "RunWriter": "writer",
    "WriteError": "files.place",
    "summary": "run_summary",
}

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


def __getattr__(name: str) -> Any:
    return attribute(__name__, _HOMES, name)
