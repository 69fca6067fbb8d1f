"""The program, run as a person runs it: in processes of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.forked import completed

Done = subprocess.CompletedProcess[str]
TRAIN = ("train", "--set", "threads=1", "--seed", "1", "--device", "cpu")
SHORT = (*TRAIN, "--set", "epochs=1", "--set", "record.snapshots=3")


def environment(home: Path) -> dict[str, str]:
    """Nothing lands in, or comes from, the folders of who runs the tests."""
    folders = {"XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    return os.environ | folders | {"HOME": str(home), "PYTHONIOENCODING": "utf-8"}


def python(folder: Path, *args: str) -> Done:
    """Python in `folder`, which is the home folder too."""
    command, told = [sys.executable, *args], environment(folder)
    return subprocess.run(command, cwd=folder, env=told, capture_output=True, encoding="utf-8", check=False)


def program(folder: Path, *args: object) -> Done:
    """The program there, as `python` would run it, without waiting for its imports."""
    return completed("-m", "sparseviz", *args, cwd=folder, env=environment(folder))


def succeeded(done: Done) -> Done:
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def assert_refused(done: Done, status: int, *words: str) -> None:
    assert done.returncode == status, done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout == ""


WITHOUT = """
import sys
from sparseviz.cli import main as cli
for args in {jobs}:
    try:
        cli.main(args)
    except SystemExit as end:
        assert end.code == 0, (args, end.code)
    print("imported after", args[0], [name for name in {libraries} if name in sys.modules])
"""


def imports_after(folder: Path, libraries: list[str], *jobs: list[str]) -> list[str]:
    done = succeeded(python(folder, "-c", WITHOUT.format(jobs=jobs, libraries=libraries)))
    return [line for line in done.stdout.splitlines() if line.startswith("imported after")]
