"""Pretrained weights: matched by name and shape, told of, kept with the run, read once."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from sparseviz.config import ConfigError, InputError
from sparseviz.data import load_data
from sparseviz.networks import build
from sparseviz.networks.pretrained import load_weights, matched
from sparseviz.runs.recording import branch_run, record_run, resume_run
from sparseviz.store import RunReader
from sparseviz.training.trainer import Trainer
from tests.helpers.program import SHORT, program, succeeded
from tests.helpers.runs import Seen, short


def state_of(seed: int, network: str = "lenet300", classes: int = 10) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return dict(build(network, classes=classes).state_dict())


def saved(path: Path, state: dict[str, Tensor]) -> Path:
    if path.suffix == ".safetensors":
        save_file(state, str(path))
    else:
        torch.save(state, path)
    return path


def loaded(path: Path, network: str = "lenet300", **choices: bool) -> tuple[nn.Module, str]:
    """A network into which the file was put, and what is told of it."""
    torch.manual_seed(99)
    model = build(network)
    return model, load_weights(str(path), network, model, **choices)


def assert_equal(state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert state.keys() == expected.keys()
    assert [name for name in state if not torch.equal(state[name], expected[name].to(state[name].dtype))] == []


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt", "weights.pth"])
@pytest.mark.parametrize("network", ["lenet300", "resnet20-cifar10"])
def test_that_a_file_of_the_network_s_own_names_is_taken_whole(tmp_path, name, network):
    state = state_of(1, network)
    path = saved(tmp_path / name, state)
    model, told = loaded(path, network)
    assert_equal(dict(model.state_dict()), state)
    assert told == f"{path} (SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}): all tensors loaded"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_that_other_numbers_are_converted_and_what_wraps_a_network_is_left_out(tmp_path, kind, prefix):
    state = {name: tensor.to(kind) for name, tensor in state_of(2).items()}
    path = saved(tmp_path / "w.pt", {f"{prefix}{name}": tensor for name, tensor in state.items()})
    model, _ = loaded(path)
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}
    assert_equal(dict(model.state_dict()), state)


def test_that_a_partial_match_is_refused_with_both_shapes_unless_it_is_asked_for(tmp_path):
    state = state_of(3, classes=7)
    path = saved(tmp_path / "w.safetensors", state)
    with pytest.raises(InputError) as caught:
        loaded(path)
    for words in (
        str(path),
        "4 tensors fit (fc1.weight, fc1.bias, fc2.weight, fc2.bias)",
        "of another shape: fc3.weight (10 x 100 in the network, 7 x 100 in the file), fc3.bias (10 in",
        "weights_partial = true",
    ):
        assert words in str(caught.value)
    model, told = loaded(path, partial=True)
    torch.manual_seed(99)
    fresh = build("lenet300").state_dict()
    expected = {name: fresh[name] if name.startswith("fc3") else tensor for name, tensor in state.items()}
    assert_equal(dict(model.state_dict()), expected)
    assert "loaded in part: 4 tensors fit" in told
    assert "fc3.weight (10 x 100 in the network, 7 x 100 in the file)" in told


def test_that_missing_and_left_over_tensors_are_named(tmp_path):
    state = state_of(3)
    del state["fc2.bias"]
    path = saved(tmp_path / "w.pt", state | {"extra.weight": torch.zeros(2, 3), "step": torch.tensor(3)})
    with pytest.raises(
        InputError, match=r"not in the file: fc2\.bias; left over in the file: extra\.weight 2 x 3, step"
    ):
        loaded(path)


def test_that_whole_numbers_do_not_pass_for_weights_and_nothing_is_guessed_by_shape(tmp_path):
    quantised = {name: (100 * tensor).to(torch.int8) for name, tensor in state_of(1).items()}
    with pytest.raises(InputError, match=r"fc1\.weight \(300 x 784 in the network, 300 x 784 int8 in the file\)"):
        loaded(saved(tmp_path / "w.pt", quantised), partial=True)
    renamed = {f"other.{name}": tensor for name, tensor in state_of(1).items()}
    with pytest.raises(InputError, match="0 tensors fit"):
        loaded(saved(tmp_path / "v.pt", renamed), partial=True)


class Thing:
    """No tensor."""


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("w.safetensors", b"no header", "is no whole safetensors file"),
        ("w.pt", b"no archive", "is no whole file of torch.save|was not opened"),
        ("w.pth", Thing(), "could run code of the file"),
    ],
)
def test_that_a_file_that_is_damaged_or_could_run_code_is_refused(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(InputError, match=says):
        loaded(path)


def test_that_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*gone\.pt"):
        loaded(tmp_path / "gone.pt")


def test_that_torchvision_s_names_of_vgg16_are_ours_in_the_order_of_its_layers():
    with torch.device("meta"):
        model = build("vgg16")
    places = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]  # of torchvision.models.vgg16().features
    layers = [*(f"features.{place}" for place in places), *(f"classifier.{place}" for place in (0, 3, 6))]
    theirs = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    ours = model.state_dict()
    match = matched(dict(zip(theirs, ours.values(), strict=True)), "vgg16", model)
    assert match.is_whole
    assert all(match.fitting[name] is tensor for name, tensor in ours.items())


def test_that_torchvision_s_alexnet_is_refused_by_name_and_the_way_out_is_told(tmp_path):
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    path = saved(tmp_path / "a.pt", {f"features.{place}.weight": torch.zeros(shape) for place, shape in shapes.items()})
    with torch.device("meta"):
        model = build("alexnet")
    with pytest.raises(InputError) as caught:
        load_weights(str(path), "alexnet", model, partial=True)
    for words in (
        "torchvision's AlexNet, of one tower",
        "network=torchvision.models:alexnet",
        "not in the file: conv1.weight",
        "features.3.weight 192 x 64 x 5 x 5",
    ):
        assert words in str(caught.value)


def test_that_gates_start_from_the_magnitude_of_what_was_loaded(tmp_path):
    state = state_of(5)
    settings = {
        "weights": str(saved(tmp_path / "w.pt", state)),
        "gate.top_share": {"fc1": 0.05},
        "gate.layers": ["fc1"],
    }
    trainer = Trainer(short(settings), load_data(short().data))
    mask = trainer.method.mask("fc1")
    kept = round(0.05 * mask.numel())
    assert int(mask.sum()) == kept
    largest = torch.zeros(mask.numel(), dtype=torch.bool)
    largest[state["fc1.weight"].abs().flatten().topk(kept).indices] = True
    assert torch.equal(mask.flatten(), largest)


class TestRuns:
    def test_that_the_run_keeps_what_was_loaded_and_reads_it_once(self, tmp_path):
        class Stops(Seen):
            def saw(self, snapshot):
                super().saw(snapshot)
                self.trainer.stop()

        path = saved(tmp_path / "w.safetensors", state_of(6))
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        run = record_run(short({"weights": str(path)}), tmp_path / "run.h5", watcher=Stops())
        path.unlink()
        for other in (run, resume_run(run), branch_run(run, changed={"epochs": 2})):
            with RunReader(other) as reader:
                assert checksum in reader.info.weights_note
                assert reader.info.config.weights == str(path)
        with pytest.raises(ConfigError, match="weights: a branch keeps it"):
            branch_run(run, changed={"weights": ""})

    def test_that_the_command_line_tells_it_at_the_start_and_later(self, tmp_path):
        saved(tmp_path / "w.pt", state_of(7, classes=7))
        own = ("--set", "network=lenet300", "--set", "weights=w.pt", "--set", "weights_partial=true")
        done = succeeded(program(tmp_path, *SHORT, *own, "--out", "run.h5"))
        assert "Weights: w.pt (SHA-256 " in done.stderr
        assert "of another shape: fc3.weight" in done.stderr
        assert "weights      w.pt (SHA-256 " in done.stdout
