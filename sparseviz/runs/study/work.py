"""A process pool for the runs of a plan, several at a time; what is done is not done again."""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from sparseviz.config import InputError, RunConfig, own_code
from sparseviz.config.own_code import Code, OwnCodeError, Untrusted
from sparseviz.data import load_data
from sparseviz.runs.recording import record_run
from sparseviz.runs.study.plan import Plan, PlannedRun
from sparseviz.store import RunReader

PART = ".part"  # in the name of a run file that is not finished


class StudyError(InputError):
    """A study cannot go on, or some of its runs failed."""


Told = Callable[[str, int, int], None]


def run_path(folder: Path, run: PlannedRun) -> Path:
    """Where the file of a finished run lies."""
    return folder / "runs" / f"{run.name}.h5"


def run_study(plan: Plan, folder: Path, *, jobs: int = 1, told: Told | None = None) -> None:
    """Train what `folder` does not have yet, `jobs` at a time; `told` hears of each run (name, done, all).

    Raises StudyError where a file in the folder is another run, and, after all the others, where runs failed.
    """
    missing = [run for run in plan.runs if not _is_done(run, run_path(folder, run))]
    if not missing:
        return
    code = _own_code(run.config for run in missing)
    load_data(missing[0].config.data)  # once, so that no two processes fetch it, and bad paths are told at once
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    _remove_parts(folder)
    failed, done = [], len(plan.runs) - len(missing)
    # spawn: a fork would copy torch's threads in whatever state they are
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_trust, initargs=(code,)) as workers:
        futures = {workers.submit(_record, run.config, run_path(folder, run)): run for run in missing}
        try:
            for future in as_completed(futures):
                if error := future.exception():
                    failed.append(f"{futures[future].name}: {error}")
                done += 1
                if told:
                    told(futures[future].name, done, len(plan.runs))
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise
    if failed:
        raise StudyError(f"{len(failed)} of {len(plan.runs)} runs failed. {'; '.join(failed)}")


def _own_code(configs: Iterable[RunConfig]) -> list[Code]:
    """The person's code that runs would run. Raises Untrusted before any of it is."""
    names = {name for config in configs for name in (config.network, config.data.name) if ":" in name}
    found: list[Code] = []
    for name in names:
        with contextlib.suppress(OwnCodeError):  # its run says so
            found.append(own_code.find(name))
    for code in found:
        if not own_code.is_trusted(code):
            raise Untrusted(code)
    return found


def _trust(found: Iterable[Code]) -> None:
    """In a worker: what was allowed in the process that asked."""
    for code in found:
        own_code.trust(code, remember=False)


def _is_done(run: PlannedRun, path: Path) -> bool:
    if not path.is_file():
        return False
    with RunReader(path) as found:
        if found.config != run.config:
            raise StudyError(
                f"{path} was trained with other settings than this study asks for; move it away or choose "
                "another folder with --out"
            )
    return True


def _record(config: RunConfig, path: Path) -> None:
    """In a worker: the file gets its name when the run is whole, so that a killed run leaves no doubt."""
    part = path.with_name(f"{path.stem}{PART}{os.getpid()}.h5")
    try:
        record_run(config, part)
    except InputError as error:
        raise StudyError(str(error)) from None  # the same in any process
    part.replace(path)


def _remove_parts(folder: Path) -> None:
    """What killed workers left: also the hidden file that a writer makes before the run file has its name."""
    for path in (folder / "runs").glob(f"*{PART}*"):
        with contextlib.suppress(OSError):
            path.unlink()
