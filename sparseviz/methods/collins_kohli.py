"""Thresholding as a regulariser during training, one layer after another, greedily.

"Memory Bounded Deep Convolutional Networks", Collins and Kohli, 2014.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor, nn

from sparseviz.config import RunConfig
from sparseviz.methods.base import Batches
from sparseviz.methods.dense import relative_magnitude
from sparseviz.methods.gates import masked
from sparseviz.methods.pruned import FixedMask, Pruned, largest


class Thresholded(FixedMask):
    """A parametrization that leaves the weight alone in training and takes those below a bar for 0 in evaluation.

    `mask` is what is cut for good.
    """

    bar: Tensor  # a scalar, |w|

    def __init__(self, weight: Tensor) -> None:
        super().__init__(weight)
        self.register_buffer("bar", weight.new_zeros(()))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight in training, the thresholded weight in evaluation."""
        mask = self.mask if self.training else self.kept(weight)
        return masked(weight, mask.to(weight.dtype))

    def kept(self, weight: Tensor) -> Tensor:
        """True where the weight is not cut and its magnitude reaches the bar."""
        return self.mask & (weight.detach().abs() >= self.bar)


class CollinsKohli(Pruned):
    """Every `method.every` steps the weights of the layers under the regulariser are projected on an l0 ball.

    That sets all but the largest `method.keep` of a layer's weights to 0; until the next time they learn like the
    others and may return. The layers come under it one after another, evenly spread over the time between the ends of
    warm-up and of the ramp: each time the one whose projection raises the training loss least for each weight that it
    sets to 0 (ours, on `method.images` training images; the source searches by error). At the end of the ramp the
    masks stay as the last projection left them.
    """

    new_mask = Thresholded

    def __init__(self, config: RunConfig, steps: int) -> None:
        super().__init__(config, steps)
        self._active = torch.zeros(0, dtype=torch.bool)  # (layers that are cut,)
        self.choices: tuple[int, ...] = ()  # the steps at which a layer is chosen

    def attach(self, model: nn.Module) -> None:
        """Give every named layer's weight a bar of 0."""
        super().attach(model)
        number = len(self.masks)
        self._active = torch.zeros_like(self._cut_at, dtype=torch.bool)
        self.choices = tuple(self.at(place / number) for place in range(number))

    def needs_data(self, step: int) -> bool:
        """When a layer is to be chosen."""
        return step in self.choices and not self.frozen

    @torch.no_grad()
    def on_data(self, model: nn.Module, batches: Batches) -> None:
        """Choose the next layer: the one with the least rise of the loss for each weight."""
        images = list(batches)
        free = [place for place, active in enumerate(self._active.tolist()) if not active]
        before = _loss(model, images)
        cost = {place: (self._loss_without(model, images, place) - before) / self._goes(place) for place in free}
        self._active[min(free, key=lambda place: cost[place])] = True

    def _goes(self, place: int) -> int:
        """How many of the layer's weights a projection sets to 0."""
        number = list(self.masks.values())[place].mask.numel()
        return max(1, number - round(self.config.method.keep * number))

    def _loss_without(self, model: nn.Module, images: list[tuple[Tensor, Tensor]], place: int) -> float:
        """The loss with a layer projected."""
        name = list(self.masks)[place]
        bar = self.masks[name].get_buffer("bar")
        before = bar.clone()
        bar.copy_(self._projection(name)[1])
        loss = _loss(model, images)
        bar.copy_(before)
        return loss

    def _projection(self, name: str) -> tuple[Tensor, Tensor]:
        """The mask of the largest weights of a layer, and the least of their magnitudes."""
        size = self.weight(name).detach().abs()
        (mask,), bar = largest([size], [torch.ones_like(size, dtype=torch.bool)], self.config.method.keep)
        return mask, bar

    def before_step(self, step: int) -> None:
        """Project where it is due; the last time for good."""
        ends = step == self.at(1)
        due = ends or step in self.choices or (step - self.at(0)) % self.config.method.every == 0
        if due and not self.frozen and self.at(0) <= step <= self.at(1):
            for name, active in zip(self.masks, self._active.tolist(), strict=True):
                if active:
                    self._project(name)
            if ends:
                self._settle()

    @torch.no_grad()
    def _project(self, name: str) -> None:
        mask, bar = self._projection(name)
        weight = self.weight(name)
        self.set_threshold(name, bar / weight.std(correction=0))
        self.masks[name].get_buffer("bar").copy_(bar)
        weight.mul_(mask)

    def freeze(self) -> None:
        """Cut for good what is below the bars."""
        super().freeze()
        self._settle()

    def _settle(self) -> None:
        for name, module in self.masks.items():
            module.mask.copy_(self.mask(name))
            module.get_buffer("bar").zero_()

    def mask(self, layer: str) -> Tensor:
        """True where the weight reaches the bar of the last projection, and is not cut for good."""
        module = self.masks.get(layer)
        return module.kept(self.weight(layer)) if isinstance(module, Thresholded) else super().mask(layer)

    def quantity_values(self, layer: str) -> Tensor:
        """|w| over the standard deviation of the layer's weights; those cut for good at 0."""
        weight = self.weight(layer)
        return relative_magnitude(weight * self.masks[layer].mask if layer in self.masks else weight)

    def state_dict(self) -> Mapping[str, Tensor]:
        """The masks and bars, by layer, and which layers are under the regulariser."""
        bars = {f"{name}.bar": module.get_buffer("bar") for name, module in self.masks.items()}
        return {**super().state_dict(), **bars, "active": self._active}


def _loss(model: nn.Module, images: list[tuple[Tensor, Tensor]]) -> float:
    """The mean cross-entropy in evaluation mode."""
    training = model.training
    model.eval()
    losses = [F.cross_entropy(model(batch), labels, reduction="sum") for batch, labels in images]
    model.train(training)
    return float(torch.stack(losses).sum()) / sum(len(labels) for _, labels in images)
