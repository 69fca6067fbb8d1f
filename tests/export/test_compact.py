"""Compaction changes no output: of nets that were trained, and of whatever network a person might bring."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sparseviz.export.graph.compact import Compaction, compact
from sparseviz.export.graph.onnx_file import write_onnx
from sparseviz.export.proof.verify import open_session
from sparseviz.networks import layers
from sparseviz.networks.baked import baked_model
from sparseviz.store import RunReader
from tests.helpers.random_networks import BLOCKS, HEADS, RandomNetwork, SideBySide, cut

networks = st.lists(
    st.tuples(st.lists(st.sampled_from(BLOCKS), max_size=4), st.sampled_from(HEADS), st.integers(0, 100_000)),
    min_size=5,
    max_size=5,
)
quiet = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def made(plans: list[tuple[list[str], str, int]]) -> nn.Module:
    """Five networks that were cut; the weights that nobody draws come from the plan's seed too."""
    found: list[nn.Module] = []
    for blocks, head, number in plans:
        torch.manual_seed(number)
        found.append(RandomNetwork(blocks, head, number))
        cut(found[-1], number)
    return SideBySide(found)


class Pair:
    """A network as it is exported, and what compaction makes of it."""

    def __init__(self, network: nn.Module, images: Tensor, folder: Path, compaction=compact) -> None:
        self.before, self.after = folder / "before.onnx", folder / "after.onnx"
        write_onnx(network.eval(), images[:2], self.before, {})
        model = ir.load(self.before)
        self.compaction: Compaction = compaction(model)
        ir.save(model, self.after)
        onnx.checker.check_model(str(self.after), full_check=True)
        self.images = images.numpy()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {tensor.name: tuple(tensor.dims) for tensor in onnx.load(self.after).graph.initializer}

    def answers(self, path: Path) -> np.ndarray:
        found: np.ndarray = open_session(path).run(None, {"images": self.images})[0]
        return found

    def assert_same(self) -> None:
        expected, found = self.answers(self.before), self.answers(self.after)
        assert found.shape == expected.shape
        assert np.isfinite(expected).all()
        assert np.abs(expected - found).max() <= 1e-5 * np.abs(expected).max()
        assert self.after.stat().st_size <= self.before.stat().st_size


def check(plans: list[tuple[list[str], str, int]], folder: Path) -> Compaction:
    images = torch.randn(5, 2, 10, 10, generator=torch.Generator().manual_seed(len(plans)))
    pair = Pair(made(plans), images, folder)
    pair.assert_same()
    return pair.compaction


class TestAnyNetwork:
    @settings(quiet, max_examples=8)
    @given(plans=networks)
    def test_that_forty_random_networks_answer_as_before_and_are_no_larger(self, plans, tmp_path_factory):
        check(plans, tmp_path_factory.mktemp("random"))

    @pytest.mark.slow
    @pytest.mark.parametrize("part", range(10))
    def test_that_ten_times_fifty_random_networks_answer_as_before_and_are_no_larger(self, part, tmp_path_factory):
        @seed(part)
        @settings(quiet, derandomize=False, database=None, max_examples=10)
        @given(plans=networks)
        def fifty(plans):
            check(plans, tmp_path_factory.mktemp("random"))

        fifty()

    def test_that_the_random_networks_are_cut_so_that_much_goes(self, tmp_path):
        plans = [(BLOCKS[place::4], head, place) for place, head in enumerate([*HEADS, "flat"])]
        found = check(plans, tmp_path)
        assert sum(removed.constant for removed in found.removed) > 5
        assert sum(removed.unread for removed in found.removed) > 5


@pytest.mark.parametrize("kind", ["gated", "conv", "magnitude"])
def test_that_a_trained_net_answers_as_before_with_its_dead_units_gone(kind, request, tmp_path):
    with RunReader(request.getfixturevalue(kind).path) as run:
        images = torch.from_numpy(run.test_inputs().images)
        network = baked_model(run.info.config.network, run.checkpoint())
    pair = Pair(network, images, tmp_path)
    pair.assert_same()
    removed = {part.layer: part.constant + part.unread for part in pair.compaction.removed}
    for name, values in network.named_parameters():
        alive = dead_apart(values) if name.endswith("weight") else None
        if alive is not None and name.removesuffix(".weight") != list(layers(network))[-1]:
            assert removed.get(name.removesuffix(".weight"), 0) >= alive


def dead_apart(weight: Tensor) -> int:
    """Units without any weight of their own."""
    return int((weight.detach().flatten(1) == 0).all(1).sum())


IMAGES = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def chain(*parts: nn.Module) -> Any:
    torch.manual_seed(0)
    for part in parts:
        for values in part.parameters():
            nn.init.normal_(values)
    return nn.Sequential(*parts)


@torch.no_grad()
def zero(weight: Tensor, *where: Any) -> None:
    weight[where] = 0


class TestConvolution:
    @pytest.mark.parametrize(("padding", "left"), [(0, 3), (1, 4)])
    def test_that_a_constant_filter_goes_unless_zeros_are_padded_beside_it(self, tmp_path, padding, left):
        net = chain(nn.Conv2d(3, 4, 3), nn.Sigmoid(), nn.Conv2d(4, 2, 3, padding=padding))
        zero(net[0].weight, 1)
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert pair.shapes["0.weight"] == (left, 3, 3, 3)

    def test_that_a_constant_of_0_goes_under_padding_too(self, tmp_path):
        net = chain(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1))
        zero(net[0].weight, 1)
        with torch.no_grad():
            net[0].bias[1] = -1
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert pair.shapes["0.weight"] == (3, 3, 3, 3)

    def test_that_a_filter_that_nothing_reads_goes_and_then_what_it_alone_read(self, tmp_path):
        net = chain(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 1), nn.ReLU(), nn.Conv2d(5, 2, 1))
        zero(net[4].weight, slice(None), 0)
        zero(net[2].weight, slice(1, None), 2)
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert (pair.shapes["0.weight"], pair.shapes["2.weight"]) == ((3, 3, 3, 3), (4, 3, 1, 1))
        assert pair.compaction.rounds == 2

    def test_that_groups_go_as_a_whole(self, tmp_path):
        net = chain(nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=3), nn.ReLU(), nn.Conv2d(6, 2, 1))
        zero(net[4].weight, slice(None), [0, 2, 3])
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert (pair.shapes["0.weight"], pair.shapes["2.weight"]) == ((4, 3, 1, 1), (4, 2, 3, 3))

    def test_that_the_border_of_a_padded_average_keeps_a_constant_filter(self, tmp_path):
        counts, other = (nn.AvgPool2d(2, padding=1, count_include_pad=include) for include in (True, False))
        for pool, left in ((counts, 4), (other, 3)):
            net = chain(nn.Conv2d(3, 4, 3), pool, nn.Conv2d(4, 2, 1))
            zero(net[0].weight, 1)
            pair = Pair(net, IMAGES, tmp_path)
            pair.assert_same()
            assert pair.shapes["0.weight"][0] == left


class Joined(nn.Module):
    """A residual connection beside a concatenation, read by one layer; (B, 3, 8, 8) to (B, 2, 8, 8)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = torch.relu(self.first(x))
        two = one + self.second(one)
        answers: Tensor = self.last(torch.cat([one, torch.tanh(two)], 1))
        return answers


class TestJoins:
    def test_that_a_channel_of_a_residual_goes_only_when_all_its_readers_allow_it(self, tmp_path):
        net = Joined()
        zero(net.last.weight, slice(None), [0, 1, 5])  # 1 and 5 are the same channel, before and after the sum
        zero(net.second.weight, slice(None), [0, 1])
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert pair.shapes["first.weight"][0] == 3
        assert pair.shapes["second.weight"][:2] == (3, 3)
        assert pair.shapes["last.weight"][1] == 6

    def test_that_an_operator_that_is_not_understood_keeps_what_it_touches_and_is_named(self, tmp_path):
        class Summed(nn.Sequential):
            def forward(self, x: Tensor) -> Tensor:
                answers: Tensor = self[2](torch.cumsum(self[1](self[0](x)), 1))
                return answers

        net: Any = Summed(*chain(nn.Conv2d(3, 5, 1), nn.Conv2d(5, 4, 1), nn.Conv2d(4, 2, 1)))
        zero(net[1].weight, slice(None), 2)
        zero(net[2].weight, slice(None), 1)
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert (pair.shapes["0.weight"][0], pair.shapes["1.weight"][0]) == (4, 4)
        assert [named.split()[0] for named in pair.compaction.left_alone] == ["CumSum"]

    def test_that_shared_weights_lose_only_what_both_their_places_allow(self, tmp_path):
        class Twice(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                torch.manual_seed(0)
                self.twice, self.last = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 2, 1)

            def forward(self, x: Tensor) -> Tensor:
                answers: Tensor = self.last(self.twice(torch.relu(self.twice(x))))
                return answers

        net = Twice()
        zero(net.last.weight, slice(None), 0)
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert pair.shapes["twice.weight"] == (3, 3, 1, 1)  # the image's own channels stay


class TestLinear:
    def test_that_a_layer_without_a_bias_gets_one_where_a_constant_is_folded_into_it(self, tmp_path):
        for body in (nn.Flatten(), nn.Flatten(2)):
            width = 192 if body.start_dim == 1 else 64
            net = chain(body, nn.Linear(width, 9), nn.Sigmoid(), nn.Linear(9, 4, bias=False))
            zero(net[1].weight, [2, 5])
            pair = Pair(net, IMAGES, tmp_path)
            pair.assert_same()
            assert sorted(shape for shape in pair.shapes.values() if shape in {(4,), (7,)}) == [(4,), (7,)]

    def test_that_normalisations_are_folded_into_the_layers_before_them(self, tmp_path):
        net = chain(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(256, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert "BatchNormalization" not in {node.op_type for node in onnx.load(pair.after).graph.node}

    def test_that_a_unit_that_is_infinite_everywhere_is_no_constant_to_fold(self, tmp_path):
        class Infinite(nn.Sequential):
            def forward(self, x: Tensor) -> Tensor:
                answers: Tensor = self[1](torch.exp(-1 / torch.relu(self[0](x.flatten(1)))))
                return answers

        net: Any = Infinite(*chain(nn.Linear(192, 5), nn.Linear(5, 2)))
        zero(net[0].weight, 2)
        with torch.no_grad():
            net[0].bias[2] = -1  # relu gives 0, its reciprocal infinity, the whole 0
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert pair.shapes["0.weight"] == (5, 192)

    def test_that_a_network_without_any_weight_left_still_answers(self, tmp_path):
        net = chain(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 6), nn.ReLU(), nn.Linear(6, 2))
        for part in (net[0], net[3], net[5]):
            zero(part.weight)
        pair = Pair(net, IMAGES, tmp_path)
        pair.assert_same()
        assert pair.shapes["0.weight"][0] == pair.shapes["5.weight"][1] == 1
