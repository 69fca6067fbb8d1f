"""Ranks: the processes that train one network together, as torchrun starts them; or, plainly, one alone.

Each has the whole network and a share of every batch; torch's DistributedDataParallel makes their gradients one. Rank
0 writes, speaks and is commanded; what it decides the others are told between two steps.
"""

import inspect
import itertools
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.parallel import DistributedDataParallel

from sparseviz.config import InputError
from sparseviz.config.own_code import Untrusted
from sparseviz.training import launch

MEETING = 16  # steps: so late at most is a command felt; one message in so many costs nothing that can be measured
PATIENCE = timedelta(days=7)  # of the others while rank 0 is paused, or waits until its file can be written again

# the new name of an argument, and the one before torch 2.13
_NAMES = inspect.signature(DistributedDataParallel).parameters
_KEEP_BUFFERS: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _NAMES else "broadcast_buffers": False
}

_Value = TypeVar("_Value")


class RanksError(InputError):
    """The processes that train together cannot go on together."""


class Ranks:
    """One process alone: it has all of every batch, and nobody to tell."""

    rank, of = 0, 1
    text = ""  # behind the device's name

    @property
    def is_first(self) -> bool:
        """Whether this process writes, speaks and is commanded."""
        return self.rank == 0

    def device(self, name: str) -> str:
        """Which device this process takes where the configuration says `name`."""
        return name

    def note(self, model: nn.Module) -> str:  # noqa: ARG002
        """What of the model makes the result another than one process would have, or ""."""
        return ""

    def in_turn(self, job: Callable[[], _Value]) -> _Value:
        """Have the first process of every machine do this, then the others: what it fetched is there for them."""
        return job()

    def told(self, value: _Value) -> _Value:
        """Rank 0's value, in all."""
        return value

    def is_meeting(self, step: int) -> bool:  # noqa: ARG002
        """Whether commands are carried out before this step."""
        return True

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model as it trains: with gradients that are the same in all. What it holds is rank 0's from now on."""
        return model

    def summing(self, trained: nn.Module, *, last: bool) -> AbstractContextManager[object]:  # noqa: ARG002
        """Around a backward pass of a step: what `wrap` gave sums the gradients in the `last` one."""
        return nullcontext()

    def own_chance(self, *place: int) -> AbstractContextManager[None]:  # noqa: ARG002
        """Around what may draw numbers that differ by rank, as dropout does; `place` is that of the pass in the run."""
        return nullcontext()

    def share(self, images: Tensor, labels: Tensor, number: int) -> tuple[Tensor, Tensor, float]:  # noqa: ARG002
        """What to train with of a batch of `number` images of which these are this process's; and how it counts.

        Gradients of mean losses, times this, have the whole batch's as their mean over the ranks.
        """
        return images, labels, 1.0

    def add_up(self, *tensors: Tensor) -> None:
        """Make each the sum over the ranks, in all."""

    def collect(self, tensor: Tensor) -> None:
        """Make it the sum over the ranks in rank 0, and zero in the others."""

    def same(self, tensors: Iterable[Tensor]) -> None:
        """Make each what rank 0 has."""

    def in_words(self) -> AbstractContextManager[None]:
        """Within it the end of another process is a RanksError."""
        return nullcontext()


ALONE = Ranks()


class Together(Ranks):
    """One of several processes, each with a network of its own. Raises RanksError where they do not come together."""

    def __init__(self) -> None:
        self.rank, self.of = launch.rank(), launch.processes()
        self.text = f" x {self.of} ranks"
        self._gpu = launch.local_rank()
        try:
            kinds = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            group = PrefixStore(f"ranks/{next(_joinings)}", launch.store())
            dist.init_process_group(kinds, store=group, rank=self.rank, world_size=self.of)
            self._messages = dist.new_group(backend="gloo", timeout=PATIENCE)
        except (RuntimeError, ValueError) as error:
            raise RanksError(f"the {self.of} processes did not come together: {_first_line(error)}") from error

    def device(self, name: str) -> str:
        """The GPU of this process's number on its machine, or the CPU."""
        if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
            return "cpu"
        if name not in {"auto", "cuda"}:
            raise RanksError(f"device '{name}' cannot be shared by {self.of} processes; say cuda, and each has its own")
        if self._gpu >= torch.cuda.device_count():
            found = torch.cuda.device_count()
            raise RanksError(f"device: process {self._gpu} of this machine has no GPU of its own; GPUs: {found}")
        torch.cuda.set_device(self._gpu)
        return f"cuda:{self._gpu}"

    def note(self, model: nn.Module) -> str:
        """Batch norm and dropout see a share of the batch, or draw by share."""
        modules = list(model.modules())
        found = ["batch norm"] * any(isinstance(module, _BatchNorm) for module in modules)
        found += ["dropout"] * any(isinstance(module, _DropoutNd) and module.p > 0 for module in modules)
        share = "on each rank's share of a batch, so that the result differs from that of one process"
        return f"this network has {' and '.join(found)}, {share}" if found else ""

    def in_turn(self, job: Callable[[], _Value]) -> _Value:
        """The job's answer; a failure of the first ends the others' waiting."""
        if self._gpu == 0:
            done = job()
            dist.barrier(group=self._messages)
            return done
        dist.barrier(group=self._messages)
        return job()

    def told(self, value: _Value) -> _Value:
        """By a message between processors: no GPU waits."""
        values = [value]
        dist.broadcast_object_list(values, src=0, group=self._messages)
        return values[0]

    def is_meeting(self, step: int) -> bool:
        """Whether the ranks meet at this step: every so many."""
        return step % MEETING == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """To be done again when a parameter no longer learns. Buffers are left alone: see `same`."""
        device = next(model.parameters()).device
        ids = [device.index] if device.type == "cuda" else None
        self.same(model.buffers())
        return DistributedDataParallel(model, device_ids=ids, **_KEEP_BUFFERS)

    def summing(self, trained: nn.Module, *, last: bool) -> AbstractContextManager[object]:
        """Torch's own no_sync, but for the last."""
        return nullcontext() if last or not isinstance(trained, DistributedDataParallel) else trained.no_sync()

    @contextmanager
    def own_chance(self, *place: int) -> Iterator[None]:
        """Draws are the rank's own within, and alike in all ranks afterwards, as if nothing had been drawn."""
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        own = hash((torch.initial_seed(), self.rank, *place)) % 2**63  # of whole numbers, the same in every process
        with torch.random.fork_rng(devices=devices):
            torch.default_generator.manual_seed(own)  # torch.manual_seed is slow: it asks for every kind of device
            if devices:
                torch.cuda.manual_seed(own)
            yield

    def share(self, images: Tensor, labels: Tensor, number: int) -> tuple[Tensor, Tensor, float]:
        """An empty share becomes blank images that count for nothing: all ranks must take part in every pass."""
        if not len(labels):  # two, since batch norm learns from no single one
            return images.new_zeros(2, *images.shape[1:]), labels.new_zeros(2), 0.0
        return images, labels, self.of * len(labels) / number

    def add_up(self, *tensors: Tensor) -> None:
        """By an all-reduce of each."""
        for tensor in tensors:
            dist.all_reduce(tensor)

    def collect(self, tensor: Tensor) -> None:
        """By a reduce to rank 0."""
        dist.reduce(tensor, dst=0)
        if not self.is_first:
            tensor.zero_()

    @torch.no_grad()
    def same(self, tensors: Iterable[Tensor]) -> None:
        """By a broadcast of each, in plain row-major order."""
        for tensor in tensors:
            plain = tensor.contiguous()
            dist.broadcast(plain, src=0)
            tensor.copy_(plain)

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Gloo and NCCL tell of a lost process, DistributedDataParallel of a parameter that is not used."""
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, dist.DistError) or "gloo" in str(error):
                raise RanksError(self._lost) from error
            if "finished reduction" in str(error):
                used = "every parameter of the network must have a part in its answers"
                raise RanksError(f"{used} where {self.of} processes train together: {_first_line(error)}") from error
            raise

    @property
    def _lost(self) -> str:
        return (
            f"another of the {self.of} processes that train together has ended or cannot be reached; torchrun says "
            "which. The run's file is whole: go on from its last checkpoint by torchrun ... -m sparseviz resume RUN.h5"
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


_here = ALONE
_joinings = itertools.count()  # a store's keys are used once


def here() -> Ranks:
    """This process among those that train together; alone outside of `joined`."""
    return _here


@contextmanager
def joined() -> Iterator[None]:
    """Within it the processes that torchrun started are together; what ends one is told once. Without it: nothing."""
    global _here  # noqa: PLW0603  # a process is one of many, or not
    if launch.processes() == 1:
        yield
        return
    _leave_signals_to_the_first()
    try:
        _here = Together()
        with _here.in_words(), warnings.catch_warnings():
            # of a filter with one input channel, whose memory format has two names
            warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
            yield
    except Untrusted:  # a question, after which they join anew
        raise
    except BaseException:
        launch.is_first_to_tell()  # before the others can notice
        raise
    finally:
        _here = ALONE
        if dist.is_initialized():
            dist.destroy_process_group()


def _leave_signals_to_the_first() -> None:
    """Ctrl+C reaches every process: rank 0 stops the run for all.

    Torchrun ends what is left of a job by SIGTERM, and 30 s later for good. Until then rank 0 can still write how the
    run ended: it learns of the others' end at its next step.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT if launch.rank() else signal.SIGTERM, signal.SIG_IGN)
