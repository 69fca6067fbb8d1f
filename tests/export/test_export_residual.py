"""Networks with batch norm, shortcuts, groups and normalisation across channels, exported and proven."""

import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from sparseviz.export.graph.compact import compact
from sparseviz.export.graph.onnx_file import save, write_onnx
from sparseviz.export.options import ExportError
from sparseviz.export.proof.verify import open_session, prove_weights
from sparseviz.networks import build, layers


def grouped() -> nn.Module:
    """AlexNet's kinds of layers, few of each."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2),
        nn.ReLU(),
        nn.LocalResponseNorm(5, alpha=1e-2, beta=0.75, k=1),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(8, 12, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.Conv2d(12, 10, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(360, 10),
    )


def sparse(model: nn.Module) -> nn.Module:
    """With nine weights of ten cut, and normalisations that have seen images."""
    torch.manual_seed(6)
    with torch.no_grad():
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm2d):
                assert norm.running_mean is not None
                assert norm.running_var is not None
                norm.running_mean.normal_()
                norm.running_var.uniform_(0.5, 2)
                norm.weight.normal_()
        for layer in layers(model).values():
            layer.weight.mul_(torch.rand_like(layer.weight) < 0.1)
            layer.weight[0] = 0
    return model.eval()


MAKE = {"residual": lambda: build("resnet20-cifar10"), "grouped": grouped}


@pytest.fixture(params=MAKE)
def exported(request, tmp_path):
    torch.manual_seed(5)
    model, path = sparse(MAKE[request.param]()), tmp_path / "model.onnx"
    write_onnx(model, torch.randn(2, 3, 32, 32), path, {})
    return model, path


def test_that_the_file_is_proven_and_a_compact_one_answers_alike(exported, tmp_path):
    model, path = exported
    prove_weights(path, model)
    graph = onnx.load(str(path))
    import onnx_ir as ir

    smaller = ir.from_proto(graph)
    compact(smaller)
    save(smaller, tmp_path / "compact.onnx", {})
    images = torch.randn(5, 3, 32, 32)
    with torch.no_grad():
        expected = model(images)
    for file in (path, tmp_path / "compact.onnx"):
        (found,) = open_session(file).run(None, {"images": images.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-5)


def test_that_a_weight_that_is_another_is_found_even_where_a_normalisation_was_folded_in(exported):
    model, path = exported
    graph = onnx.load(str(path))
    stored = next(tensor for tensor in graph.graph.initializer if tensor.name in dict(model.named_parameters()))
    values = numpy_helper.to_array(stored).copy()
    for change in (1e-3, -values.flat[int(abs(values).argmax())]):  # a cut weight that is back, and one that is gone
        other = values.copy()
        other.flat[int((values == 0).argmax()) if change == 1e-3 else int(abs(values).argmax())] += change
        stored.CopyFrom(numpy_helper.from_array(other, stored.name))
        onnx.save(graph, str(path))
        with pytest.raises(ExportError, match=f"does not store {stored.name}"):
            prove_weights(path, model)
