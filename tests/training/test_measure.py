"""Snapshots of a layer beside their slow, obvious twins."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparseviz.config import RunConfig
from sparseviz.methods import METHODS
from sparseviz.methods.gated import GATE
from sparseviz.networks import lenet5, multiply_adds
from sparseviz.training.measure.observer import Observer
from sparseviz.training.measure.reductions import Band, bands, histogram, preview_shape, reduced, take_preview
from sparseviz.values.snapshot import HISTOGRAM_BINS, PREVIEW_SIDE


def observer(model=None, name="gated"):
    torch.manual_seed(0)
    model = model or lenet5()
    counts = multiply_adds(model, torch.zeros(1, 1, 28, 28))
    method = METHODS[name](RunConfig().changed({"method.name": name}), 10)
    method.attach(model)
    return method, Observer(model, method, counts)


def scramble(method, seed=0, cut=0.9):
    torch.manual_seed(seed)
    with torch.no_grad():
        for gate in method.gates.values():
            gate.parameter.uniform_(0, 1).pow_(-math.log(1 - cut) / math.log(2) + 1)


def told_of(gates, last=None):
    """What is told of a matrix of gates, which are their own weights."""
    last = gates >= 0.5 if last is None else last
    parts = ((rows, gates[rows] >= 0.5, gates[rows]) for rows in bands(*gates.shape))
    return reduced(gates, (Band(*part, torch.count_nonzero(part[1] != last[part[0]])) for part in parts), GATE)


def slow_preview(weight, mask):
    """Block by block."""
    rows, columns = weight.shape
    height, width = preview_shape(rows, columns)
    down, right = math.ceil(rows / PREVIEW_SIDE), math.ceil(columns / PREVIEW_SIDE)
    picture = np.zeros((2, height, width), dtype=np.uint8)
    picture[0] = 128
    scale = max((abs(w) for w, kept in zip(weight.flat, mask.flat, strict=True) if kept), default=0.0)
    for y in range(height):
        for x in range(width):
            part = np.s_[y * down : (y + 1) * down, x * right : (x + 1) * right]
            kept = weight[part][mask[part]]
            if kept.size:
                extreme = max(kept, key=abs)
                level = max(1, round(127 * abs(extreme) / scale)) if scale else 1
                picture[0, y, x] = 128 + (level if extreme >= 0 else -level)
                picture[1, y, x] = max(1, int(np.float32(255) * np.float32(kept.size / mask[part].size) + 0.5))
    return picture, scale


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 300), columns=st.integers(1, 300), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_that_a_preview_equals_its_slow_twin(rows, columns, share, seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator)
    mask = torch.rand(rows, columns, generator=generator) < share
    preview, scale = take_preview(weight, mask)
    expected, expected_scale = slow_preview(weight.numpy(), mask.numpy())
    assert preview.shape == (2, *preview_shape(rows, columns))
    assert scale == pytest.approx(expected_scale)
    assert np.abs(preview.numpy().astype(int) - expected.astype(int)).max() <= 1  # rounding of halves
    assert np.array_equal(preview.numpy()[0] == 128, expected[0] == 128)
    assert np.array_equal(preview.numpy()[1] == 0, expected[1] == 0)


def test_that_one_kept_weight_among_a_million_is_seen():
    weight = torch.full((1000, 1000), 5.0)
    weight[777, 333] = -1e-6
    mask = torch.zeros(1000, 1000, dtype=torch.bool)
    mask[777, 333] = True
    preview, _ = take_preview(weight, mask)
    seen = preview[0] != 128
    assert int(seen.sum()) == 1
    assert bool(seen[777 // 8, 333 // 8])
    assert int(preview[1][seen]) == round(255 / 64)


def test_that_a_preview_has_at_most_its_side_in_pixels():
    for rows, columns in [(1, 1), (128, 129), (500, 800), (4096, 25088), (10, 5000)]:
        assert max(preview_shape(rows, columns)) <= PREVIEW_SIDE


def test_that_the_upper_half_of_a_gate_histogram_counts_the_kept():
    torch.manual_seed(0)
    values = torch.rand(10_000)
    values[:4] = torch.tensor([0.5, 0.49999997, 0.0, 1.0])
    counts = histogram(values, GATE)
    assert int(counts.sum()) == 10_000
    assert int(counts[HISTOGRAM_BINS // 2 :].sum()) == int((values >= 0.5).sum())


def test_that_what_lies_outside_the_range_falls_into_the_end_bins():
    counts = histogram(torch.tensor([-2.0, 3.0, 0.5]), GATE)
    assert counts[0] == 1
    assert counts[-1] == 1


def test_that_undecided_is_told_apart_for_the_kept_and_the_cut():
    values = torch.tensor([0.0, 0.2, 0.4, 0.05, 0.95, 0.96, 0.7, 1.0])
    told = told_of(values[None])
    assert (told["open_kept"], told["kept"]) == (1, 4)
    assert (told["open"] - told["open_kept"], len(values) - told["kept"]) == (2, 4)


def test_that_gate_moments_are_those_of_the_mask_under_bernoulli_draws():
    torch.manual_seed(0)
    gates = torch.rand(2000)
    told = told_of(gates[None])
    mean, variance = (float(told[name]) / len(gates) for name in ("gate_sum", "gate_variance_sum"))
    draws = torch.stack([torch.bernoulli(gates) for _ in range(400)])
    assert mean == pytest.approx(float(draws.mean()), abs=0.005)
    assert variance == pytest.approx(float(draws.var(dim=0).mean()), abs=0.005)


def test_that_every_count_of_a_snapshot_agrees_with_the_mask():
    method, watch = observer()
    scramble(method)
    for layer in watch.layers():
        mask = method.mask(layer.info.name).reshape(layer.info.shape[0], -1).numpy()
        assert layer.kept == mask.sum() == layer.histogram[HISTOGRAM_BINS // 2 :].sum()
        assert np.array_equal(layer.row_kept, mask.sum(axis=1))
        assert np.array_equal(layer.column_kept, mask.sum(axis=0))
        assert layer.histogram.sum() == layer.info.weights


def test_that_flips_count_mask_entries_changed_since_the_last_snapshot():
    method, watch = observer()
    assert [layer.flips for layer in watch.layers()] == [0, 0, 0, 0]
    before = {name: method.mask(name).clone() for name in method.layers}
    scramble(method)
    flips = [layer.flips for layer in watch.layers()]
    assert flips == [int((method.mask(name) != before[name]).sum()) for name in method.layers]
    assert sum(flips) > 0
    assert [layer.flips for layer in watch.layers()] == [0, 0, 0, 0]


def test_that_a_dead_unit_is_one_whose_removal_or_folding_changes_no_output():
    method, watch = observer()
    with torch.no_grad():
        gates = {name: gate.parameter for name, gate in method.gates.items()}
        gates["conv1"][3] = 0  # no incoming weight: a constant
        gates["conv2"][:, 5] = 0  # unit 5 of conv1 has no reader
        gates["fc1"][:, 16 * 7 : 16 * 8] = 0  # unit 7 of conv2 has no reader behind the flatten
        gates["fc1"][[1, 2]] = 0
        gates["fc2"][4] = 0  # an answer is never dead
    dead = {layer.info.name: layer.dead_units for layer in watch.layers()}
    assert dead == {"conv1": 2, "conv2": 1, "fc1": 2, "fc2": 0}
    kept = {layer.info.name: layer.biases_kept for layer in watch.layers()}
    assert kept == {"conv1": 18, "conv2": 49, "fc1": 498, "fc2": 10}


def test_that_the_bias_of_a_unit_without_readers_changes_no_output():
    model = lenet5()
    method, watch = observer(model)
    images = torch.randn(2, 1, 28, 28)
    with torch.no_grad():
        method.gates["conv2"].parameter[:, 5] = 0
        before = model(images)
        model.get_parameter("conv1.bias")[5] += 100.0
        assert torch.equal(model(images), before)
    assert watch.layers()[0].dead_units == 1


def test_that_snapshots_are_frozen_copies():
    method, watch = observer()
    layer = watch.layers()[0]
    counts, picture = layer.histogram.copy(), layer.preview.copy()
    scramble(method)
    watch.layers()
    assert np.array_equal(layer.histogram, counts)
    assert np.array_equal(layer.preview, picture)
    with pytest.raises(ValueError, match="read-only"):
        layer.histogram[0] = 1
    with pytest.raises(AttributeError):
        layer.kept = 3


@pytest.mark.parametrize("shape", [(300, 20_000), (7, 900_000), (4096, 5)])
def test_that_a_matrix_read_in_bands_is_told_of_as_one_read_at_once(shape, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    gates, last = (torch.rand(shape, generator=generator) for _ in range(2))
    many = told_of(gates, last >= 0.5)
    monkeypatch.setattr("sparseviz.training.measure.reductions.BAND_CELLS", 1 << 30)
    once = told_of(gates, last >= 0.5)
    for name, value in once.items():
        tolerance = 1e-6 if name in {"gate_sum", "gate_variance_sum"} else 0  # a row's gates are summed in float32
        torch.testing.assert_close(many[name], value, rtol=tolerance, atol=0)
    mask = gates >= 0.5
    assert torch.equal(many["row_kept"], mask.sum(dim=1))
    assert torch.equal(many["column_kept"], mask.sum(dim=0))
    assert many["flips"] == (mask != (last >= 0.5)).sum()
    assert float(many["gate_sum"]) == pytest.approx(float(gates.double().sum()), rel=1e-6)
    assert float(many["gate_variance_sum"]) == pytest.approx(float((gates * (1 - gates)).double().sum()), rel=1e-6)


def test_that_a_band_is_whole_blocks_of_the_preview():
    found = list(bands(4096, 25088))
    assert len(found) == 128
    assert {(rows.start % 32, rows.stop - rows.start) for rows in found} == {(0, 32)}
    assert [rows.stop for rows in found[:-1]] == [rows.start for rows in found[1:]]


@pytest.mark.parametrize("granularity", ["weight", "output", "input", "weight+output+input"])
@pytest.mark.parametrize("estimator", ["clip", "sigmoid"])
def test_that_rows_of_the_gates_are_those_of_all_of_them(granularity, estimator):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(), torch.nn.Linear(8 * 6 * 6, 4))
    changes = {"gate.granularity": granularity, "method.estimator": estimator}
    method = METHODS["gated"](RunConfig().changed(changes), 10)
    method.attach(model)
    with torch.no_grad():
        for parameter in method.parameters():
            parameter.uniform_(-0.5, 1.5)
    for name in method.layers:
        whole, rows = method.quantity_values(name).flatten(1), method.quantity_rows(name)
        mask, mask_rows = method.mask(name).flatten(1), method.mask_rows(name)
        for part in (slice(0, 2), slice(1, 4), np.array([3, 0])):
            torch.testing.assert_close(rows(part), whole[part], rtol=1e-6, atol=0)  # sigmoid's last bit may differ
            assert torch.equal(mask_rows(part), mask[part])
