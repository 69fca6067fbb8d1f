"""What the penalty alone does to a gate, and the prior on the weights that stands behind it: formulas, no run.

"Training Sparse Neural Networks", Srinivas, Subramanya and Babu, arXiv 1611.06694 (CVPR Workshops 2017):
equation 2 for the penalty, and the paper's spike-and-slab prior for the weights. What is computed here on
plain numbers, `sparseviz.methods.gates` does on a network's tensors.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from sparseviz.values.snapshot import FloatArray

THRESHOLD = 0.5  # a gate from here on keeps its weight (the paper's draw by maximum likelihood)


@dataclass(frozen=True, slots=True)
class WeightPrior:
    """The paper's spike-and-slab prior beside the LASSO's, both on [-k, k].

    P(w) ~ [exp(-(1 - delta(w)))]^alpha * [N(w | 0, sigma^2)]^(1 - alpha), where delta(w) is 1 at w = 0 and 0
    elsewhere; the LASSO's is P(w) ~ exp(-|w| / scale), Laplace's density. The numbers are an example that tells
    the two apart: neither the paper nor the lambdas of a run set them.
    """

    alpha: float = 0.5  # in [0, 1]: share of the spike
    sigma: float = 1.0
    k: float = 3.0
    scale: float = 1.0  # of the LASSO

    def cost(self, w: FloatArray) -> FloatArray:
        """-log P(w) + log P(0): alpha [w != 0], an l0 term, plus (1 - alpha) w^2 / (2 sigma^2), an l2 term."""
        return self._inside(w, self.alpha * (w != 0) + (1 - self.alpha) * np.square(w) / (2 * self.sigma**2))

    def lasso_cost(self, w: FloatArray) -> FloatArray:
        """-log P(w) + log P(0) of the LASSO: |w| / scale, an l1 term."""
        return self._inside(w, np.abs(w) / self.scale)

    def density(self, w: FloatArray) -> FloatArray:
        """P(w), whose integral over [-k, k] is 1.

        The value at exactly w = 0 is `spike`. A single point, it adds nothing to the integral: it counts where
        the most likely weights are sought, not where weights are drawn.
        """
        return np.exp(-self.cost(w)) * self.spike

    def lasso_density(self, w: FloatArray) -> FloatArray:
        """The LASSO's P(w), whose integral over [-k, k] is 1."""
        return np.exp(-self.lasso_cost(w)) / (-2 * self.scale * math.expm1(-self.k / self.scale))

    @property
    def slab(self) -> float:
        """P(w) as w nears 0: the top of the slab, from which the spike stands out by a factor of exp(alpha)."""
        precision = (1 - self.alpha) / self.sigma**2  # N^(1 - alpha) is a wider Gaussian
        if precision == 0:
            return 1 / (2 * self.k)
        return math.sqrt(precision / (2 * math.pi)) / math.erf(self.k * math.sqrt(precision / 2))

    @property
    def spike(self) -> float:
        """The mass of the spike: P(w = 0)."""
        return math.exp(self.alpha) * self.slab

    def _inside(self, w: FloatArray, cost: FloatArray) -> FloatArray:
        return np.where(np.abs(w) <= self.k, cost, np.inf)


@dataclass(frozen=True, slots=True)
class Prior:
    """The penalty lambda1 g (1 - g) + lambda2 g on one gate (paper, equation 2); no lambda is negative.

    Where `squared`, the count is g^2 instead of g (the paper's text speaks of l2 as well).
    """

    lambda1: float
    lambda2: float
    start: float  # g0, where gates begin
    weights: WeightPrior = field(default_factory=WeightPrior)
    squared: bool = False

    def bimodal(self, g: FloatArray) -> FloatArray:
        """The first part, lambda1 g (1 - g): the variance of the mask, highest in the middle."""
        return self.lambda1 * g * (1 - g)

    def count(self, g: FloatArray) -> FloatArray:
        """The second part, lambda2 g: the mask's expectation, and so the count of what is kept; or lambda2 g^2."""
        return self.lambda2 * (np.square(g) if self.squared else g)

    def penalty(self, g: FloatArray) -> FloatArray:
        """The penalty: the bimodal part and the count."""
        return self.bimodal(g) + self.count(g)

    def bimodal_pull(self, g: FloatArray) -> FloatArray:
        """The gradient of the first part, lambda1 (1 - 2 g)."""
        return self.lambda1 * (1 - 2 * g)

    def count_pull(self, g: FloatArray) -> FloatArray:
        """The gradient of the second part: lambda2 wherever the gate is, or 2 lambda2 g."""
        return 2 * self.lambda2 * g if self.squared else np.full_like(g, self.lambda2)

    def pull(self, g: FloatArray) -> FloatArray:
        """The gradient of both parts; training moves the gate against it."""
        return self.bimodal_pull(g) + self.count_pull(g)

    @property
    def turning_point(self) -> float:
        """g*, where the penalty is highest; infinite where it only rises.

        (lambda1 + lambda2) / (2 lambda1), or lambda1 / (2 (lambda1 - lambda2)) where squared.
        """
        if self.squared:
            return self.lambda1 / (2 * (self.lambda1 - self.lambda2)) if self.lambda1 > self.lambda2 else math.inf
        return (self.lambda1 + self.lambda2) / (2 * self.lambda1) if self.lambda1 else math.inf

    @property
    def basins(self) -> int:
        """2 where gates are pulled to 0 and to 1 (g* < 1), 1 where all go to 0, 0 without a penalty."""
        if self.lambda1 == self.lambda2 == 0:
            return 0
        return 2 if self.turning_point < 1 else 1

    def pulled_to(self, g: float) -> float:
        """Where the penalty alone takes a gate from g: 0 or 1, or nowhere, and then it is g itself.

        A gate rests without a penalty, and on the turning point, from which the least push takes it away.
        """
        if self.basins == 0 or g == self.turning_point:
            return g
        return 0.0 if g < self.turning_point else 1.0
