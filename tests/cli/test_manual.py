"""`sparseviz manual`: pages in a terminal and in a pipe, and what is said where there is none."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from sparseviz.config import manual, paths
from tests.helpers.program import assert_refused, environment, imports_after, program, succeeded


def test_that_a_pipe_gets_a_page_as_it_is_written(tmp_path):
    assert succeeded(program(tmp_path, "manual", "gates")).stdout == f"{manual.read('gates')}\n"


def test_that_without_a_page_it_shows_the_contents(tmp_path):
    assert succeeded(program(tmp_path, "manual")).stdout == f"{manual.read('contents')}\n"


def in_terminal(folder, columns: int, *arguments: str) -> str:
    """What the program writes to a terminal of so many columns, with its escape codes."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    told = environment(folder) | {"TERM": "xterm-256color"}
    told.pop("COLUMNS", None)  # which pytest's workers set, and which would count for more than the terminal
    command = [sys.executable, "-m", "sparseviz", *arguments]
    with subprocess.Popen(command, env=told, stdout=theirs) as process:
        os.close(theirs)
        parts = []
        while part := read(ours):
            parts.append(part)
    os.close(ours)
    assert process.returncode == 0
    return b"".join(parts).decode()


def read(ours: int) -> bytes:
    try:
        return os.read(ours, 4096)
    except OSError:  # the end, on Linux
        return b""


@pytest.mark.parametrize("columns", [60, 200])
def test_that_a_terminal_gets_tables_and_marked_words_no_wider_than_is_read_well(tmp_path, columns):
    shown = in_terminal(tmp_path, columns, "manual", "penalties")
    plain = re.sub(r"\x1b\[[\d;]*m|\r", "", shown)
    assert plain != shown
    assert "## " not in plain
    assert "|---|" not in plain
    assert "penalty.scale" in plain
    assert columns // 2 < max(map(len, plain.splitlines())) <= min(columns, 110)


def test_that_a_page_that_there_is_not_is_wrong_use_and_names_those_that_there_are(tmp_path):
    names = [entry.name for entry in manual.entries()]
    assert len(names) > 25
    assert_refused(program(tmp_path, "manual", "nonsense"), 2, "'nonsense'", *names)
    for name in ("../presets/lenet5-digits", "gates.md", "", os.sep):
        assert_refused(program(tmp_path, "manual", name), 2, "no page", "gates")


@pytest.mark.parametrize("gone", ["gates", "contents"])
def test_that_a_page_that_the_installation_lacks_is_told_with_its_file(tmp_path, gone):
    site = tmp_path / "site"
    shutil.copytree(paths.PACKAGE, site / "sparseviz", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(paths.resources(), site / "sparseviz" / "resources")
    missing = site / "sparseviz" / "resources" / "manual" / f"{gone}.md"
    missing.unlink()
    command = [sys.executable, "-m", "sparseviz", "manual", "gates"]
    there = environment(tmp_path) | {"PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=site, env=there, capture_output=True, encoding="utf-8", check=False)
    assert_refused(done, 1, str(missing), "install sparseviz anew")


def test_that_neither_torch_nor_qt_is_waited_for(tmp_path):
    assert imports_after(tmp_path, ["torch", "PySide6", "onnx"], ["manual", "methods"]) == ["imported after manual []"]
