"""`python -m tests`: everything that must hold, in one command; `--fast`: part of it, while writing.

All other arguments go to pytest.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent  # of this very environment
STATIC = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["lint-imports", "--no-logo"])
PYTEST = ["pytest", "--numprocesses=2", "--dist=loadfile"]  # a file's tests share what they have trained
FAST = ("config", "data", "methods", "networks", "store", "values")  # the rooms below training
NOT_FAST = (  # which train, damage and kill by the dozen
    *("methods/test_pruned.py", "store/test_damage.py", "store/test_fuzz.py", "store/test_killed.py"),
    "store/test_probing.py",
)


def pytest_command(arguments: list[str]) -> list[str]:
    """Pytest on what is asked for."""
    given = [each for each in arguments if each != "--fast"]
    if given == arguments:
        return [*PYTEST, *given]
    return [*PYTEST, *(f"tests/{room}" for room in FAST), *(f"--ignore=tests/{file}" for file in NOT_FAST), *given]


def left_out() -> list[str]:
    """What of the tests `--fast` does not run."""
    rooms = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    return [*sorted(rooms - set(FAST)), *NOT_FAST]


def main() -> int:
    """Run every check, also after one has failed; 1 if any has. What reads the sources is done side by side."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every process that a test starts compiles the program anew
    failed = []
    for (program, *arguments), static in [(each, begun(each)) for each in STATIC]:
        print("$", program, *arguments)
        print(static.communicate()[0], end="", flush=True)
        failed += [program] if static.returncode else []
    program, *arguments = pytest_command(sys.argv[1:])
    print("$", program, *arguments, flush=True)
    failed += [program] if subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, check=False).returncode else []
    if "--fast" in sys.argv:
        print("not run:", ", ".join(left_out()))
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def begun(command: list[str]) -> "subprocess.Popen[str]":
    """A check that runs on its own, and whose words are kept."""
    program, *arguments = command
    pipe, same = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen([PROGRAMS / program, *arguments], cwd=ROOT, stdout=pipe, stderr=same, text=True)


if __name__ == "__main__":
    sys.exit(main())
