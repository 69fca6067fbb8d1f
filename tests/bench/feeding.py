"""An epoch of batches from tensors on the device, beside torch's loader over the same tensors."""

from dataclasses import asdict
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset

from sparseviz.data import MemorySplit
from sparseviz.training.batches import Batches
from tests.bench.material import BATCH
from tests.bench.table import gain
from tests.bench.timing import in_turns

IMAGES = 20_000


def measure(repeats: int) -> list[dict[str, Any]]:
    """Shuffled epochs of images as large as MNIST's."""
    torch.manual_seed(0)
    images, labels = torch.rand(IMAGES, 1, 28, 28), torch.randint(10, (IMAGES,))
    batches, loader = (
        Batches(MemorySplit(images, labels), BATCH, 0),
        DataLoader(TensorDataset(images, labels), batch_size=BATCH, shuffle=True),
    )

    def ours() -> None:
        for step in range(batches.per_epoch):
            batches.at(step)

    def theirs() -> None:
        for _ in loader:
            pass

    times = in_turns({"ours": ours, "theirs": theirs}, repeats)
    what = f"data feeding, an epoch of {IMAGES:,} images"
    return [asdict(gain(what, "DataLoader over a TensorDataset", times, bound=3))]
