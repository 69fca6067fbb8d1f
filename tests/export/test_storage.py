"""Coordinates: the same numbers bit for bit, in few bytes."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparseviz.export.graph.onnx_file import save, write_onnx
from sparseviz.export.graph.storage import Places, closest, store
from sparseviz.export.proof.verify import open_session
from sparseviz.networks import build, layers

arrays = st.tuples(st.integers(0, 4000), st.sampled_from([0.0, 0.0005, 0.01, 0.2, 1.0]), st.integers(0, 10_000))


class TestPlaces:
    @settings(deadline=None, derandomize=True)
    @given(plan=arrays, kind=st.sampled_from([np.uint8, np.uint16]))
    def test_that_an_array_comes_back_bit_for_bit(self, plan, kind):
        size, share, seed = plan
        random = np.random.default_rng(seed)
        array = np.where(random.random(size) < share, random.normal(size=size), 0).astype(np.float32)
        places = Places.of(array, kind)
        assert places.gaps.dtype == kind
        assert places.restored(array.shape).tobytes() == array.tobytes()
        assert (places.values != 0).sum() == np.count_nonzero(array)

    @pytest.mark.parametrize(("gap", "bytes_"), [(200, 2), (100_000, 4)])
    def test_that_wide_gaps_take_the_wider_type_where_it_is_smaller(self, gap, bytes_):
        array = np.zeros(gap * 5 + 1, np.float32)
        array[::gap] = 1
        assert closest(array).gaps.dtype.itemsize * 2 == bytes_


KEPT = {"conv1": 184, "conv2": 686, "fc1": 1141, "fc2": 494}  # of a LeNet-5 that was trained to 172x
GRAPH_BYTES = 12 * 1024


@pytest.fixture(scope="module")
def sparse(tmp_path_factory) -> Path:
    """LeNet-5 with so many random weights left, as it is exported."""
    torch.manual_seed(0)
    network = build("lenet5").eval()
    for name, layer in layers(network).items():
        flat = layer.weight.detach().view(-1)
        flat[torch.randperm(len(flat))[KEPT[name] :]] = 0
    path: Path = tmp_path_factory.mktemp("sparse") / "dense.onnx"
    write_onnx(network, torch.zeros(2, 1, 28, 28), path, {})
    return path


@pytest.mark.parametrize(("half", "bytes_a_weight", "bar"), [(False, 8.5, 0), (True, 4.5, 5e-3)])
def test_that_a_kept_weight_of_a_sparse_net_costs_few_bytes(sparse, tmp_path, half, bytes_a_weight, bar):
    model = ir.load(sparse)
    store(model, coo=True, half=half)
    save(model, tmp_path / "coo.onnx", {})
    assert (tmp_path / "coo.onnx").stat().st_size <= bytes_a_weight * sum(KEPT.values()) + GRAPH_BYTES
    images = np.random.default_rng(0).standard_normal((8, 1, 28, 28), dtype=np.float32)
    expected, found = (open_session(path).run(None, {"images": images})[0] for path in (sparse, tmp_path / "coo.onnx"))
    assert np.abs(found - expected).max() <= bar * np.abs(expected).max()
