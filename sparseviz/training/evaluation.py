"""Evaluation: loss and error of a network on a split."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparseviz.data import Shard, Split
from sparseviz.training.ranks import ALONE, Ranks
from sparseviz.training.tally import SUMS


def evaluate(
    model: nn.Module, split: Split, ranks: Ranks = ALONE, *, until: Callable[[], bool] = lambda: False
) -> tuple[float, float]:
    """Mean cross-entropy, and error in percent, in evaluation mode: with the threshold masks. Ranks share the split.

    `until` is asked after every batch; where it says so the rest is not read, and both are NaN.
    """
    sums = count_answers(model, split, Shard(ranks.rank, ranks.of), until=until)
    ranks.add_up(sums)
    loss, wrong, images = sums.tolist()
    return (loss / images, 100 * wrong / images) if images == len(split) else (math.nan, math.nan)


@torch.no_grad()
def count_answers(
    model: nn.Module,
    split: Split,
    shard: Shard = Shard(),  # noqa: B008  # frozen
    *,
    until: Callable[[], bool] = lambda: False,
) -> Tensor:
    """Sums over a shard of the split (SUMS: cross-entropy, wrong answers, images), float64, on the CPU."""
    sums = torch.zeros(len(SUMS), dtype=torch.float64)
    training = model.training
    model.eval()
    with parametrize.cached():
        for images, labels in split.in_order(shard):
            answers = model(images)
            wrong = (answers.argmax(dim=1) != labels).sum()
            for place, part in enumerate((F.cross_entropy(answers, labels, reduction="sum"), wrong)):
                sums[place] += part.cpu()
            sums[2] += len(labels)
            if until():
                break
    model.train(training)
    return sums
