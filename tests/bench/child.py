"""A function in a process of its own, where imports, threads, the heap and Qt begin anew."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.helpers.places import ROOT

_MARK = "measured: "
_PLACES = ("SPARSEVIZ_SETTINGS", "XDG_DATA_HOME", "TMPDIR")
_FONTS = Path("/usr/share/fonts/truetype/dejavu")  # Qt's offscreen platform finds none by itself


class ChildError(Exception):
    """The process broke off; the message is the end of what it said."""


def call(function: str, *arguments: Any) -> Any:
    """What `module:function` of this package gives for these arguments; both are JSON."""
    command = [sys.executable, "-m", "tests.bench.child", function, json.dumps(arguments)]
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, check=False)
    answers = [line for line in ended.stdout.splitlines() if line.startswith(_MARK)]
    if ended.returncode or not answers:
        said = (ended.stderr.strip() or ended.stdout.strip() or "nothing was said").splitlines()
        raise ChildError(f"status {ended.returncode}: {said[-1]}")
    return json.loads(answers[-1].removeprefix(_MARK))


def environment(folder: str) -> dict[str, str]:
    """This process's, with Qt drawing in memory, and runs, settings and what is temporary in a folder that goes.

    Python may keep what it compiled, as an installed package has it: else every start compiles ours and no library's.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ours = {"QT_QPA_PLATFORM": "offscreen"} | ({"QT_QPA_FONTDIR": str(_FONTS)} if _FONTS.is_dir() else {})
    return ours | kept | {"PYTHONPATH": str(ROOT)} | dict.fromkeys(_PLACES, folder)


def main() -> None:
    """Call the function that the command line names, and say what it gives."""
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(f"tests.bench.{module}"), name)
    print(f"{_MARK}{json.dumps(function(*json.loads(sys.argv[2])))}", flush=True)
    sys.stdout.flush()
    os._exit(0)  # what is measured is measured: no library's end of process shall spoil it


if __name__ == "__main__":
    main()
