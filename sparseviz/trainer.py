"""Trainer: one training, step by step, as a generator of frozen snapshots.

It never prints, saves or draws. Between steps it reads the commands that other threads have put in its queue.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own short name
from torch import Tensor
from torch.nn.utils import parametrize

from sparseviz.config import InputError, RunConfig, choose
from sparseviz.data import Data
from sparseviz.device import pick_device
from sparseviz.measure import Observer, as_matrix, evaluate, take_checkpoint
from sparseviz.methods import METHODS
from sparseviz.models import build, multiply_adds
from sparseviz.snapshot import Cells, Checkpoint, Errors, Event, LayerInfo, Snapshot
from sparseviz.steering import Steering, check_live


class TrainingError(InputError):
    """Training cannot go on."""


class Trainer:
    """Trains one network as `config` says on `data`. Make and run it in one thread; command it from any.

    Raises ConfigError for names that do not exist and InputError for a device or a network that cannot be used.
    """

    def __init__(self, config: RunConfig, data: Data) -> None:
        method = choose("method.name", config.method.name, METHODS)
        self.config, self.device = config, pick_device(config.device)
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)  # weights and draws
        self._batch_order = torch.Generator().manual_seed(config.seed)
        self.train, self.validation, self.test = (
            split.to(self.device) for split in (data.train, data.validation, data.test)
        )
        self.steps_per_epoch = math.ceil(len(self.train) / config.batch_size)
        self.steps = config.epochs * self.steps_per_epoch
        self.steering = Steering(config, self.steps)
        self.model = build(config.network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parameters: int = sum(parameter.numel() for parameter in self.model.parameters())
        counts = multiply_adds(self.model, self.test.images[:1])
        self.method = method(config, self.steps)
        self.method.attach(self.model)
        if not self.method.layers:
            raise InputError(f"network '{config.network}' has no linear or convolution layer to make sparse")
        self._observer = Observer(self.model, self.method, counts)
        self._lambdas = (0.0, 0.0)  # in force
        self._rates = [torch.zeros((), device=self.device) for _ in range(2)]  # on the device: no step waits
        self._optimizer = self._new_optimizer()
        self._batches: tuple[Tensor, ...] = ()
        self._sums = torch.zeros(3, device=self.device)  # loss, wrong answers, images since the last snapshot
        self.step, self.stopped = 0, False
        self._steps_to_go = math.inf
        self._last_snapshot = self._last_validation = -1
        self._seconds_waited = 0.0
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._over = False

    def _new_optimizer(self) -> torch.optim.Optimizer:
        gates = self.method.parameters()
        ours = {id(gate) for gate in gates}
        weights = [parameter for parameter in self.model.parameters() if id(parameter) not in ours]
        groups = [{"params": weights, "lr": self._rates[0], "weight_decay": self.config.optimizer.weight_decay}]
        if gates:
            groups.append({"params": gates, "lr": self._rates[1], "weight_decay": 0.0})
        return torch.optim.Adam(groups, fused=True)  # fused: one pass over the memory, and rates that are tensors

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """What of the layers never changes."""
        return tuple(self._observer.infos.values())

    # Commands: from any thread, carried out between two steps.

    def pause(self) -> None:
        """Wait after the step under way, with a snapshot of where it stands."""
        self._commands.put(partial(self._go, 0))

    def resume(self) -> None:
        """Go on after a pause."""
        self._commands.put(partial(self._go, math.inf))

    def advance(self, steps: int = 1) -> None:
        """Do this many steps, then pause."""
        self._commands.put(partial(self._go, steps))

    def stop(self) -> None:
        """End the run after the step under way, with a snapshot."""
        self._commands.put(self._stop)

    def steer(self, values: Mapping[str, float]) -> None:
        """Change live settings (LIVE) from the next step on. Raises ConfigError for others and for bad values."""
        checked = check_live(self.config, values)
        self._commands.put(lambda: self.steering.change(self.step, checked))

    def cells(self, layer: str, rows: slice, columns: slice) -> "Future[Cells]":
        """The true weights of a part of a layer's matrix, answered between steps and while paused.

        The future is cancelled when the run ends first: then the run file's last checkpoint has them.
        """
        answer: Future[Cells] = Future()
        self._commands.put(partial(self._answer, answer, layer, rows, columns))
        if self._over:
            self._obey()
        return answer

    # What the commands do: in the training thread.

    def _go(self, steps: float) -> None:
        self._steps_to_go = steps

    def _stop(self) -> None:
        self.stopped = True
        self.steering.note(Event(self.step, "stop", math.nan, math.nan))

    def _answer(self, answer: "Future[Cells]", layer: str, rows: slice, columns: slice) -> None:
        if self._over or not answer.set_running_or_notify_cancel():
            answer.cancel()
            return
        try:
            method = self.method
            planes = (method.weight(layer), method.mask(layer), method.quantity_values(layer))
            weight, kept, quantity = (as_matrix(plane)[rows, columns].detach().cpu().numpy() for plane in planes)
            place = (rows.start or 0, columns.start or 0)
            answer.set_result(Cells(layer, *place, self.step, "live", weight, kept, quantity))
        except Exception as error:  # noqa: BLE001  # a bad question must not end the run; the asker gets the error
            answer.set_exception(error)

    def _obey(self) -> None:
        while True:
            try:
                self._commands.get_nowait()()
            except Empty:
                return

    def _wait_for_command(self) -> None:
        began = time.perf_counter()
        self._commands.get()()
        self._seconds_waited += time.perf_counter() - began

    # Training: in one thread.

    def run(self) -> Iterator[Snapshot]:
        """Train to the end, or to `stop()`. Yields the untrained network first and the last state last.

        Raises TrainingError when the loss is no longer a number.
        """
        began = time.perf_counter()
        try:
            while True:
                self._obey()
                if self._is_snapshot_due():
                    yield self._snapshot(time.perf_counter() - began - self._seconds_waited)
                elif self.stopped or self.step == self.steps:
                    return
                elif self._steps_to_go == 0:
                    self._wait_for_command()
                else:
                    self._train_step()
        finally:
            self._over = True
            self._obey()

    def _is_snapshot_due(self) -> bool:
        if self._last_snapshot == self.step:
            return self.stopped and self.steering.has_events()  # what was done since must reach the file
        return self.stopped or self._steps_to_go == 0 or self._is_scheduled()

    def _is_scheduled(self) -> bool:
        """Snapshots lie evenly in the run, the first and the last step included."""
        number = self.config.record.snapshots
        return self.step == 0 or self.step * number // self.steps > (self.step - 1) * number // self.steps

    def _train_step(self) -> None:
        self._prepare()
        index = self._next_batch()
        images, labels = self.train.images[index], self.train.labels[index]  # (B, C, H, W), (B,)
        with parametrize.cached():  # one draw of the mask a step
            answers = self.model(images)  # (B, classes)
        loss = F.cross_entropy(answers, labels)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.method.after_backward()
        if self.steering.phases.name(self.step) == "warm-up":
            for gate in self.method.parameters():
                gate.grad = None  # at rest: Adam leaves out what has no gradient
        self._optimizer.step()
        self.method.after_step()
        self._count(loss.detach(), answers.detach(), labels)
        self.step += 1
        self._steps_to_go -= 1

    def _prepare(self) -> None:
        """Put lambdas, rates and masks in the state that this step's phase asks for."""
        if self.step >= self.steering.phases.frozen and not self.method.frozen:
            self.method.freeze()
        self._lambdas = self.steering.lambdas(self.step)
        self.method.set_lambdas(*self._lambdas)
        for rate, value in zip(self._rates, self.steering.rates(self.step), strict=True):
            rate.fill_(value)
        self.method.before_step(self.step)

    def _next_batch(self) -> Tensor:
        """The images of this step, int64 (B,), on the device; each epoch has an order of its own."""
        place = self.step % self.steps_per_epoch
        if place == 0:
            order = torch.randperm(len(self.train), generator=self._batch_order).to(self.device)
            self._batches = torch.split(order, self.config.batch_size)
        return self._batches[place]

    def _count(self, loss: Tensor, answers: Tensor, labels: Tensor) -> None:
        wrong = (answers.argmax(dim=1) != labels).sum()
        self._sums[0] += loss * len(labels)
        self._sums[1] += wrong
        self._sums[2] += len(labels)

    # Looking: these wait for the device.

    def _snapshot(self, seconds: float) -> Snapshot:
        layers = self._observer.layers()
        weights_kept = sum(layer.kept for layer in layers)
        scalars = self._losses() | {
            "lambda1": self._lambdas[0],
            "lambda2": self._lambdas[1],
            "rate": float(self._rates[0]),
            "gate_rate": float(self._rates[1]),
            "weights_kept": weights_kept,
            "parameters_kept": weights_kept + self._others_kept(sum(layer.biases_kept for layer in layers)),
        }
        self._last_snapshot = self.step
        phase = self.steering.phases.name(min(self.step, self.steps - 1))
        events = self.steering.take_events()
        return Snapshot(self.step, self.step / self.steps_per_epoch, seconds, phase, scalars, layers, events)

    def _others_kept(self, biases_kept: int) -> int:
        """Parameters kept that are no gated weight: live biases, and all of what no method touches."""
        gated = sum(info.weights + info.biases for info in self.layers)
        return biases_kept + self.parameters - gated

    def _losses(self) -> dict[str, float]:
        loss, wrong, images = self._sums.tolist()
        self._sums.zero_()
        if images and not math.isfinite(loss):
            raise TrainingError(
                f"the loss is no longer a finite number at step {self.step}; lower optimizer.rate "
                f"(now {self._rates[0]:g}) or the penalties"
            )
        bimodal, count = (float(part) for part in self.method.penalties())
        validation_loss, validation_error = self._validate()
        return {
            "loss": loss / images if images else math.nan,
            "train_error": 100 * wrong / images if images else math.nan,
            "validation_loss": validation_loss,
            "validation_error": validation_error,
            "penalty_bimodal": bimodal,
            "penalty_count": count,
        }

    def _validate(self) -> tuple[float, float]:
        """Loss and error on the validation split, once an epoch and at the end; by step alone, never by time."""
        epoch = self.step // self.steps_per_epoch
        ends = self.stopped or self.step == self.steps
        if not ends and (epoch == self._last_validation or not self._is_scheduled()):
            return math.nan, math.nan
        self._last_validation = epoch
        return evaluate(self.model, self.validation)

    def errors(self, *, read_test: bool = True) -> Errors:
        """Errors of the network as it is. The test split is read here and nowhere else: once, at the end."""
        train, validation = (evaluate(self.model, split)[1] for split in (self.train, self.validation))
        return Errors(train, validation, evaluate(self.model, self.test)[1] if read_test else math.nan)

    def checkpoint(self) -> Checkpoint:
        """A copy of the network as it is."""
        return take_checkpoint(self.step, self.model, self.method)
