"""What tests read of a split that lies in memory."""

from torch import Tensor

from sparseviz.data import MemorySplit, Split


def images_of(split: Split) -> Tensor:
    """All its images (N, C, H, W)."""
    assert isinstance(split, MemorySplit)
    return split.images
