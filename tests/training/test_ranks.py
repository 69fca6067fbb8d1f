"""Several processes that train one network: real ones, started by torchrun, with gloo on the CPU."""

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sparseviz.cli import main as cli
from sparseviz.store import RunReader
from sparseviz.training import launch
from tests.helpers.places import ROOT
from tests.helpers.together import OTHERS, see

TOLERANCE = 1e-5  # relative, of losses after 56 steps of float32; measured: 1e-6
WEIGHT_TOLERANCE = 1e-4  # of weights and gates: Adam makes much of a small difference; measured: 2e-5
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m")
ORDINARY = ("threshold", "bernoulli", "normalised", "target", "steered", "stopped")
SLOW = ("convolution", *OTHERS)
Seen = tuple[dict[str, Any], dict[str, Any]]  # by the two ranks


def together(folder: Path, cases: tuple[str, ...], device: str = "cpu") -> dict[str, Seen]:
    """What two ranks see of these cases."""
    subprocess.run(
        [*TORCHRUN, "tests.helpers.together", str(folder), device, *cases], cwd=ROOT, check=True, timeout=300
    )
    both = {case: [folder / f"{case}-{rank}.pt" for rank in range(2)] for case in cases}
    return {case: (loaded(one), loaded(two)) for case, (one, two) in both.items()}


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(path, weights_only=False)
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict[str, Seen]:
    return together(tmp_path_factory.mktemp("together"), ORDINARY)


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """One process and rank 0, within the tolerance; masks, phases, events, errors and counts exactly."""
    for name in ("step", "phases", "events", "errors"):
        assert one[name] == other[name], name
    assert torch.equal(one["chance"], other["chance"])
    assert all(torch.equal(mask, other["masks"][name]) for name, mask in one["masks"].items())
    for ours, theirs in zip(one["scalars"], other["scalars"], strict=True):
        assert theirs == pytest.approx(ours, rel=TOLERANCE, nan_ok=True)
    for name, value in one["model"].items():
        torch.testing.assert_close(other["model"][name], value, rtol=0, atol=WEIGHT_TOLERANCE)


def assert_replicas(ranks: Seen) -> None:
    """Both have the same network, bit for bit, and draw the same."""
    one, other = ranks
    for name in ("step", "phases", "events", "errors"):
        assert one[name] == other[name], name
    assert torch.equal(one["chance"], other["chance"])
    for part in ("model", "masks"):
        assert all(torch.equal(value, other[part][name]) for name, value in one[part].items())
    for ours, theirs in zip(one["drawn"], other["drawn"], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours or (), theirs or (), strict=True))


@pytest.mark.parametrize("case", ["threshold", "bernoulli", "target"])
def test_that_two_ranks_train_as_one_process_does_uneven_and_empty_shares_included(seen, case):
    alone = see(case)
    assert alone["step"] == 56
    assert_same(alone, seen[case][0])
    assert_replicas(seen[case])
    cut = sum(int((~mask).sum()) for mask in alone["masks"].values())
    assert cut > 1000  # there is something to differ in


def test_that_a_target_freezes_the_masks_of_all_ranks_at_one_step(seen):
    assert seen["target"][1]["phases"][-1] == "frozen"
    assert [name for _, name, _ in seen["target"][1]["events"]] == ["freeze"]


def test_that_errors_are_counted_exactly_over_the_ranks(seen):
    alone = see("threshold")
    ours, theirs = alone["scalars"], seen["threshold"][1]["scalars"]
    for name in ("train_error", "validation_error"):
        counted = [
            (one[name], other[name]) for one, other in zip(ours, theirs, strict=True) if math.isfinite(one[name])
        ]
        assert len(counted) >= 4
        assert all(one == other for one, other in counted)
    assert alone["errors"] == seen["threshold"][1]["errors"]


def test_that_dropout_and_batch_norm_leave_the_ranks_alike_and_their_gates_drawn_alike(seen):
    assert_replicas(seen["normalised"])
    assert any(seen["normalised"][0]["drawn"])
    assert any("running_mean" in name for name in seen["normalised"][0]["model"])


def test_that_what_the_first_rank_is_told_holds_for_all_from_one_step_on(seen):
    alone = see("steered")
    assert [name for _, name, _ in alone["events"]] == ["penalty.lambda2", "epochs", "freeze"]
    assert_same(alone, seen["steered"][0])
    assert_replicas(seen["steered"])


def test_that_a_stop_ends_all_ranks_at_one_step_and_the_first_knows_what_all_have_counted(seen):
    one, other = seen["stopped"]
    assert_replicas((one, other))
    assert 20 <= one["step"] < 5600
    assert one["step"] % 16 == 0
    epochs, steps = divmod(one["step"], 14)
    assert one["tally"] == epochs * 1197 + steps * 92
    assert other["tally"] == 0


@pytest.mark.slow
def test_that_every_method_trains_by_ranks_as_by_one_process(tmp_path):
    for case, ranks in together(tmp_path, SLOW).items():
        assert_same(see(case), ranks[0])
        assert_replicas(ranks)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_that_two_gpus_train_as_one_does(tmp_path):
    for case, (one, other) in together(tmp_path, ("threshold", "bernoulli"), "cuda").items():
        alone = see(case, device="cuda")
        for ours, theirs in zip(alone["scalars"], one["scalars"], strict=True):
            assert theirs["loss"] == pytest.approx(ours["loss"], rel=1e-3, nan_ok=True)
        for name, mask in one["masks"].items():
            assert torch.equal(mask.cpu(), other["masks"][name].cpu())


# Real commands.

LONG = {"network": "tests.helpers.networks:normalised", "epochs": 600, "device": "cpu", "record.snapshots": 100}


@contextlib.contextmanager
def job(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Torchrun with two ranks of a command; ended at the latest when the block does."""
    command = [*TORCHRUN, "sparseviz", *map(str, arguments), "--trust-code"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.terminate()


def wait_for_step(path: Path, step: int) -> None:
    """Until the file has a checkpoint of this step or a later one."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if path.exists():
            with RunReader(path) as run:
                if max(run.checkpoint_steps()) >= step:
                    return
        time.sleep(0.4)
    pytest.fail(f"no checkpoint of step {step} in {path}")


def process_of(child: "subprocess.Popen[str]", rank: int) -> int:
    """The process id of a rank."""
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    return next(int(each) for each in children if f"\0RANK={rank}\0" in Path(f"/proc/{each}/environ").read_text())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
def test_that_a_job_ends_with_words_when_a_rank_is_killed_and_goes_on_from_its_file(tmp_path):
    path, on = tmp_path / "run.h5", tmp_path / "on.h5"
    settings = [part for name, value in LONG.items() for part in ("--set", f"{name}={value}")]
    with job("train", *settings, "--out", path) as child:
        wait_for_step(path, 1)
        os.kill(process_of(child, 1), signal.SIGKILL)
        said, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert said.count("another of the 2 processes that train together has ended") == 1
    assert "cpu x 2 ranks" in said
    assert said.count("Note: this network has batch norm and dropout, on each rank's share of a batch") == 1
    with RunReader(path) as run:
        assert run.status == "failed"
        assert "another of the 2 processes" in run.message
        last = max(run.checkpoint_steps())
        run.checkpoint(last)
        assert len(run.snapshots()) > 1
    with job("resume", path, "--out", on) as child:
        wait_for_step(on, last)
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    with RunReader(on) as run:
        assert run.status == "stopped"
        assert run.info.resumed == (last,)
        assert run.info.device == "cpu x 2 ranks"
        assert run.snapshots()[-1].step == max(run.checkpoint_steps()) > last


@pytest.fixture
def told(monkeypatch):
    """As in one of two processes, of which this one speaks."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    launch.is_first_to_tell.cache_clear()
    launch.store.cache_clear()
    yield
    launch.is_first_to_tell.cache_clear()
    launch.store.cache_clear()


@pytest.mark.parametrize("command", [[], ["gui"], ["info"], ["study", "lambdas"]])
def test_that_what_is_for_one_process_is_refused_by_several(told, capsys, command):
    with pytest.raises(SystemExit) as ended:
        cli.main(command)
    assert ended.value.code == 2
    assert "is for one process; torchrun is for train, resume, branch" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("data.name=mnist", "data.folder=nowhere"), "lacks train-images"),
        (("network=none",), "unknown 'none'"),
        (("device=cuda:0",), "cannot be shared by 2 processes"),
        (("network=tests.helpers.networks:small", "optimizer.rate=1e30"), "the loss is no longer a finite number"),
        (("network=tests.helpers.networks:partly_used",), "every parameter of the network must have a part"),
        (("penalty.lambda1=-1",), "penalty.lambda1"),
    ],
)
def test_that_what_ends_all_ranks_is_told_once(tmp_path, settings, words):
    with job("train", "--out", tmp_path / "run.h5", *(part for each in settings for part in ("--set", each))) as child:
        said, _ = child.communicate(timeout=120)
    assert child.returncode == 1
    assert said.count(words) == 1
    assert said.count("sparseviz: ") == 1 or "Usage" in said


@pytest.mark.slow
def test_that_what_ends_the_first_rank_alone_is_told_as_it_is(tmp_path):
    (tmp_path / "file").touch()
    with job("train", "--set", "device=cpu", "--out", tmp_path / "file" / "run.h5") as child:
        said, _ = child.communicate(timeout=120)
    assert child.returncode == 1
    assert said.count("cannot be written") == said.count("sparseviz: ") == 1
    assert "another of the 2 processes" not in said
