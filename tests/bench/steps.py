"""A gated training step beside a dense one and beside other ways to train masks; all with the same Adam."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sparseviz.data import MemorySplit
from sparseviz.networks import build
from tests.bench import material, peers
from tests.bench.table import Row, cost
from tests.bench.timing import Work, in_turns

STEPS = {"lenet5": 10, "lenet300": 60}  # in one turn
BYTES = (
    "an update of a dense weight moves about 40 bytes (weight and gradient, Adam's four tensors), a gate adds about "
    "100 (masking forward and backward 24 and 12, penalty 28, Adam 28, projection 8): where all is memory the limit is "
    "3.5, and where it lies in the cache the products count too"
)


def ours(network: str, steps: int) -> Work:
    """The program's own trainer: feeding, tally, lambdas and rates included."""
    trainer = material.trainer(network)

    def work() -> None:
        for _ in range(steps):
            trainer._train_step()

    return work


def plain(model: nn.Module, split: MemorySplit, steps: int, penalty: Callable[[], Tensor] | None = None) -> Work:
    """The loop that everybody writes, over the same batches."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    order = torch.arange(len(split.labels)).split(material.BATCH)

    def work() -> None:
        for number in range(steps):
            index = order[number % len(order)]
            optimizer.zero_grad()
            loss = F.cross_entropy(model(split.images[index]), split.labels[index])
            (loss + penalty() if penalty else loss).backward()
            optimizer.step()

    return work


def fresh(network: str) -> nn.Module:
    """The network as the trainer has it."""
    torch.manual_seed(0)
    model: nn.Module = build(network)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def lenet5(repeats: int) -> list[dict[str, Any]]:
    """Against dense, and the others."""
    rows = measure("lenet5", 1.10, peers.PEERS, repeats)
    return [asdict(row) for row in rows]


def lenet300(repeats: int) -> list[dict[str, Any]]:
    """All gates, little compute."""
    rows = measure("lenet300", 1.6, peers.PEERS, repeats)
    return [asdict(row) for row in rows]


def measure(network: str, bound: float, others: dict[str, peers.Peer], repeats: int) -> list[Row]:
    """Every work takes its turn, the missing are told."""
    split, steps = material.training(), STEPS[network]
    works: dict[str, Work] = {"ours": ours(network, steps), "dense": plain(fresh(network), split, steps)}
    missing: dict[str, str] = {}
    for name, make in others.items():
        try:
            model, penalty = make(fresh(network), split.images[: material.BATCH])
            works[name] = plain(model, split, steps, penalty)
        except ImportError as error:
            missing[name] = f"{error}; pip install -e '.[bench]'"
    times = {name: [one / steps for one in each] for name, each in in_turns(works, repeats).items()}
    what = f"gated step, {network}, batch {material.BATCH}"
    note = BYTES if network == "lenet300" else ""
    pairs = {name: {"ours": times["ours"], "theirs": times[name]} for name in times}
    rows = [cost(what, "plain dense step", pairs["dense"], bound=bound, note=note)]
    rows += [cost(what, name, pairs[name], bound=1.0) for name in others if name in times]
    return rows + [Row(what, name, "ms", bound=1.0, note=why) for name, why in missing.items()]
