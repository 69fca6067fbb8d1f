"""Running sums of training between two snapshots: loss, wrong answers, images."""

from collections.abc import Iterable

import torch
from torch import Tensor

from sparseviz.training.ranks import ALONE, Ranks

SUMS = ("loss", "wrong", "images")  # since the last snapshot


class Tally:
    """Sums over batches, on the device: loss, wrong answers, images; each rank counts its share of them."""

    def __init__(self, device: torch.device, ranks: Ranks = ALONE) -> None:
        self.sums = torch.zeros(len(SUMS), device=device)
        self._loss, self._wrong, self._images = self.sums.unbind()  # of the same memory: an index a step costs more
        self._ranks = ranks

    def count(self, loss: Tensor, answers: Tensor, labels: Tensor) -> None:
        """Add a batch: its mean loss, answers (B, classes) and labels (B,)."""
        self._loss.add_(loss * len(labels))
        self._wrong.add_((answers.argmax(dim=1) != labels).sum())
        self._images.add_(len(labels))

    def take(self) -> list[float]:
        """The sums over all ranks, which begin anew. Waits for the device."""
        self._ranks.add_up(self.sums)
        sums: list[float] = self.sums.tolist()
        self.sums.zero_()
        return sums

    def collect(self) -> None:
        """Have what all ranks counted in rank 0, whose state is stored."""
        self._ranks.collect(self.sums)

    def put(self, sums: Iterable[float]) -> None:
        """Put back what was stored: in rank 0."""
        self.sums.copy_(torch.tensor(list(sums)) * self._ranks.is_first)
