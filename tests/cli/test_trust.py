"""The command line asks before it runs a person's code: at a terminal, with a flag, or not at all."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.helpers.forked import python
from tests.helpers.program import SHORT, assert_refused, environment, program, succeeded

MINE = """
import torch
open("proof", "w").close()
def make(): return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
"""
OWN = (*SHORT, "--set", "network=mine.py:make")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network and its run, whose code was allowed for that one command."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "mine.py").write_text(MINE)
    succeeded(program(folder, *OWN, "--out", "run.h5", "--trust-code"))
    (folder / "proof").unlink()
    return folder


def at_a_terminal(folder: Path, answer: str, *args: str) -> tuple[int, str]:
    """The status of the program, and all that a person saw of it."""
    ours, theirs = pty.openpty()
    told = environment(folder)
    with python("-m", "sparseviz", *args, cwd=folder, env=told, stdin=theirs, stderr=subprocess.STDOUT) as child:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        said, _ = child.communicate(timeout=120)
    os.close(ours)
    return child.wait(), said


def test_that_without_a_terminal_and_the_flag_nothing_is_run_and_the_ways_are_told(folder):
    done = program(folder, *OWN, "--out", "run.h5")
    assert_refused(done, 1, str(folder / "mine.py"), "was not run", "--trust-code", "terminal", "window")
    assert sorted(path.name for path in folder.glob("*")) == ["mine.py"]


@pytest.mark.parametrize("command", [["branch", "--at", "0"], ["export", "--no-test-set"]])
def test_that_a_run_from_elsewhere_is_asked_about_in_every_command_that_runs_its_code(trained, command):
    name, *options = command
    done = program(trained, name, "run.h5", "--out", f"{name}.new", *options)
    assert_refused(done, 1, "mine.py was not run", "--trust-code")
    assert not (trained / "proof").exists()
    succeeded(program(trained, name, "run.h5", "--out", f"{name}.new", *options, "--trust-code"))
    assert (trained / "proof").exists()
    (trained / "proof").unlink()


def test_that_a_terminal_asks_once_a_file_and_shows_it(folder):
    status, said = at_a_terminal(folder, "n", *OWN, "--out", "run.h5")
    assert status == 1
    assert [
        words
        for words in (str(folder / "mine.py"), 'open("proof"', "mine.py was not run, as you said")
        if words not in said
    ] == []
    assert not (folder / "proof").exists()
    status, said = at_a_terminal(folder, "y", *OWN, "--out", "run.h5")
    assert status == 0, said
    succeeded(program(folder, *OWN, "--out", "again.h5"))  # remembered
    (folder / "mine.py").write_text(MINE + "\n")
    assert_refused(program(folder, *OWN, "--out", "third.h5"), 1, "mine.py was not run")


def test_that_a_configuration_file_is_asked_about_too(folder):
    (folder / "from_elsewhere.toml").write_text('network = "mine.py:make"\n')
    assert_refused(program(folder, "train", "from_elsewhere.toml"), 1, "mine.py was not run")
    assert not (folder / "proof").exists()


def test_that_a_fault_of_the_file_is_told_with_its_line(folder):
    (folder / "mine.py").write_text("def make():\n    return 1 / 0\n")
    done = program(folder, *OWN, "--trust-code")
    assert done.returncode == 1
    assert "sparseviz: network '" in done.stderr
    assert "mine.py:make' could not be made: ZeroDivisionError: division by zero" in done.stderr
    assert f'File "{folder / "mine.py"}", line 2, in make\n    return 1 / 0' in done.stderr
    assert "sparseviz/networks" not in done.stderr
