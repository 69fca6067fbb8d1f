"""Snapshots on a processor by compiled kernels, beside their twin: the tensors' own functions, which GPUs use."""

import errno
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import caching
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods import METHODS
from sparseviz.methods.base import Method
from sparseviz.methods.dense import RELATIVE_MAGNITUDE, Dense
from sparseviz.methods.gated import GATE
from sparseviz.methods.obs import SALIENCY
from sparseviz.networks import lenet5
from sparseviz.training.measure import cpu_reductions, kernels, reductions
from sparseviz.training.measure.observer import Observer
from sparseviz.values.snapshot import LayerSnapshot, Quantity
from tests.helpers.places import ROOT

SUMS = {"gate_sum", "gate_variance_sum"}
ODD_WEIGHTS = (  # where one is not finite the preview's scale is not either, and hides how others are shown
    torch.tensor([0.0, -0.0, 1e-45, 9.0, -9.0]),
    torch.tensor([math.nan, math.inf, -math.inf]),
)
BELOW, ABOVE = (float(torch.tensor(0.5).nextafter(torch.tensor(to))) for to in (0.0, 1.0))
ODD_VALUES = torch.tensor([0.05, 0.95, 0.5, BELOW, ABOVE, 0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, -20.0, 4.0])
SHAPES = [
    (1, 1),
    (1, 300),
    (300, 1),
    (7, 5),
    (128, 128),
    (129, 257),
    (300, 500),
    (2, 70_000),
    (20, 6, 5, 5),
    (9, 1, 3, 2),
]


class Given(Dense):
    """Keeps what it is told to keep, and decides by what it is told."""

    def __init__(self, quantity: Quantity) -> None:
        super().__init__(RunConfig(), 10)
        self.kept, self.values, self.told_quantity = torch.empty(0), torch.empty(0), quantity

    def mask(self, layer: str) -> Tensor:
        del layer
        return self.kept

    def quantity_values(self, layer: str) -> Tensor:
        del layer
        return self.values

    def quantity(self, layer: str) -> Quantity:
        del layer
        return self.told_quantity


def model_of(shape: tuple[int, ...]) -> nn.Module:
    outputs, inputs, *kernel = shape
    layer = nn.Conv2d(inputs, outputs, (kernel[0], kernel[1])) if kernel else nn.Linear(inputs, outputs)
    return as_trained(nn.Sequential(layer))


def as_trained(model: nn.Module) -> nn.Module:
    """In the memory format that every trainer gives it."""
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def pair(method: Method, model: nn.Module) -> tuple[Observer, Observer]:
    """By the kernels, and by the tensors' own functions."""
    ours, twin = (Observer(model, method, dict.fromkeys(method.layers, 0)) for _ in range(2))
    return ours, twin


def same(ours: Observer, twin: Observer) -> None:
    """Both take a snapshot: what they tell of every layer, and what they note, is the same."""
    for name in ours.infos:
        found = dict(ours._reduced(name))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cpu_reductions, "can_read", lambda _: False)
            expected = dict(twin._reduced(name))
        assert found.keys() == expected.keys()
        for what, value in expected.items():
            # the twin rounds each g - g g, and the sums of a row, to float32
            near, most = (1e-6, 2.0**-23 * ours.infos[name].weights) if what in SUMS else (0, 0)
            torch.testing.assert_close(found[what], value, rtol=near, atol=most, equal_nan=True, msg=what)
        assert torch.equal(ours._last[name], twin._last[name])
        assert torch.equal(ours.cut_at[name], twin.cut_at[name])
    ours._number += 1
    twin._number += 1


def with_odd(tensor: Tensor, odd: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Some entries replaced by odd ones."""
    drawn = odd[torch.randint(len(odd), tensor.shape, generator=generator)]
    return torch.where(torch.rand(tensor.shape, generator=generator) < share, drawn, tensor)


def check(shape, quantity, keeps, odd, seed) -> None:
    """A snapshot for every share that is kept, of weights, values and masks that are drawn anew."""
    generator, model, method = torch.Generator().manual_seed(seed), model_of(shape), Given(quantity)
    method.attach(model)
    ours, twin = pair(method, model)
    for number, keep in enumerate(keeps):
        weight = torch.randn(shape, generator=generator)
        with torch.no_grad():
            next(iter(method.layers.values())).weight.copy_(with_odd(weight, ODD_WEIGHTS[number % 2], odd, generator))
        spread = quantity.high - quantity.low
        values = quantity.low + spread * (1.2 * torch.rand(shape, generator=generator) - 0.1)
        method.values = with_odd(values.clamp(0, 1) if quantity.is_gate else values, ODD_VALUES, odd, generator)
        method.kept = torch.rand(shape, generator=generator) < keep
        same(ours, twin)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("odd", [0, 0.01])
@pytest.mark.parametrize("quantity", [GATE, RELATIVE_MAGNITUDE, SALIENCY], ids=lambda one: one.name)
def test_that_kernels_tell_of_a_layer_what_the_tensors_functions_tell(shape, quantity, odd):
    check(shape, quantity, (0.9, 0.05, 1, 0), odd, seed=0)


@settings(deadline=None, max_examples=40)
@given(rows=st.integers(1, 300), columns=st.integers(1, 300), keep=st.floats(0, 1), seed=st.integers(0, 99))
def test_that_kernels_tell_it_of_any_shape(rows, columns, keep, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reductions, "BAND_CELLS", 1000)  # of many bands
        check((rows, columns), GATE, (keep, 1 - keep), 0.001, seed)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("draw", ["threshold", "bernoulli"])
def test_that_kernels_go_by_the_rule_of_every_method(name, draw):
    torch.manual_seed(0)
    model = as_trained(lenet5())
    method = METHODS[name](RunConfig().changed({"method.name": name, "method.draw": draw}), 10)
    method.attach(model)
    ours, twin = pair(method, model)
    for _ in range(2):
        same(ours, twin)
        with torch.no_grad():
            for parameter in (*model.parameters(), *method.parameters()):
                parameter.uniform_(-0.5, 1.5)
            for gate in method.parameters():
                gate[0] = ODD_VALUES[torch.randint(8, gate[0].shape)]
        method.draw()
    same(ours, twin)


@pytest.mark.parametrize("changes", [{"gate.granularity": "weight+output+input"}, {"method.estimator": "sigmoid"}])
def test_that_kernels_read_gates_of_every_kind(changes):
    torch.manual_seed(0)
    model = as_trained(lenet5())
    method = METHODS["gated"](RunConfig().changed(changes), 10)
    method.attach(model)
    with torch.no_grad():
        for gate in method.parameters():
            gate.uniform_(-0.5, 1.5)
    ours, twin = pair(method, model)
    same(ours, twin)


def test_that_sums_of_gates_are_those_of_float64():
    gates = torch.rand(1_000_000, generator=torch.Generator().manual_seed(0))
    sums = np.zeros(4)
    kernels.sum_gates(gates.numpy(), torch.ones_like(gates).byte().numpy(), 0.05, 0.95, sums)
    exact = gates.double()
    assert sums[0] == pytest.approx(float(exact.sum()), rel=1e-13)
    assert sums[1] == pytest.approx(float((exact - exact * exact).sum()), rel=1e-13)


def snapshots(method: Method, model: nn.Module) -> tuple[LayerSnapshot, ...]:
    return Observer(model, method, dict.fromkeys(method.layers, 0)).layers()


def test_that_a_network_of_other_numbers_than_float32_is_told_of(monkeypatch):
    model, method = lenet5().double(), METHODS["gated"](RunConfig(), 10)
    method.attach(model)
    monkeypatch.setattr(cpu_reductions, "reduced", None)
    assert [layer.kept for layer in snapshots(method, model)] == [500, 25_000, 400_000, 5_000]


def test_that_a_run_goes_on_where_nothing_can_be_compiled(monkeypatch, caplog):
    model, method = lenet5(), METHODS["gated"](RunConfig(), 10)
    method.attach(model)
    cpu_reductions._kernels.cache_clear()
    monkeypatch.setitem(
        sys.modules, "sparseviz.training.measure.kernels", None
    )  # as where numba does not go with the other libraries
    monkeypatch.delattr("sparseviz.training.measure.kernels")
    try:
        assert [layer.kept for layer in snapshots(method, model)] == [500, 25_000, 400_000, 5_000]
        assert "take longer" in caplog.text
    finally:
        cpu_reductions._kernels.cache_clear()


def add_one(number):
    return number + 1


def test_that_kernels_are_compiled_where_they_cannot_be_kept(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert kernels._compiled("i8(i8)")(add_one)(2) == 3


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), EOFError("Ran out of input")])
@pytest.mark.parametrize("does", ["load_overload", "save_overload"])
def test_that_kernels_are_compiled_where_their_files_cannot_be_used(monkeypatch, does, error):
    def fails(*arguments):
        raise error

    monkeypatch.setattr(caching.Cache, does, fails)
    assert kernels._compiled("i8(i8)")(add_one)(2) == 3


def test_that_a_trainer_that_has_taken_no_snapshot_has_compiled_nothing():
    code = "import sys, sparseviz.runs.recording, sparseviz.gui.app; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
