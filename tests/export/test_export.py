"""From a run file to a proven ONNX file: the same zeros, the same answers, and nothing written that is not proven."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from sparseviz.config import InputError, RunConfig
from sparseviz.export import ExportError, ExportReport, Proof, export_run, from_run
from sparseviz.export.proof.verify import FLOAT32_BAR, compare, open_session
from sparseviz.networks import layers
from sparseviz.networks.baked import baked_model
from sparseviz.store import RunFileError, RunReader
from sparseviz.values.snapshot import Checkpoint
from tests.helpers.data.splits import images_of
from tests.helpers.runs import Seen, new_writer


@dataclasses.dataclass
class Exported:
    seen: Seen
    report: ExportReport
    stages: list[str]

    @property
    def weights(self) -> dict[str, np.ndarray]:
        initializers = onnx.load(self.report.path).graph.initializer
        return {tensor.name: numpy_helper.to_array(tensor) for tensor in initializers}

    @property
    def checkpoint(self) -> Checkpoint:
        with RunReader(self.seen.path) as run:
            return run.checkpoint()

    def answers(self, images: np.ndarray) -> np.ndarray:
        found: np.ndarray = open_session(self.report.path).run(None, {"images": images})[0]
        return found

    @property
    def inputs(self) -> tuple[np.ndarray, np.ndarray]:
        """The first 256 test images and labels, from the data set and not from the file."""
        test = self.seen.trainer.test
        return images_of(test)[:256].numpy(), test.labels[:256].numpy()


KINDS = ["gated", "conv", "magnitude", "dense", "stopped"]


@pytest.fixture(scope="session")
def exports() -> dict[str, Exported]:
    return {}


@pytest.fixture
def exported(request, exports: dict[str, Exported]) -> Exported:
    """The run of this kind and its ONNX file, written once."""
    kind = request.param
    if kind not in exports:
        stages: list[str] = []
        seen = request.getfixturevalue(kind)
        exports[kind] = Exported(seen, export_run(seen.path, now_at=stages.append), stages)
    return exports[kind]


every = pytest.mark.parametrize("exported", KINDS, indirect=True)
of_gated = pytest.mark.parametrize("exported", ["gated", "conv"], indirect=True)
of_one = pytest.mark.parametrize("exported", ["gated"], indirect=True)


class TestZeros:
    @of_gated
    def test_that_the_mask_in_the_net_in_the_file_and_in_onnx_is_one(self, exported):
        method, checkpoint, weights = exported.seen.trainer.method, exported.checkpoint, exported.weights
        for name, layer in layers(exported.seen.trainer.model.eval()).items():
            mask = method.mask(name).numpy()
            assert 0.02 < mask.mean() < 0.98
            np.testing.assert_array_equal(checkpoint.masks[name], mask)
            np.testing.assert_array_equal(layer.weight.detach().numpy() != 0, mask)
            np.testing.assert_array_equal(weights[f"{name}.weight"] != 0, mask)

    @every
    def test_that_every_number_in_onnx_is_the_run_s_and_cut_weights_are_plus_0(self, exported):
        checkpoint, weights = exported.checkpoint, exported.weights
        for name, values in checkpoint.parameters.items():
            expected = values.copy()
            layer = name.removesuffix(".weight")
            if layer in checkpoint.masks:
                expected[~checkpoint.masks[layer]] = 0
                assert not np.signbit(weights[name][~checkpoint.masks[layer]]).any()
            assert weights[name].dtype == np.float32
            np.testing.assert_array_equal(weights[name], expected)

    @every
    def test_that_the_report_counts_what_the_file_holds(self, exported):
        report, weights = exported.report, exported.weights
        kept = sum(np.count_nonzero(weights[f"{name}.weight"]) for name in exported.checkpoint.masks)
        assert kept == report.weights_kept
        assert report.parameters == sum(weights[name].size for name in exported.checkpoint.parameters)
        assert report.compression == report.parameters / report.parameters_kept
        assert report.bytes == report.path.stat().st_size
        assert report.step == exported.seen.snapshots[-1].step
        assert json.loads(json.dumps(report.as_json()))["proof"]["images"] == 256

    @pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan, -1.0])
    def test_that_what_stands_under_a_cut_mask_is_baked_to_plus_0(self, gated, bad):
        checkpoint = gated.trainer.checkpoint()
        mask = checkpoint.masks["fc2"]
        checkpoint.parameters["fc2.weight"][~mask] = bad
        weight = baked_model("lenet300", checkpoint).get_parameter("fc2.weight").detach().numpy()
        assert np.isfinite(weight).all()
        assert (weight[~mask] == 0).all()
        assert not np.signbit(weight[~mask]).any()
        np.testing.assert_array_equal(weight[mask], checkpoint.parameters["fc2.weight"][mask])

    def test_that_a_network_that_is_not_the_run_s_is_told(self, gated):
        with pytest.raises(InputError, match="network 'lenet5' is no longer the one of the run"):
            baked_model("lenet5", gated.checkpoints[0])


class TestFile:
    @pytest.mark.parametrize("rows", [1, 2, 7])
    @of_gated
    def test_that_any_number_of_images_is_answered_as_the_trained_network_answers(self, exported, rows):
        images, _ = exported.inputs
        found = exported.answers(images[:rows])
        with torch.no_grad():
            expected = exported.seen.trainer.model.eval()(torch.from_numpy(images[:rows])).numpy()
        assert found.shape == (rows, 10)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())

    @every
    def test_that_it_lies_beside_its_run_and_says_where_it_comes_from(self, exported):
        path = exported.seen.path
        assert exported.report.path == path.with_suffix(".onnx")
        assert sorted(found.name for found in path.parent.iterdir()) == sorted([path.name, exported.report.path.name])
        properties = {entry.key: entry.value for entry in onnx.load(exported.report.path).metadata_props}
        assert (properties["run"], properties["step"]) == (path.name, str(exported.report.step))
        assert RunConfig.parse(json.loads(properties["config"])) == exported.seen.trainer.config
        assert exported.stages == ["network", "onnx", "proof", "files"]

    @of_one
    def test_that_an_existing_file_is_refused_and_keeps_its_bytes(self, exported):
        before = exported.report.path.read_bytes()
        with pytest.raises(ExportError, match=r"gated\.onnx exists already and is not overwritten"):
            export_run(exported.seen.path)
        assert exported.report.path.read_bytes() == before

    @pytest.mark.parametrize("below", ["model.onnx", "deeper/model.onnx"])
    def test_that_a_folder_that_cannot_be_made_is_named(self, gated, tmp_path, below):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(ExportError, match=r"cannot be written: .*choose another folder") as caught:
            export_run(gated.path, tmp_path / "file" / below)
        assert str(tmp_path / "file" / below) in str(caught.value)

    def test_that_what_is_no_run_is_told_and_nothing_is_written(self, tmp_path):
        (tmp_path / "run.h5").write_text("no run")
        with pytest.raises(RunFileError, match=r"run\.h5 is no HDF5 file"):
            export_run(tmp_path / "run.h5")
        assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]

    def test_that_a_run_without_a_snapshot_is_told(self, gated, tmp_path):
        new_writer(gated, tmp_path / "run.h5").close()
        with pytest.raises(ExportError, match=r"run\.h5 has no snapshot yet"):
            export_run(tmp_path / "run.h5")
        assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def change_by_a_thousandth(model: onnx.ModelProto) -> None:
    edit(model, "fc3.weight", lambda values: values.__setitem__(3, values[3] * 1.001))


def swap_two_classes(model: onnx.ModelProto) -> None:
    edit(model, "fc3.weight", lambda values: values.__setitem__([0, 1], values[[1, 0]]))


def put_nan(model: onnx.ModelProto) -> None:
    edit(model, "fc3.bias", lambda values: values.__setitem__(4, np.nan))


def change_by_less_than_answers_show(model: onnx.ModelProto) -> None:
    edit(model, "fc3.weight", lambda values: values.__setitem__((0, 0), np.nextafter(values[0, 0], 9)))


def edit(model: onnx.ModelProto, name: str, change) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    values = numpy_helper.to_array(tensor).copy()
    change(values)
    tensor.CopyFrom(numpy_helper.from_array(values, name))


TAMPERS = (change_by_a_thousandth, swap_two_classes, put_nan, change_by_less_than_answers_show)


class TestProof:
    @pytest.mark.parametrize("exported", ["conv", "dense"], indirect=True)
    def test_that_its_numbers_are_those_of_a_slow_twin(self, exported):
        images, labels = exported.inputs
        with torch.no_grad():
            expected = baked_model(exported.seen.info.config.network, exported.checkpoint)(torch.from_numpy(images))
        twin = slow_compare(expected.numpy(), exported.answers(images), labels)
        assert dataclasses.asdict(exported.report.proof) == pytest.approx(dataclasses.asdict(twin), rel=1e-6, abs=1e-9)
        assert exported.report.proof.holds

    @pytest.mark.parametrize("tamper", TAMPERS)
    @pytest.mark.parametrize("exported", ["dense"], indirect=True)
    def test_that_a_file_that_computes_something_else_gets_no_name(self, exported, tmp_path, monkeypatch, tamper):
        def write_wrong(_model, _images, path: Path, _metadata) -> None:
            proto = onnx.load(exported.report.path)
            tamper(proto)
            path.write_bytes(proto.SerializeToString())

        monkeypatch.setattr(from_run, "write_onnx", write_wrong)
        with pytest.raises(ExportError, match=r"does not (compute|store).*no file was written"):
            export_run(exported.seen.path, tmp_path / "model.onnx")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("exported", ["dense"], indirect=True)
    def test_that_a_file_that_appears_meanwhile_is_not_overwritten(self, exported, tmp_path, monkeypatch):
        def write_and_intrude(_model, _images, path: Path, _metadata) -> None:
            shutil.copy(exported.report.path, path)
            (tmp_path / "model.onnx").write_bytes(b"mine")

        monkeypatch.setattr(from_run, "write_onnx", write_and_intrude)
        with pytest.raises(ExportError, match=r"model\.onnx cannot be written"):
            export_run(exported.seen.path, tmp_path / "model.onnx")
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("model.onnx", b"mine")]


def slow_compare(expected: np.ndarray, found: np.ndarray, labels: np.ndarray, bar: float = FLOAT32_BAR) -> Proof:
    """`compare` number by number, as its documentation says it."""
    rows = [
        ([float(a) for a in ours], [float(b) for b in theirs]) for ours, theirs in zip(expected, found, strict=True)
    ]
    difference = max(abs(a - b) for ours, theirs in rows for a, b in zip(ours, theirs, strict=True))
    largest = max(abs(a) for ours, _ in rows for a in ours)
    changes = same = wrong_torch = wrong_onnx = 0
    for (ours, theirs), label in zip(rows, labels, strict=True):
        best, other = ours.index(max(ours)), theirs.index(max(theirs))
        margin = max(ours) - max(ours[:best] + ours[best + 1 :])
        changes += best != other and margin > 2 * difference
        same += best == other
        wrong_torch += best != label
        wrong_onnx += other != label
    count = len(rows)
    return Proof(
        count,
        difference / largest,
        bar,
        changes,
        same / count,
        100 * wrong_torch / count,
        100 * wrong_onnx / count,
        difference,
    )


# Multiples of 1/8: sums and differences are exact, so that the margin is never a matter of rounding.
tables = st.lists(st.lists(st.integers(1, 40), min_size=4, max_size=4), min_size=1, max_size=6)


class TestCompare:
    @settings(deadline=None, derandomize=True)
    @given(table=tables, seed=st.integers(0, 10_000), size=st.integers(0, 12))
    def test_that_it_agrees_with_its_slow_twin(self, table, seed, size):
        random = np.random.default_rng(seed)
        expected = np.array(table).astype(np.float32) / np.float32(8)
        found = expected + random.integers(-size, size + 1, expected.shape).astype(np.float32) / np.float32(8)
        labels = random.integers(0, 4, len(expected))
        shown = compare(expected, found, labels, bar=0.5)
        slow = slow_compare(expected, found, labels, bar=0.5)
        assert dataclasses.asdict(shown) == pytest.approx(dataclasses.asdict(slow))
        assert shown.holds == (slow.relative_difference <= 0.5 and slow.top1_changes == 0)

    def test_that_a_tie_that_turns_within_the_bar_is_no_changed_answer_but_no_agreement_either(self):
        expected = np.array([[4, 4 + 2e-6, 0], [1, 2, 3]], dtype=np.float32)
        found = np.array([[4 + 2e-6, 4, 0], [1, 2, 3]], dtype=np.float32)
        shown = compare(expected, found, np.array([1, 2]))
        assert (shown.top1_changes, shown.top1_agreement) == (0, 0.5)
        assert (shown.error_torch, shown.error_onnx) == (0, 50)
        assert shown.holds
        assert not compare(expected, found, np.array([1, 2]), bar=0).holds

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("where", ["expected", "found", "both"])
    def test_that_answers_that_are_no_numbers_never_pass(self, bad, where):
        sound = np.arange(12, dtype=np.float32).reshape(3, 4)
        broken = sound.copy()
        broken[1, 2] = bad
        expected, found = (broken if where in (side, "both") else sound for side in ("expected", "found"))
        with np.errstate(invalid="ignore"):  # inf - inf
            shown = compare(expected, found, np.zeros(3, np.int64), bar=1e30)
        assert shown.top1_changes == 3
        assert not shown.holds

    def test_that_equal_answers_pass_a_bar_of_0_and_zeros_divide_by_nothing(self):
        zeros, labels = np.zeros((3, 4), np.float32), np.zeros(3, np.int64)
        assert compare(zeros, zeros, labels, bar=0).holds
        assert compare(zeros, zeros + 0.25, labels, bar=1).relative_difference == 0.25

    def test_that_answers_of_another_shape_are_told(self):
        with pytest.raises(ExportError, match=r"answers in shape \(3, 5\), the network in \(3, 4\)"):
            compare(np.zeros((3, 4), np.float32), np.zeros((3, 5), np.float32), np.zeros(3, np.int64))
