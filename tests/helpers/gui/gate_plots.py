"""What the plots of gates have drawn."""

import numpy as np

FC1 = 2  # the layer's number


def counted(heights):
    """The counts that heights on the log axis stand for."""
    return np.round(10**heights - 1).astype(int)


def rulers(plots):
    return plots.rulers(plots.now.info.quantity, plots.bars.top, plots.frame.times)
