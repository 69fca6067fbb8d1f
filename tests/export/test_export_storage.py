"""What a file stores and reads by choice, the report beside it, and the script that runs it."""

import dataclasses
import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from PIL import Image
from torch import nn

from sparseviz.cli.main import main
from sparseviz.config import RunConfig
from sparseviz.export import ExportError, ExportOptions, ExportReport, as_markdown, export_run, finish
from sparseviz.export.graph.compact import Compaction
from sparseviz.export.proof.verify import open_session
from sparseviz.export.sections import sections
from sparseviz.networks.baked import baked_model
from sparseviz.store import RunReader
from tests.helpers.runs import Seen

CHOICES = {
    "compact": ExportOptions(compact=True),
    "coo": ExportOptions(storage="coo"),
    "half": ExportOptions(half=True),
    "all": ExportOptions(compact=True, storage="coo", half=True, report=True, licence="MIT"),
    "int8": ExportOptions(compact=True, int8=True),
    "raw": ExportOptions(compact=True, raw_pixels=True, script=True),
    "plain script": ExportOptions(script=True, opset=18, test_set=False),
}


@pytest.fixture(scope="session")
def written(conv, tmp_path_factory) -> dict[str, ExportReport]:
    """The same run, exported in every way."""
    folder = tmp_path_factory.mktemp("exports")
    return {
        name: export_run(conv.path, folder / f"{name.replace(' ', '_')}.onnx", options)
        for name, options in CHOICES.items()
    }


def network_of(seen: Seen) -> nn.Module:
    with RunReader(seen.path) as run:
        return baked_model(run.info.config.network, run.checkpoint())


def answers(report: ExportReport, images: np.ndarray) -> np.ndarray:
    found: np.ndarray = open_session(report.path).run(None, {"images": images})[0]
    return found


def parameters(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def properties(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


class TestStorage:
    def test_that_coordinates_give_the_trained_weights_bit_for_bit_when_the_file_is_loaded(self, conv, written):
        network = network_of(conv)
        model = ir.load(written["coo"].path)
        made = {node.outputs[0].name: node.outputs[0] for node in model.graph}
        names = [name for name, values in network.named_parameters() if values.ndim > 1 and name in made]
        assert "fc1.weight" in names
        model.graph.outputs.clear()
        model.graph.outputs.extend(made[name] for name in names)
        session = open_model(model)
        restored = session.run(names, {"images": np.zeros((1, 1, 28, 28), np.float32)})
        for name, found in zip(names, restored, strict=True):
            assert found.tobytes() == network.get_parameter(name).detach().numpy().tobytes()

    def test_that_onnxruntime_puts_the_zeros_back_once_when_it_loads_the_file(self, written, tmp_path):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        onnxruntime.InferenceSession(str(written["all"].path), options)
        stored, loaded = (
            {node.op_type for node in onnx.load(path).graph.node}
            for path in (written["all"].path, tmp_path / "loaded.onnx")
        )
        assert stored >= {"ScatterElements", "CumSum", "Cast"}
        assert not loaded & {"ScatterElements", "CumSum", "Cast", "ConstantOfShape"}

    @pytest.mark.parametrize("name", CHOICES)
    def test_that_every_file_answers_within_its_bar_any_number_of_images(self, conv, written, name):
        report, info = written[name], conv.info
        images = conv.trainer.test.images[:7].numpy()
        if report.options.raw_pixels:
            fed = np.rint((images * info.std + info.mean) * 255).astype(np.uint8)
            images = ((fed / 255 - info.mean) / info.std).astype(np.float32)
        else:
            fed = images
        with torch.no_grad():
            expected = network_of(conv)(torch.from_numpy(images)).numpy()
        found = answers(report, fed)
        assert np.abs(found - expected).max() <= report.proof.bar * np.abs(expected).max()
        np.testing.assert_allclose(answers(report, fed[:1]), found[:1], atol=report.proof.bar * np.abs(found).max())

    def test_that_each_storage_is_smaller_than_the_dense_file_and_says_its_bar(self, written):
        for name in ("compact", "coo", "half", "all", "int8"):
            assert written[name].bytes < written[name].dense_bytes
        bars = {name: written[name].proof.bar for name in ("compact", "coo", "half", "all", "int8")}
        assert bars == {"compact": 1e-5, "coo": 1e-5, "half": 5e-3, "all": 5e-3, "int8": 1e-1}
        assert written["all"].bytes < written["coo"].bytes

    def test_that_the_bytes_with_gzip_are_those_of_the_very_files(self, written):
        bytes_gzip = {name: len(gzip.compress(one.path.read_bytes(), 6)) for name, one in written.items()}
        assert {name: one.bytes_gzip for name, one in written.items()} == bytes_gzip
        plain, coo = written["plain script"], written["coo"]
        assert (plain.dense_bytes, plain.dense_bytes_gzip) == (plain.bytes, plain.bytes_gzip)
        assert coo.dense_bytes_gzip != coo.bytes_gzip

    def test_that_options_that_do_not_go_together_are_refused(self):
        for wrong in ({"half": True}, {"storage": "coo"}):
            with pytest.raises(ExportError, match="int8 cannot be combined"):
                ExportOptions(int8=True, **wrong)
        with pytest.raises(ExportError, match="opset 3: choose one from 18 to 23"):
            ExportOptions(opset=3)

    def test_that_the_operator_set_is_the_chosen_one(self, written):
        assert [
            entry.version for entry in onnx.load(written["plain script"].path).opset_import if not entry.domain
        ] == [18]

    def test_that_a_compaction_that_makes_the_file_larger_is_left_out(self, conv, tmp_path, monkeypatch):
        def swell(model: ir.Model) -> Compaction:
            model.doc_string = "x" * 10_000_000
            return Compaction(1, (), 0, ())

        monkeypatch.setattr(finish, "compact", swell)
        report = export_run(conv.path, tmp_path / "model.onnx", ExportOptions(compact=True, test_set=False))
        assert report.bytes == report.dense_bytes


def open_model(model: ir.Model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(ir.to_proto(model).SerializeToString(), options)


class TestReport:
    def test_that_the_line_of_the_manual_writes_file_and_reports(self, written):
        report = written["all"]
        assert [path.name for path in report.files] == ["all.json", "all.md"]
        values = json.loads(report.files[0].read_text())
        assert values["bytes"] == report.path.stat().st_size
        assert values["multiply_adds"]["kept weights alone"] <= values["multiply_adds"]["file"]
        assert [entry["batch"] for entry in values["latency"]] == [1, 64]
        text = report.files[1].read_text()
        assert text == as_markdown(report)
        assert "multiplies zeros too" in text
        for change in report.layers:
            assert f"| {change.name} |" in text

    def test_that_every_phrase_of_the_report_can_be_translated(self, written):
        report = written["all"]
        names = {report.path.name, report.options.kind, *(change.name for change in report.layers)}
        for section in sections(report, str.upper):
            texts = [section.heading, *section.head, *section.points, *section.notes]
            texts += [text for row in section.rows for text in row]
            words = {word.strip(",.:") for text in texts for word in text.split()}
            assert {word for word in words if re.search("[a-z]{2}", word)} <= names

    def test_that_layers_are_counted_as_a_slow_twin_counts_them(self, conv, written):
        network = network_of(conv)
        places = {"conv1": 24 * 24, "conv2": 8 * 8, "fc1": 1, "fc2": 1}
        for change in written["compact"].layers:
            weight = network.get_parameter(f"{change.name}.weight")
            assert change.before.multiply_adds == places[change.name] * weight.numel()
            assert change.before.nonzero_multiply_adds == places[change.name] * int((weight != 0).sum())
            assert change.after is not None
            stored = parameters(written["compact"].path)[f"{change.name}.weight"]
            assert (change.after.shape, change.after.nonzero) == (stored.shape, np.count_nonzero(stored))
            assert change.after.multiply_adds == places[change.name] * stored.size
            gone = change.removed.constant + change.removed.unread
            assert stored.shape[0] == weight.shape[0] - gone

    def test_that_the_whole_test_set_is_read_where_it_is_there_and_the_file_says_so(self, conv, written):
        images = len(conv.trainer.test)
        for name in ("compact", "int8"):
            proof = written[name].test_set
            assert proof is not None
            assert proof.images == images
            assert properties(written[name].path)["test_images_read"] == str(images)
        labels = conv.trainer.test.labels.numpy()
        found = answers(written["compact"], conv.trainer.test.images.numpy()).argmax(1)
        assert written["compact"].test_set is not None
        assert written["compact"].test_set.error_onnx == pytest.approx(100 * (found != labels).mean())

    def test_that_without_it_the_proof_says_what_it_rests_on(self, written):
        report = written["plain script"]
        assert (report.test_set, report.test_set_note) == (None, "it was not asked for")
        assert properties(report.path)["test_images_read"] == "0"
        assert (report.proof.images, report.random.images) == (256, 256)
        assert "The test set was not read" in as_markdown(report)

    def test_that_files_that_are_not_there_are_not_fetched_but_told(self, conv, tmp_path):
        with RunReader(conv.path) as run:
            info = run.info
        config = RunConfig.parse(info.config.model_dump() | {"data": {"name": "mnist", "download": True}})
        from sparseviz.export.proof.inputs import proof_inputs

        with RunReader(conv.path) as run:
            stored = run.test_inputs()
        options = ExportOptions(data_folder=str(tmp_path))
        found = proof_inputs(dataclasses.replace(info, config=config), stored, options)
        assert found.test_set is None
        assert "files are not there" in found.note
        assert list(tmp_path.iterdir()) == []

    def test_that_the_file_says_labels_normalisation_versions_and_licence(self, conv, written):
        found = properties(written["all"].path)
        assert json.loads(found["labels"]) == list(conv.info.classes)
        assert json.loads(found["normalisation"]) == {
            "mean": list(conv.info.mean), "std": list(conv.info.std), "in the file": False,
        }  # fmt: skip
        assert json.loads(found["versions"]) == dict(conv.info.versions)
        assert (found["licence"], properties(written["raw"].path)["licence"]) == ("MIT", "not stated")

    def test_that_nothing_beside_the_model_is_overwritten(self, conv, tmp_path):
        (tmp_path / "model.md").write_text("mine")
        with pytest.raises(ExportError, match=r"model\.md exists already"):
            export_run(conv.path, tmp_path / "model.onnx", ExportOptions(report=True))
        assert [path.name for path in tmp_path.iterdir()] == ["model.md"]


class TestCommand:
    def test_that_the_line_of_the_manual_writes_model_and_reports_and_prints_them(self, conv, tmp_path, capsys):
        run = Path(shutil.copy(conv.path, tmp_path / "run.h5"))
        with pytest.raises(SystemExit) as ended:
            main(["export", str(run), "--compact", "--storage", "coo", "--half", "--report"])
        assert ended.value.code == 0
        printed = capsys.readouterr().out.splitlines()
        names = ["run.json", "run.md", "run.onnx"]
        assert [Path(line).name for line in printed[-3:]] == names
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([run.name, *names])
        words = ("Proven: run.onnx", "bytes on disk", "multiply-adds", "What was removed", "latency, batch of 64")
        for word in (*words, "test set", "noise"):
            assert any(line.strip().startswith(word) for line in printed)

    @pytest.mark.parametrize("wrong", [["--int8", "--half"], ["--opset", "99"]])
    def test_that_wrong_options_end_with_status_2(self, conv, tmp_path, capsys, wrong):
        with pytest.raises(SystemExit) as ended:
            main(["export", str(conv.path), "--out", str(tmp_path / "no.onnx"), *wrong])
        assert ended.value.code == 2
        assert "sparseviz: " in capsys.readouterr().err


class TestScript:
    @pytest.mark.parametrize("name", ["raw", "plain script"])
    def test_that_the_script_names_what_an_image_shows(self, conv, written, name, tmp_path):
        report, info = written[name], conv.info
        test = conv.trainer.test
        pixels = np.rint((test.images[:12].numpy() * info.std + info.mean) * 255).clip(0, 255).astype(np.uint8)
        fed = pixels if report.options.raw_pixels else ((pixels / 255 - info.mean) / info.std).astype(np.float32)
        expected = [info.classes[answer] for answer in answers(report, fed).argmax(1)]
        assert len(set(expected)) > 1
        for image, label in list(zip(pixels[:, 0], expected, strict=True))[:3]:
            Image.fromarray(image).save(tmp_path / "digit.png")
            command = [sys.executable, str(report.files[0]), str(tmp_path / "digit.png")]
            shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
            assert shown.stdout.strip() == label

    def test_that_the_script_has_ten_lines_of_code(self, written):
        lines = written["raw"].files[0].read_text().splitlines()
        assert len([line for line in lines if line and not line.startswith('"""')]) <= 10
