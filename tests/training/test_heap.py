"""Freed memory is kept: told by what a process still holds when its tensors are gone."""

import subprocess
import sys

import pytest

HELD = """
import os, sys
from pathlib import Path
import torch
from sparseviz.training.heap import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20
before = held()
tensors = [torch.ones(3 << 20) for _ in range(4)]  # 12 MiB each
tensors.clear()
print(held() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc is told")
def test_that_the_memory_of_freed_tensors_is_kept_for_the_next_step():
    def mebibytes(how):
        said = subprocess.run([sys.executable, "-c", HELD, how], capture_output=True, text=True, check=True)
        return int(said.stdout)

    assert mebibytes("as it was") < 24
    assert mebibytes("kept") >= 40
