"""The optimiser steps of one training: draws, gradients, penalties, updates, and an average of the weights."""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparseviz.config import RunConfig
from sparseviz.methods import Method
from sparseviz.methods.base import weights_of
from sparseviz.training.batches import Batches
from sparseviz.training.optimizers import WeightAverage, new_optimizers
from sparseviz.training.ranks import ALONE, Ranks
from sparseviz.training.steering import Steering
from sparseviz.training.tally import SUMS, Tally
from sparseviz.values.states import Phase

IN_FORCE = ("lambda1", "lambda2", "rate", "gate_rate")  # at the step under way


class Stepper:
    """Does one step after the other; nothing in a step waits for the device."""

    def __init__(
        self, config: RunConfig, model: nn.Module, method: Method, batches: Batches, ranks: Ranks = ALONE
    ) -> None:
        self._config, self._model, self._method, self._batches = config, model, method, batches
        self._ranks, self._trained = ranks, ranks.wrap(model)
        self._device = next(model.parameters()).device
        self._weights = list(weights_of(model, method).values())
        self.lambdas = (0.0, 0.0)  # in force
        self.rates = [torch.zeros((), device=self._device) for _ in range(2)]  # on the device: no step waits
        method.rate = self.rates[0]
        self.optimizers = new_optimizers(config.optimizer, self._weights, method.parameters(), self.rates)
        self.tally = Tally(self._device, ranks)  # since the last snapshot
        self._average: WeightAverage | None = None

    def do(self, step: int, steering: Steering) -> None:
        """One optimiser update; steps must come in their order."""
        self._prepare(step, steering)
        images, labels = self._batches.at(step)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        for draw in range(self._draws):
            self._backward(images, labels, step, draw)
        self._method.after_backward()
        if steering.phases.name(step) is Phase.WARM_UP:
            for gate in self._method.parameters():
                gate.grad = None  # at rest: an optimizer leaves out what has no gradient
        for optimizer in self.optimizers:
            optimizer.step()
        self._method.after_step()
        if self._average:
            self._average.update()

    def _prepare(self, step: int, steering: Steering) -> None:
        """Put lambdas, rates and masks in the state that this step's phase asks for."""
        if step >= steering.phases.frozen and not self._method.frozen:
            self.freeze_masks()
        self._put_in_force(steering.lambdas(step), steering.rates(step))
        reads = self._method.needs_data(step)
        if reads:
            self._method.on_data(self._model, self._batches.sample(self._config.method.images))
        self._method.before_step(step)
        if reads:  # the same sums on two GPUs may differ in their last bits, and then decide otherwise
            self._ranks.same((*self._model.state_dict().values(), *self._method.state_dict().values()))

    def _put_in_force(self, lambdas: tuple[float, float], rates: tuple[float, float]) -> None:
        self.lambdas = lambdas
        self._method.set_lambdas(*lambdas)
        for rate, value in zip(self.rates, rates, strict=True):
            rate.fill_(value)

    def freeze_masks(self) -> None:
        """Keep the masks from now on, and begin the average of the weights where one is asked for."""
        self._method.freeze()
        self._trained = self._ranks.wrap(self._model)  # gates may learn no longer
        if decay := self._config.optimizer.average:
            self._average = WeightAverage(self._weights, decay)

    def _backward(self, images: Tensor, labels: Tensor, step: int = 0, draw: int = 0) -> None:
        """Add one draw's share to the gradients (paper, equation 3), the batch in as many parts as it is done in."""
        self._method.draw()
        images, labels, share = self._ranks.share(images, labels, self._batches.number(step))
        size = math.ceil(len(labels) / self._config.accumulate)
        parts = list(zip(torch.split(images, size), torch.split(labels, size), strict=True))
        for number, part in enumerate(parts):
            last = draw == self._draws - 1 and number == len(parts) - 1
            weight = share * len(part[1]) / (self._draws * len(labels))
            with self._ranks.summing(self._trained, last=last):
                self._add_gradients(*part, weight, (step, draw, number))

    def _add_gradients(self, images: Tensor, labels: Tensor, weight: float, place: tuple[int, ...]) -> None:
        """Those of one part of so much weight, which is 0 of images that do not count."""
        lower, smoothing = self._config.precision == "bfloat16", self._config.optimizer.label_smoothing
        with parametrize.cached(), torch.autocast(self._device.type, torch.bfloat16, enabled=lower):
            with self._ranks.own_chance(*place):
                answers = self._trained(images)  # (B, classes); a weight that is read twice is masked once
            loss = F.cross_entropy(answers, labels, label_smoothing=smoothing)
        loss.backward(torch.full_like(loss, weight))  # type: ignore[no-untyped-call]
        if weight:
            self.tally.count(loss.detach(), answers.detach(), labels)

    @property
    def _draws(self) -> int:
        """Monte-Carlo draws a step; the threshold mask is the same in all."""
        random = self._config.method.draw == "bernoulli" and not self._method.frozen
        return self._config.method.draws if random else 1

    def gather(self) -> None:
        """Give all ranks rank 0's buffers, such as batch norm's averages; masks are the same anyway."""
        own = (value for name, value in self._model.named_buffers() if ".parametrizations." not in name)
        self._ranks.same(own)

    def averaged(self) -> AbstractContextManager[None]:
        """Within it the weights are their average, where one is kept: what is judged, stored and shipped."""
        return self._average.in_place() if self._average else nullcontext()

    def state(self) -> dict[str, float]:
        """What is in force, and the sums since the last snapshot, as numbers."""
        in_force = (*self.lambdas, *map(float, self.rates))
        return dict(zip((*IN_FORCE, *SUMS), (*in_force, *self.tally.sums.tolist()), strict=True))

    def put_state(self, numbers: Mapping[str, float]) -> None:
        """Put back what `state` gave."""
        lambda1, lambda2, rate, gate_rate = (numbers[name] for name in IN_FORCE)
        self._put_in_force((lambda1, lambda2), (rate, gate_rate))
        self.tally.put(numbers[name] for name in SUMS)
