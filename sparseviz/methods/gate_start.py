"""Initial gates by the magnitude of their weights (paper, section on ImageNet)."""

import numpy as np
import torch
from torch import Tensor

JUST_SHUT = 0.49  # where gates start that may return


def start_from_magnitude(weight: Tensor, shape: tuple[int, ...], top_share: float) -> Tensor:
    """Gates of this shape: 1 for the share of them with the largest weights (or sums of |w|), 0.49 for the rest."""
    size = weight.detach().abs().sum_to_size(shape).reshape(-1)
    number = round(top_share * size.numel())
    start = torch.full_like(size, JUST_SHUT)
    if number:
        bar = _largest(size, number)
        start.masked_fill_(size > bar, 1)
        equal = torch.nonzero(size == bar).flatten()
        start[equal[: number - int((size > bar).sum())]] = 1
    return start.reshape(shape)


def _largest(values: Tensor, number: int) -> Tensor:
    """The least of so many largest values, a scalar."""
    if values.device.type != "cpu":
        return values.topk(number).values.min()
    place = values.numel() - number  # a selection: topk sorts, which took 19 s of 100 million values
    return values.new_tensor(np.partition(values.numpy(), place)[place])
