"""`sparseviz info` of a model file, run as a person runs it."""

import json
import os

import pytest
import torch
from safetensors.torch import save_file

from tests.helpers.program import assert_refused, program, succeeded


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(1)
    weight = torch.randn(30, 20)
    weight[:, ::2] = 0
    save_file(
        {"fc1.weight": weight, "fc1.bias": torch.ones(30), "out.weight": torch.ones(4, 30)}, tmp_path / "m.safetensors"
    )
    return tmp_path / "m.safetensors"


def test_that_the_layer_table_is_printed(model, tmp_path):
    said = succeeded(program(tmp_path, "info", model.name)).stdout
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line.strip()}
    assert rows["fc1"][1:6] == ["30×20", "600", "300", "50.00", "%"]
    assert rows["total"][1:3] == ["750", "450"]
    assert rows["form"][1:] == ["safetensors,", "stored", "as", "float32"]


def test_that_json_has_the_same_for_programs(model, tmp_path):
    said = json.loads(succeeded(program(tmp_path, "info", model.name, "--json")).stdout)
    assert [layer["name"] for layer in said["layers"]] == ["fc1", "out"]
    assert [(layer["parameters"], layer["kept"]) for layer in said["layers"]] == [(600, 300), (120, 120)]
    assert (said["form"], said["parameters"], said["kept"]) == ("safetensors", 750, 450)
    assert said["notes"] == []


def test_that_a_file_with_code_or_damage_ends_with_status_1_and_its_name(model, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    torch.save({"w": torch.ones(2, 2), "trap": Trap()}, tmp_path / "trap.pt")
    (tmp_path / "cut.safetensors").write_bytes(model.read_bytes()[:700])
    assert_refused(program(tmp_path, "info", "trap.pt"), 1, "trap.pt", "could run code")
    assert_refused(program(tmp_path, "info", "cut.safetensors"), 1, "cut.safetensors is no whole safetensors file")
    assert_refused(program(tmp_path, "info", "gone.onnx"), 1, "gone.onnx is not there")
    assert not (tmp_path / "made").exists()
