"""The program itself, run as a person runs it: in processes of its own."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import onnx
import pytest

from sparseviz import __version__
from sparseviz.config import paths, settings
from sparseviz.data import DATASETS
from sparseviz.methods import METHODS
from sparseviz.networks import MODELS
from sparseviz.store import FORMAT_VERSION, RunReader
from sparseviz.training.device import pick_device
from tests.helpers.data.idx_files import NAMES, images_file, labels_file, write
from tests.helpers.program import (
    SHORT,
    TRAIN,
    Done,
    assert_refused,
    environment,
    imports_after,
    program,
    python,
    succeeded,
)

# Fast gates and a firm penalty: in its 19 steps a good part of the network goes.
CUTTING = ("--set", "network=lenet300", "--set", "optimizer.gate_rate=0.05", "--set", "penalty.lambda2=1e-4")

LAYERS = {"fc1": [300, 784], "fc2": [100, 300], "fc3": [10, 100]}
PARAMETERS = 266_610


def info(folder: Path, *run: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(succeeded(program(folder, "info", *run, "--json")).stdout)
    return found


class Shared(NamedTuple):
    """One short run; what a test writes, it writes elsewhere."""

    folder: Path
    run: Path
    output: str
    errors: str


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Shared:
    folder = tmp_path_factory.mktemp("shared")
    done = succeeded(python(folder, "-m", "sparseviz", *SHORT, *CUTTING, "--out", "run.h5"))
    return Shared(folder, folder / "run.h5", done.stdout, done.stderr)


@pytest.fixture(scope="module")
def exported(shared) -> Done:
    return succeeded(program(shared.folder, "export", "run.h5", "--out", "model.onnx"))


def table(text: str) -> dict[str, tuple[int, int]]:
    """The rows of the layer table: name to parameters before and kept."""
    rows = re.findall(r"^ +(\w+) +(?:[\d×]+×\d+ +)?([\d,]+) +([\d,]+) ", text, flags=re.MULTILINE)
    return {name: (int(before.replace(",", "")), int(kept.replace(",", ""))) for name, before, kept in rows}


class TestTrain:
    def test_that_the_file_is_written_and_its_path_is_the_last_line(self, shared):
        assert shared.output.splitlines()[-1] == "run.h5"
        assert f"Recording {shared.run.name}\n" in shared.errors
        with RunReader(shared.run) as reader:
            assert (reader.status, reader.config.seed, reader.info.threads) == ("finished", 1, 1)

    def test_that_the_rows_of_the_table_add_up(self, shared):
        rows = table(shared.output)
        total = rows.pop("total")
        assert list(rows) == [*LAYERS, "biases"]
        assert tuple(map(sum, zip(*rows.values(), strict=True))) == total
        assert total[0] == PARAMETERS

    def test_that_the_table_shows_the_network_of_the_file(self, shared):
        found = info(shared.folder, shared.run)
        sizes = {layer["name"]: (layer["parameters"], layer["kept"]) for layer in found["layers"]}
        sizes["total"] = (found["parameters"], found["kept"])
        assert sizes.items() <= table(shared.output).items()
        assert f"test {found['error_percent']['test']:.2f} %" in shared.output

    def test_that_mnist_files_of_one_s_own_train_lenet5_into_a_numbered_file_of_the_runs_folder(self, tmp_path):
        contents = (images_file(120), labels_file(120), images_file(24, seed=1), labels_file(24))
        write(tmp_path / "images", dict(zip(NAMES, contents, strict=True)))
        options = ("--set", "data.name=mnist", "--data-dir", "images", "--set", "batch_size=32")
        done = succeeded(program(tmp_path, *SHORT, *options))
        path = Path(info(tmp_path)["runs"]) / "lenet5-mnist-0001.h5"
        assert done.stdout.splitlines()[-1] == str(path)
        assert path.is_relative_to(tmp_path)
        found = info(tmp_path, path)
        assert [found[name] for name in ("network", "dataset", "method", "steps")] == ["lenet5", "mnist", "gated", 4]
        assert found["parameters"] == table(done.stdout)["total"][0] == 431_080
        assert f"{NAMES[0]} is not the original file" in found["data_note"]


class TestInfo:
    def test_that_json_tells_what_the_run_was_and_errors_better_than_guessing(self, shared):
        found = info(shared.folder, shared.run)
        facts = {"status": "finished", "network": "lenet300", "dataset": "digits", "method": "gated"}
        assert {name: found[name] for name in facts} == facts
        assert (found["parameters"], found["snapshots"], found["steps"]) == (PARAMETERS, 4, 19)
        assert list(found["error_percent"]) == ["train", "validation", "test"]
        assert all(0 < error < 80 for error in found["error_percent"].values())

    def test_that_json_counts_layers_and_both_compressions(self, shared):
        found = info(shared.folder, shared.run)
        assert {layer["name"]: layer["shape"] for layer in found["layers"]} == LAYERS
        for layer in found["layers"]:
            assert layer["parameters"] == layer["shape"][0] * layer["shape"][1]
            assert 0 < layer["kept"] < layer["parameters"]
            assert all(0 <= layer[f"undecided_{side}"] <= 1 for side in ("kept", "cut"))
        kept = sum(layer["kept"] for layer in found["layers"])
        biases = sum(layer["biases_kept"] for layer in found["layers"])
        assert found["kept"] == kept + biases
        assert found["compression"] == pytest.approx(PARAMETERS / (kept + biases))
        assert found["compression_weights"] == pytest.approx(266_200 / kept)

    def test_that_without_json_it_prints_what_train_printed(self, shared):
        assert succeeded(program(shared.folder, "info", "run.h5")).stdout == shared.output

    def test_that_without_a_run_it_tells_versions_device_folders_and_presets(self, tmp_path):
        lines = succeeded(program(tmp_path, "info")).stdout.splitlines()
        found = dict(line.split(maxsplit=1) for line in lines)
        assert list(found) == ["version", "python", "libraries", "device", "runs", "data", "resources", "presets"]
        assert (found["version"], json.loads(found["presets"])) == (__version__, list(paths.presets()))
        assert {"torch", "numpy", "h5py", "onnx", "onnxruntime"} <= set(json.loads(found["libraries"]))
        assert (found["device"], Path(found["resources"])) == (str(pick_device("auto")), paths.resources())

    def test_that_a_file_that_is_no_run_is_refused_with_its_name(self, tmp_path):
        (tmp_path / "text.h5").write_text("no HDF5")
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file["data"] = [1, 2, 3]
        for name, words in (("text.h5", "no HDF5 file"), ("other.h5", "no run"), ("gone.h5", "no such file")):
            assert_refused(program(tmp_path, "info", name), 1, name, words)

    def test_that_a_newer_format_is_refused_with_both_numbers(self, shared, tmp_path):
        shutil.copy(shared.run, tmp_path / "newer.h5")
        with h5py.File(tmp_path / "newer.h5", "r+") as file:
            file.attrs["format_version"] = FORMAT_VERSION + 6
        words = ("newer.h5", f"format {FORMAT_VERSION + 6}", f"up to {FORMAT_VERSION}", "update")
        assert_refused(program(tmp_path, "info", "newer.h5"), 1, *words)


class TestExport:
    @pytest.mark.usefixtures("exported")
    def test_that_the_checker_accepts_the_file_and_the_run_is_named_in_it(self, shared):
        onnx.checker.check_model(str(shared.folder / "model.onnx"), full_check=True)
        properties = {entry.key: entry.value for entry in onnx.load(shared.folder / "model.onnx").metadata_props}
        assert properties["run"] == "run.h5"

    def test_that_sizes_and_proof_are_printed_and_the_path_is_the_last_line(self, shared, exported):
        kept = info(shared.folder, shared.run)["kept"]
        size = (shared.folder / "model.onnx").stat().st_size
        assert re.search(rf"parameters kept +{PARAMETERS:,} +{kept:,} ", exported.stdout)
        assert re.search(rf"bytes on disk +\S+ +{size:,} ", exported.stdout)
        found = re.search(r"differ by (\S+) of the largest .* and (\S+) % of the images", exported.stdout)
        assert found
        assert 0 <= float(found[1]) <= 1e-5
        assert float(found[2]) >= 99
        assert exported.stdout.splitlines()[-1] == "model.onnx"


WRONG_USE = {  # arguments, what the message says
    "preset": (["train", "nowhere"], ["'nowhere'", *paths.presets()]),
    "command": (["trian"], ["trian", "gui, train, resume, branch, study, export, info"]),
    "field": (["train", "--set", "penalty.lambda3=1"], ["penalty.lambda3: no such setting", *settings()]),
    "value": (["train", "--set", "penalty.scale=none"], ["penalty.scale", "'none'", "'mean', 'layer_mean' or 'sum'"]),
    "number": (["train", "--set", "penalty.lambda2=-1"], ["penalty.lambda2", "greater than or equal to 0", "-1"]),
    "assignment": (["train", "--set", "epochs"], ["'epochs'", "NAME=VALUE"]),
    "seed": (["train", "--seed", "one"], ["--seed", "'one'"]),
    "device": (["train", "--device", "gpu"], ["device", "'gpu'", "auto"]),
    "option": (["info", "--everything"], ["--everything"]),
    "no run": (["export"], ["RUN.h5"]),
    "network": ([*TRAIN, "--set", "network=lenet6"], ["network", "'lenet6'", *MODELS, "package.module:function"]),
    "method": ([*TRAIN, "--set", "method.name=magic"], ["method.name", "'magic'", *METHODS]),
    "data": ([*TRAIN, "--set", "data.name=faces"], ["data.name", "'faces'", *DATASETS]),
}


class TestErrors:
    @pytest.mark.parametrize("case", WRONG_USE)
    def test_that_wrong_use_is_told_with_what_is_allowed(self, tmp_path, case):
        args, words = WRONG_USE[case]
        assert_refused(program(tmp_path, *args), 2, *words)
        assert list(tmp_path.rglob("*.h5")) == []

    @pytest.mark.parametrize("args", [["--debug", "info", "gone.h5"], ["info", "gone.h5", "--debug"]])
    def test_that_debug_shows_the_traceback_wherever_it_stands(self, tmp_path, args):
        done = program(tmp_path, *args)
        assert done.returncode == 1
        assert "Traceback (most recent call last)" in done.stderr
        assert "RunFileError: gone.h5: no such file" in done.stderr

    def test_that_missing_mnist_files_are_named_with_the_folder(self, tmp_path):
        (tmp_path / "empty").mkdir()
        done = program(tmp_path, *TRAIN, "--set", "data.name=mnist", "--data-dir", "empty")
        assert_refused(done, 1, "empty lacks", *NAMES, "--data-dir", "data.download=true")

    @pytest.mark.parametrize("args", [["train", "--out", "run.onnx"], ["export", "run.h5"]])
    def test_that_an_existing_file_is_refused_and_not_touched(self, tmp_path, args):
        (tmp_path / "run.onnx").write_bytes(b"precious")
        assert_refused(program(tmp_path, *args), 2, "run.onnx exists already")
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("run.onnx", b"precious")]

    @pytest.mark.parametrize("args", [[*SHORT, *CUTTING], ["export", "run.h5"]])
    def test_that_a_folder_that_cannot_be_made_is_told(self, shared, tmp_path, args):
        (tmp_path / "file").touch()
        done = program(shared.folder, *args, "--out", tmp_path / "file" / "name")
        assert_refused(done, 1, str(tmp_path / "file" / "name"), "cannot be written")


class TestImports:
    def test_that_train_info_and_export_leave_qt_alone(self, tmp_path):
        jobs = ([*SHORT, *CUTTING, "--out", "run.h5"], ["info", "run.h5"], ["export", "run.h5"])
        found = imports_after(tmp_path, ["PySide6", "pyqtgraph"], *jobs)
        assert found == [f"imported after {name} []" for name in ("train", "info", "export")]

    def test_that_info_of_a_run_does_not_wait_for_torch(self, shared):
        assert imports_after(shared.folder, ["torch", "onnx"], ["info", "run.h5"]) == ["imported after info []"]


class TestInterrupt:
    def test_that_ctrl_c_stops_the_run_in_good_order(self, tmp_path):
        options = ("--set", "epochs=100000", "--set", "record.snapshots=100000", "--out", "run.h5")
        command = [sys.executable, "-m", "sparseviz", *TRAIN, *CUTTING, *options]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), **pipes) as process:
            try:
                assert process.stderr
                assert any("Recording" in line for line in iter(process.stderr.readline, ""))
                with RunReader(tmp_path / "run.h5") as reader:
                    while len(reader) < 3 and process.poll() is None:
                        time.sleep(0.05)
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        assert (process.returncode, "Traceback" in errors) == (0, False), errors
        assert "status       stopped" in output
        assert output.splitlines()[-1] == "run.h5"
        with RunReader(tmp_path / "run.h5") as reader:
            last = reader.snapshots()[-1]
            assert (reader.status, reader.message) == ("stopped", "")
            assert 0 < last.step < reader.info.steps
            assert reader.checkpoint().step == last.step
            assert [event.name for event in last.events] == ["stop"]


class TestResume:
    def test_that_a_stopped_run_goes_on_to_its_end_in_a_new_file(self, tmp_path):
        code = (
            "import sys; from sparseviz import RunConfig, record_run\n"
            "class Stopping:\n"
            "    def began(self, trainer, info, path): trainer.stop()\n"
            "    def saw(self, snapshot): pass\n"
            "changes = {'network': 'lenet300', 'threads': 1, 'epochs': 1, 'device': 'cpu', 'record.snapshots': 3}\n"
            "record_run(RunConfig().changed(changes), 'run.h5', watcher=Stopping())"
        )
        succeeded(python(tmp_path, "-c", code))
        assert_refused(program(tmp_path, "resume", "run.h5", "--out", "run.h5"), 2, "run.h5 exists already")
        done = succeeded(program(tmp_path, "resume", "run.h5", "--out", "on.h5"))
        assert done.stdout.splitlines()[-1] == "on.h5"
        found = info(tmp_path, "on.h5")
        assert (found["status"], found["step"], found["resumed"]) == ("finished", 10, [0])
        assert_refused(program(tmp_path, "resume", "on.h5"), 1, "on.h5 has finished", "press Train")


class TestBranch:
    def test_that_a_run_goes_on_from_a_checkpoint_with_a_setting_changed_and_says_so(self, shared, tmp_path):
        steps = info(shared.folder, "run.h5")["checkpoints"]
        source = shared.folder / "run.h5"
        refused = program(tmp_path, "branch", source, "--at", "3", "--out", "on.h5")
        assert_refused(refused, 1, "run.h5 has no checkpoint at step 3", ", ".join(map(str, steps)))
        assert_refused(program(tmp_path, "branch", source, "--set", "network=lenet5"), 2, "network: a branch keeps it")
        assert_refused(program(tmp_path, "branch", source, "--out", "on.h5"), 2, "raise epochs")
        change = ("--at", "0", "--set", "penalty.lambda2=1e-3", "--out", "on.h5")
        done = succeeded(program(tmp_path, "branch", source, *change))
        assert done.stdout.splitlines()[-1] == "on.h5"
        assert "branched     from run at step 0\n" in done.stdout
        assert "Branched from run at step 0" in done.stderr
        found, parent = info(tmp_path, "on.h5"), info(shared.folder, "run.h5")
        assert found["parent"] == {"id": parent["id"], "name": "run", "step": 0}
        assert (found["status"], found["step"]) == ("finished", parent["step"])
        assert (found["config"]["penalty"]["lambda2"], found["kept"] < parent["kept"]) == (1e-3, True)
        assert_refused(program(tmp_path, "branch", source, *change), 2, "on.h5 exists already")
