"""`python -m tests`: everything that must hold, in one command; arguments go to pytest."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent  # of this very environment
CHECKS = (
    ["ruff", "check"],
    ["ruff", "format", "--check"],
    ["mypy"],
    ["lint-imports", "--no-logo"],
    ["pytest", "--numprocesses=2", "--dist=loadfile", *sys.argv[1:]],  # a file's tests share what they have trained
)


def main() -> int:
    """Run every check, also after one has failed; 1 if any has."""
    failed = []
    for program, *arguments in CHECKS:
        print("$", program, *arguments, flush=True)
        if subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, check=False).returncode:
            failed.append(program)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
