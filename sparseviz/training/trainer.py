"""Trainer: one training, step by step, as a generator of frozen snapshots.

It never prints, saves or draws. Between steps it reads the commands that other threads have put in its queue.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future

import torch

from sparseviz.config import InputError, RunConfig, choose
from sparseviz.config.changes import Branch, check_live, check_steered
from sparseviz.data import Data, Shard, Split
from sparseviz.methods import METHODS
from sparseviz.networks import build, multiply_adds
from sparseviz.networks.pretrained import load_weights
from sparseviz.training.batches import Batches
from sparseviz.training.commands import Commanded
from sparseviz.training.copies import copies, made
from sparseviz.training.device import pick_device, set_tf32
from sparseviz.training.evaluation import evaluate
from sparseviz.training.heap import keep_freed_memory
from sparseviz.training.measure.observer import Observer, take_checkpoint
from sparseviz.training.memory import out_of_memory_in_words
from sparseviz.training.ranks import ALONE, Ranks
from sparseviz.training.state import StateKeeper
from sparseviz.training.steering import Steering
from sparseviz.training.stepping import Stepper
from sparseviz.values.cells import Cells, Part
from sparseviz.values.snapshot import Arrays, Checkpoint, Errors, Event, LayerInfo, Snapshot, numbers_of

_OWN_THREADS = torch.get_num_threads()  # torch's choice, before a run made another


class TrainingError(InputError):
    """Training cannot go on."""


class Trainer(Commanded):
    """Trains one network as `config` says on `data`. Make and run it in one thread; command it from any.

    `planned` are its steps before it was made longer: where its phases and snapshots lie. Of many `ranks` each has a
    trainer, and does the same: snapshots and errors are of all, and commands are given to the first.
    Raises ConfigError for names that do not exist and InputError for a device or a network that cannot be used.
    """

    def __init__(self, config: RunConfig, data: Data, planned: int | None = None, ranks: Ranks = ALONE) -> None:
        super().__init__()
        self.ranks = ranks
        method = choose("method.name", config.method.name, METHODS)
        self.config, self.device = config, pick_device(ranks.device(config.device))
        torch.set_num_threads(config.threads or _OWN_THREADS)
        set_tf32(self.device, used=config.precision == "tf32")
        keep_freed_memory()
        torch.manual_seed(config.seed)  # weights and draws
        self.train, self.validation, self.test = (
            split.to(self.device) for split in (data.train, data.validation, data.test)
        )
        self._batches = Batches(self.train, config.batch_size, config.seed, Shard(ranks.rank, ranks.of))
        self.steps_per_epoch = self._batches.per_epoch
        self.steering = Steering(config, config.epochs * self.steps_per_epoch, planned)
        network = build(config.network, config.dropout, len(data.classes), self.test.shape)
        self.weights_note = ""  # what was loaded from a file
        if config.weights:
            partial = config.weights_partial
            self.weights_note = load_weights(config.weights, config.network, network, partial=partial)
        self.model = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parameters: int = sum(parameter.numel() for parameter in self.model.parameters())
        counts = multiply_adds(self.model, torch.zeros(1, *self.test.shape, device=self.device), len(data.classes))
        self.method = method(config, self.steering.planned)
        self.method.attach(self.model)
        if not self.method.layers:
            raise InputError(f"network '{config.network}' has no linear or convolution layer to make sparse")
        self._observer = Observer(self.model, self.method, counts)
        self._stepper = Stepper(config, self.model, self.method, self._batches, ranks)
        self._keeper = StateKeeper(self.model, self.method, self._stepper.optimizers, self._observer)
        self._state_at_stop: Arrays | None = None
        self.step = 0
        self._last_snapshot = self._last_validation = -1

    @property
    def steps(self) -> int:
        """Of the whole run, as it is planned now."""
        return self.steering.steps

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """What of the layers never changes."""
        return tuple(self._observer.infos.values())

    def steer(self, values: Mapping[str, float]) -> None:
        """Change live settings (LIVE) from the next step on. Raises ConfigError for others and for bad values."""
        self.take(check_live(self.steering.config, values))

    def take(self, values: Mapping[str, float]) -> None:
        """The same for values that were validated in a configuration, as those of the window are."""
        check_steered(self.steering.config, self.steering.config.taking(values))
        self.command(lambda: self.steering.change(self.step, values))

    def freeze(self) -> None:
        """Keep the masks as they are from the next step on: the last phase begins, and lasts to the end."""
        self.command(lambda: self.steering.freeze(self.step))

    def finish_epoch(self) -> None:
        """Do the steps that are left of the epoch under way, or a whole one at its beginning, then pause."""
        self.command(lambda: self._go(self.steps_per_epoch - self.step % self.steps_per_epoch))

    def cells(self, part: Part) -> "Future[Cells]":
        """The true weights of a part of a layer's matrix, answered between steps and while paused."""
        return self.ask(lambda: self._observer.cells(part, self.step))

    def end(self) -> None:
        """Take no further step, and note it once."""
        if not self.stopped and not self.closed:
            self._state_at_stop = self._state()  # before the last snapshot, which a run that goes on would not have
        if not self.stopped:
            self.steering.note(Event(self.step, "stop", math.nan, math.nan))
        super().end()

    # Training: in one thread.

    def run(self) -> Iterator[Snapshot]:
        """Train to the end, or to `stop()`. Yields the untrained network first and the last state last.

        Raises TrainingError when the loss is no longer a number.
        """
        self.start_clock()
        try:
            while True:
                self._meet()
                if self._is_snapshot_due():
                    with out_of_memory_in_words(self.config):
                        snapshot = self._snapshot()
                    yield snapshot
                elif self.stopped or self.step == self.steps:
                    return
                elif self.steps_to_go == 0:
                    self._stand()
                else:
                    self._train_step()
        finally:
            self.close()

    def _meet(self) -> None:
        """Carry out what has been commanded: rank 0 does, after which the others stand where it stands.

        They meet at some steps, and always after a snapshot: writing it may have taken rank 0 a while.
        """
        meeting = self.ranks.is_meeting(self.step) or self._last_snapshot == self.step
        if meeting and self.ranks.told(self.is_called):
            self._stepper.tally.collect()
            self.obey()
            self.stopped, self.steps_to_go, self.steering = self.ranks.told(
                (self.stopped, self.steps_to_go, self.steering)
            )

    def _stand(self) -> None:
        """Paused: rank 0 waits for a command, and the others for rank 0, where they meet."""
        if self.ranks.is_first:
            self.wait_for_command()

    def _is_snapshot_due(self) -> bool:
        if self._last_snapshot == self.step:
            return self.stopped and self.steering.has_events()  # what was done since must reach the file
        return self.stopped or self.steps_to_go == 0 or self.step == self.steps or self.steering.is_scheduled(self.step)

    def _train_step(self) -> None:
        with out_of_memory_in_words(self.config):
            self._stepper.do(self.step, self.steering)
        self.step += 1
        self.steps_to_go -= 1

    # Looking: these wait for the device.

    def _snapshot(self) -> Snapshot:
        self._stepper.gather()
        seconds, layers = self.seconds(), self._observer.layers()
        weights_kept = sum(layer.kept for layer in layers)
        scalars = self._losses() | {
            "lambda1": self._stepper.lambdas[0],
            "lambda2": self._stepper.lambdas[1],
            "rate": float(self._stepper.rates[0]),
            "gate_rate": float(self._stepper.rates[1]),
            "weights_kept": weights_kept,
            "parameters_kept": weights_kept + self._others_kept(sum(layer.biases_kept for layer in layers)),
        }
        self._last_snapshot = self.step
        acting = self._stepper.lambdas != (0.0, 0.0)
        is_met = self.steering.is_target_met(self.step, scalars, acting=acting)
        if not self.method.frozen and self.ranks.told(is_met):
            self.steering.freeze(self.step)
        phase = self.steering.phases.name(min(self.step, self.steps - 1))
        events = self.steering.take_events()
        epoch, masks = self.step / self.steps_per_epoch, self._observer.packed_masks()
        return Snapshot(self.step, epoch, seconds, phase, scalars, layers, events, masks)

    def _others_kept(self, biases_kept: int) -> int:
        """Parameters kept that are no gated weight: live biases, and all of what no method touches."""
        gated = sum(info.weights + info.biases for info in self.layers)
        return biases_kept + self.parameters - gated

    def _losses(self) -> dict[str, float]:
        loss, wrong, images = self._stepper.tally.take()
        bimodal, count = (float(part) for part in self.method.penalties())
        # the gates too: one that is NaN is cut by its mask, and open to the pass in which it is compared
        if images and not math.isfinite(loss + bimodal + count):
            raise TrainingError(
                f"the loss is no longer a finite number at step {self.step}; lower optimizer.rate "
                f"(now {self._stepper.rates[0]:g}) or the penalties"
            )
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
        if not ends and (epoch == self._last_validation or not self.steering.is_scheduled(self.step)):
            return math.nan, math.nan
        self._last_validation = epoch
        with self._stepper.averaged():
            return self._evaluate(self.validation)

    def errors(self, *, read_test: bool = True) -> Errors:
        """Errors of the network as it is. The test split is read here and nowhere else: once, at the end."""
        self._stepper.gather()
        with self._stepper.averaged():
            train, validation = (self._evaluate(split)[1] for split in (self.train.told(), self.validation))
            return Errors(train, validation, self._evaluate(self.test)[1] if self.ranks.told(read_test) else math.nan)

    def _evaluate(self, split: Split) -> tuple[float, float]:
        """Loss and error; NaN of a stream that a stop did not let come to its end."""
        return evaluate(self.model, split, self.ranks, until=lambda: self.stop_asked and split.is_streamed)

    def checkpoint(self, *, resumable: bool = False, live: bool = False) -> Checkpoint:
        """A copy of the network as it is; `resumable` with all that the next step needs.

        `live` arrays are copied when they are read (copies.py), which must be before the next step.
        """
        state, live = (self._state_at_stop or self._state()) if resumable else None, live and not self._is_averaged
        if state and not live:
            state = copies(state)  # before the weights give way to their average
        with self._stepper.averaged():
            taken = take_checkpoint(self.step, self.model, self.method, self._observer, state)
            return taken if live else made(taken)

    # Going on where another training was.

    def _state(self) -> Arrays:
        numbers: dict[str, float] = {"step": self.step, "is_frozen": self.method.frozen, "seconds": self.seconds()}
        numbers |= {"last_snapshot": self._last_snapshot, "last_validation": self._last_validation}
        numbers |= {"snapshots": self._observer.snapshots} | self.steering.state()
        numbers |= self._stepper.state()
        numbers["seen_apart"] = self._observer.snapshots > 0 and self._last_snapshot != self.step
        return self._keeper.take(numbers, averaged=self._is_averaged)

    @property
    def _is_averaged(self) -> bool:
        return self.config.optimizer.average > 0

    def restore(self, checkpoint: Checkpoint, pending: Iterable[Event], branch: Branch | None = None) -> None:
        """Stand where a training with these settings, or those before a branch, stood with its `pending` events."""
        if checkpoint.state is None:
            raise TrainingError(f"the checkpoint of step {checkpoint.step} does not hold what the next step needs")
        numbers = numbers_of(checkpoint.state)
        self._keeper.put_weights(checkpoint.parameters)
        self._keeper.put(checkpoint.state)
        self._put_numbers(numbers)
        self.steering.put_state(numbers, pending)
        if branch:
            self.steering.branch(self.step, branch)
        if numbers["is_frozen"] and self.step >= self.steering.phases.frozen:  # a branch may thaw them
            self._stepper.freeze_masks()
        self._keeper.put_trained(checkpoint.state)
        if branch is None or "seed" not in branch.values:
            self._keeper.put_random(checkpoint.state)

    def _put_numbers(self, numbers: Mapping[str, float]) -> None:
        self.step, self.seconds_before = int(numbers["step"]), numbers["seconds"]
        self._last_snapshot, self._last_validation = int(numbers["last_snapshot"]), int(numbers["last_validation"])
        self._stepper.put_state(numbers)
