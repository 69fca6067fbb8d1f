"""`python -m tests`: what it runs, and what it says that it does not."""

from pathlib import Path

from tests.__main__ import FAST, NOT_FAST, PYTEST, ROOT, left_out, pytest_command


def test_that_all_arguments_but_fast_go_to_pytest_as_they_are():
    given = ["-k", "lock", "--durations=3", "tests/gui/test_app.py"]
    assert pytest_command(given) == [*PYTEST, *given]
    assert pytest_command([]) == PYTEST
    chosen = pytest_command(["-k", "lock", "--fast", "--durations=3", "tests/gui/test_app.py"])
    assert chosen[-4:] == given
    assert "--fast" not in chosen


def test_that_fast_runs_or_names_every_room_and_file():
    chosen = pytest_command(["--fast"])
    rooms = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert {f"tests/{room}" for room in FAST} <= set(chosen)
    assert set(left_out()) == rooms - set(FAST) | set(NOT_FAST)
    assert all(Path(ROOT / "tests" / name).exists() for name in (*FAST, *left_out()))
    assert [each for each in chosen if "ignore" in each] == [f"--ignore=tests/{file}" for file in NOT_FAST]
