"""Iterative magnitude pruning: train, cut the smallest weights, go on, repeat.

"Learning both Weights and Connections for Efficient Neural Networks", Han, Pool, Tran and Dally, 2015.
"""

from torch import Tensor

from sparseviz.methods.dense import relative_magnitude
from sparseviz.methods.pruned import Pruned


class Magnitude(Pruned):
    """Cuts the weights whose magnitude is least.

    As in the source, a layer's threshold is a number of its own standard deviations; where the share is of the
    whole network (`method.share_of`), that number is the same for all layers.
    """

    def quantity_values(self, layer: str) -> Tensor:
        """|w| over the standard deviation of the layer's weights, the cut ones at 0."""
        return relative_magnitude(self.weight(layer) * self.mask(layer))
