"""What a run needs of memory is told before it starts, and running out of it loses nothing but the steps since."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sparseviz.config import ConfigError, InputError, RunConfig
from sparseviz.runs.recording import branch_run, record_run, resume_run
from sparseviz.store import RunReader
from sparseviz.training.memory import PROGRAM, Memory, check_memory, free_bytes, memory_of, what_to_reduce
from tests.helpers.forked import completed
from tests.helpers.places import ROOT
from tests.helpers.program import program, succeeded
from tests.helpers.runs import Seen, short

IMAGES = (1, 28, 28)


def told(classes=10, shape=IMAGES, **changes) -> Memory:
    settings = {name.replace("__", "."): value for name, value in changes.items()}
    found = memory_of(RunConfig(device="cpu").changed(settings), shape, classes)
    assert found is not None
    return found


class TestEstimate:
    def test_that_the_parts_of_lenet_5_are_its_sizes(self):
        memory = told(network="lenet5")
        assert memory.device["weights"] == 4 * 431_080
        assert memory.device["gates"] == 4 * 430_500
        assert memory.device["gradients"] == 4 * (431_080 + 430_500)
        assert memory.device["optimizer"] == 8 * (431_080 + 430_500)
        assert memory.device["last masks and ages"] == 5 * 430_500

    def test_that_activations_are_what_autograd_keeps(self):
        kept = [
            told(network="lenet300", batch_size=128, accumulate=parts).device[f"activations of {128 // parts} images"]
            for parts in (1, 2, 4)
        ]
        an_image = (kept[0] - kept[1]) / 64
        assert kept[1] - kept[2] == 32 * an_image  # the masked weights are there for any number of images
        assert 4 * (784 + 300 + 100 + 10) <= an_image <= 8 * (784 + 300 + 100 + 10)
        beside = kept[0] - 128 * an_image  # masked weights of fc2 and fc3; the images need no gradient through fc1
        assert 4 * 31_000 <= beside <= 3 * 4 * 266_200

    @pytest.mark.parametrize(
        ("changes", "part", "share"),
        [
            ({"optimizer__weights": "sgd", "optimizer__gates": "sgd"}, "optimizer", 1 / 4),
            ({"gate__layers": ("fc1",)}, "gates", 235_200 / 266_200),
        ],
    )
    def test_that_what_is_advised_does_reduce_it(self, changes, part, share):
        before, after = told(network="lenet300"), told(network="lenet300", **changes)
        assert after.device[part] == pytest.approx(before.device[part] * share, rel=0.01)

    @pytest.mark.parametrize(
        ("images", "ranks", "accumulate", "at_once"), [(1000, 1, 1, 128), (50, 1, 1, 50), (1000, 3, 2, 22)]
    )
    def test_that_no_more_images_are_counted_than_a_pass_of_one_process_reads(self, images, ranks, accumulate, at_once):
        memory = memory_of(RunConfig(device="cpu", accumulate=accumulate), IMAGES, 10, images, ranks)
        assert memory is not None
        assert f"activations of {at_once} images" in memory.device

    def test_that_vgg_16_is_measured_without_being_allocated(self):
        memory = told(1000, (3, 224, 224), network="vgg16", batch_size=4)
        assert memory.device["weights"] == 4 * 138_357_544
        assert 7e9 < memory.needed < 11e9

    def test_that_a_network_that_cannot_read_the_images_is_refused_as_in_a_run(self):
        with pytest.raises(InputError, match="lenet5 needs images of"):
            told(shape=(3, 32, 32), network="lenet5")
        with pytest.raises(ConfigError, match="network: unknown"):
            told(network="lenet6")

    def test_that_a_network_of_ones_own_that_needs_real_memory_is_not_measured(self):
        assert memory_of(RunConfig(network="tests.helpers.networks:Noisy"), IMAGES, 10) is not None
        assert memory_of(RunConfig(network="tests.helpers.networks:small", batch_size=7), (3, 5, 5), 10) is None


class Stopping(Seen):
    """A watcher that stops the run at its first snapshot."""

    def saw(self, snapshot):
        super().saw(snapshot)
        self.trainer.stop()


class TestFit:
    def test_that_what_does_not_fit_is_refused_with_what_there_is_and_what_to_reduce(self, monkeypatch):
        monkeypatch.setattr("sparseviz.training.memory.free_bytes", lambda _: 10**6)
        config = RunConfig(device="cpu")
        said = r"needs about 0\.\d+ GB .*; 1\.0 MB are free on cpu; .*accumulate.*batch_size.*optimizer\.weights"
        with pytest.raises(InputError, match=said):
            check_memory(told(), config)

    def test_that_it_is_refused_before_a_file_is_made(self, monkeypatch, tmp_path):
        monkeypatch.setattr("sparseviz.training.memory.free_bytes", lambda _: 10**6)
        with pytest.raises(InputError, match="memory"):
            record_run(short(), tmp_path / "run.h5")
        assert list(tmp_path.iterdir()) == []

    def test_that_a_resume_and_a_branch_are_refused_too(self, monkeypatch, tmp_path):
        source = record_run(short(), tmp_path / "run.h5", watcher=Stopping())
        monkeypatch.setattr("sparseviz.training.memory.free_bytes", lambda _: 10**6)
        with pytest.raises(InputError, match="needs about"):
            branch_run(source, 0, {}, tmp_path / "branch.h5")
        with pytest.raises(InputError, match="needs about"):
            resume_run(source, tmp_path / "on.h5")
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".h5"] == ["run.h5"]

    def test_that_only_what_helps_is_advised(self):
        config = RunConfig().changed({"batch_size": 1, "optimizer.weights": "sgd", "method.name": "dense"})
        assert what_to_reduce(config) == "to need less: set precision=bfloat16"

    def test_that_this_computer_says_what_is_free(self):
        free = free_bytes(torch.device("cpu"))
        assert free is not None
        assert free > PROGRAM


RUN = """
import json, resource, sys
from sparseviz.config import InputError, RunConfig
from sparseviz.runs.recording import record_run
from tests.helpers.runs import Seen, short, trust
trust("tests.helpers.networks:hungry")
class Narrowing(Seen):
    def saw(self, snapshot):
        if snapshot.step == 8:
            size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 20), size + (1 << 20)))
try:
    record_run(short(json.loads(sys.argv[2])), sys.argv[1], watcher=Narrowing())
except InputError as error:
    print("told:", error)
"""
NARROW = {"epochs": 4, "network": "tests.helpers.networks:hungry", "record.snapshots": 20, "batch_size": 100}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits its own memory")
def test_that_running_out_of_memory_is_told_and_the_file_is_whole_and_goes_on(tmp_path):
    done = completed("-c", RUN, tmp_path / "run.h5", json.dumps(NARROW))
    assert "told: out of memory" in done.stdout, done.stderr
    assert "to need less: raise accumulate" in done.stdout
    with RunReader(tmp_path / "run.h5") as run:
        assert run.status == "failed"
        steps = run.checkpoint_steps()
        assert "out of memory" in run.message
        assert 0 < steps[-1] <= run.snapshots()[-1].step
    resumed = resume_run(tmp_path / "run.h5", tmp_path / "resumed.h5")
    with RunReader(resumed) as run:
        assert (run.status, run.info.resumed) == ("finished", (steps[-1],))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its peak from Linux")
def test_that_the_estimate_of_lenet_5_is_near_its_peak(tmp_path):
    code = (
        "from sparseviz.config import RunConfig; from sparseviz.runs.recording import record_run; import sys, pathlib;"
        "record_run(RunConfig().changed({'device': 'cpu', 'epochs': 1, 'record.snapshots': 3}), sys.argv[1]);"
        "print([l for l in pathlib.Path('/proc/self/status').read_text().splitlines() if l.startswith('VmHWM')])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run.h5")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    peak = 1024 * int(done.stdout.split()[-2])
    assert told(network="lenet5").needed == pytest.approx(peak, rel=0.25)


def test_that_the_command_line_tells_of_it_and_does_not_train(tmp_path):
    done = succeeded(program(tmp_path, "train", "--estimate", "--out", "run.h5"))
    lines = dict(line.rsplit(maxsplit=2)[:2] for line in done.stdout.splitlines())
    assert {"weights", "gates", "optimizer", "in all", "free"} <= set(lines)
    assert float(lines["in all"]) == pytest.approx(0.58, abs=0.02)
    assert not (tmp_path / "run.h5").exists()
